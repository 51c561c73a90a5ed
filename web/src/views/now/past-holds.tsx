import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PastHoldShape } from '../../../../src/api/shapes/lock.ts';
import { api } from '../../api.ts';
import { counted, durationText } from '../../format.ts';
import { barsOf } from './hold-bars.ts';

/** Whoever only scrolls past a lock does not ask for its holds. */
const LINGER_MS = 150;
/** Locks whose holds are remembered, and asked for at a time. */
const REMEMBERED_MAX = 500;
const ASKED_MAX = 4;

const remembered = new Map<string, readonly PastHoldShape[]>();
let asking = 0;
const queue: (() => void)[] = [];

/**
 * How long a lock was held the last times, as small bars, the newest on the right.
 * @param newest the fence of who holds it now: with another one, another hold has ended
 */
export function PastHolds({ address, newest }: { address: string; newest: number }): JSX.Element | null {
  const name = `${newest} ${address}`;
  const [holds, setHolds] = useState(remembered.get(name) ?? null);
  useEffect(() => {
    setHolds(remembered.get(name) ?? null);
    if (remembered.has(name)) return undefined;
    let left = false;
    const timer = setTimeout(() => {
      void inTurn(async () => {
        if (left) return;
        // What is beside the matter is left out where it cannot be had.
        const answer = await api.ask('list-holds', { query: { address } }).catch(() => null);
        if (answer === null) return;
        remember(name, answer.holds);
        if (!left) setHolds(answer.holds);
      });
    }, LINGER_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [name]);
  if (holds === null || holds.length < 2) return null;
  const { bars, width, height } = barsOf(holds.map(({ heldMs }) => heldMs));
  const last = holds.at(-1)?.heldMs ?? 0;
  const most = Math.max(...holds.map(({ heldMs }) => heldMs));
  const broken = holds.filter((hold) => hold.broken).length;
  const says = `The last ${counted(holds.length, 'hold')}: the newest ${durationText(last)}, the longest ${durationText(most)}${broken === 0 ? '' : `, ${broken} broken`}`;
  return (
    <svg
      class="spark"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={says}
    >
      <title>{says}</title>
      {bars.map((bar, index) => (
        <rect key={bar.x} {...bar} class={holds[index]?.broken === true ? 'broken' : ''} />
      ))}
    </svg>
  );
}

/** A few at a time, the others when one is done. */
async function inTurn(work: () => Promise<void>): Promise<void> {
  if (asking >= ASKED_MAX) await new Promise<void>((resolve) => queue.push(resolve));
  asking += 1;
  try {
    await work();
  } finally {
    asking -= 1;
    queue.shift()?.();
  }
}

function remember(name: string, holds: readonly PastHoldShape[]): void {
  const [oldest] = remembered.size < REMEMBERED_MAX ? [] : remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
  remembered.set(name, holds);
}
