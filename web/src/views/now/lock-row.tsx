import type { JSX } from 'preact';
import { tick } from '../../clock.ts';
import { counted, durationText, operationText } from '../../format.ts';
import { CiRunLink, textsOf } from '../../parts/ci-run.tsx';
import { AddressLink, Badge, Foreign, Moment, Running, Subject } from '../../parts/text.tsx';
import { may } from '../../session.ts';
import type { BreakTarget } from './break-in.tsx';
import { PastHolds } from './past-holds.tsx';
import { isLong, turnMs, type Row } from './rows.ts';

/** One line of the list of locks. @param me the subject who is signed in */
export function LockRow({
  row,
  me,
  breakIn,
}: {
  row: Row;
  me: string;
  breakIn: (target: BreakTarget) => void;
}): JSX.Element {
  const { lock, readAt } = row.seen;
  const end = row.end ? 'end' : '';
  switch (row.kind) {
    case 'lock':
      return (
        <div class="lock-row head">
          <AddressLink address={lock.address} />
          <span class="marks">
            {lock.frozen !== null && <Badge tone="warn">frozen</Badge>}
            {lock.waiting > 0 && <Badge tone="accent">{counted(lock.waiting, 'waiter')}</Badge>}
          </span>
          <PastHolds address={lock.address} newest={lock.holders[0]?.fence ?? 0} />
          <span class="dim usual">
            {lock.usualHoldMs === null ? 'first hold' : `usually held ${durationText(lock.usualHoldMs)}`}
          </span>
        </div>
      );
    case 'holder': {
      const { holder } = row;
      const ms = holder.heldMs + Math.max(0, tick.value - readAt);
      const long = isLong(ms, lock.usualHoldMs);
      return (
        <div class={`lock-row holder ${long ? 'long' : ''} ${end}`}>
          <span class="mark" aria-hidden="true">
            ●
          </span>
          <span class="who">
            <Subject subject={holder.subject} />
            {holder.subject === me && <Badge tone="accent">you</Badge>}
            {holder.unheard === true && (
              <span title="The lock was granted, and the client has not acknowledged the answer yet. If it is found to be gone, the lock goes to the next in line.">
                <Badge tone="warn">not acknowledged</Badge>
              </span>
            )}
            <Why text={holder.reason === '' ? (holder.info?.Who ?? '') : holder.reason} />
            <CiRunLink texts={textsOf(holder)} />
          </span>
          <span class="what">
            {operationText(holder.operation)}
            {holder.shared && <span class="dim"> shared</span>}
          </span>
          <span class="door dim">{holder.door}</span>
          <span class="time">
            <span class="dim">held </span>
            <Running ms={holder.heldMs} readAt={readAt} />
            <span class="dim since">
              {' '}
              since <Moment at={holder.since} />
            </span>
          </span>
          <Hold ms={ms} usualMs={lock.usualHoldMs} long={long} />
          <span class="act">
            {(may('force-unlock', lock.address) || holder.subject === me) && (
              <button
                type="button"
                class="button small"
                onClick={() => breakIn({ address: lock.address, holder, readAt, waiting: lock.waiting })}
              >
                Break in…
              </button>
            )}
          </span>
        </div>
      );
    }
    case 'waiter': {
      const { waiter } = row;
      const turn = turnMs(row.seen, waiter.position);
      const left = turn === null ? null : turn - Math.max(0, tick.value - readAt);
      return (
        <div class={`lock-row waiter ${end}`}>
          <span class="mark">{waiter.position}</span>
          <span class="who">
            <Subject subject={waiter.subject} />
            {waiter.subject === me && <Badge tone="accent">you</Badge>}
            <Why text={waiter.reason === '' ? (waiter.info?.Who ?? '') : waiter.reason} />
            <CiRunLink texts={textsOf(waiter)} />
          </span>
          <span class="what">{operationText(waiter.operation)}</span>
          <span class="door dim">{waiter.door}</span>
          <span class="time">
            <span class="dim">waits </span>
            <Running ms={waiter.waitedMs} readAt={readAt} />
          </span>
          <span class="turn dim">
            {turnText(left, waiter.position, lock.usualHoldMs)}
            {!waiter.parked && <span title="Its client sleeps, and asks again by itself.">, asleep</span>}
          </span>
        </div>
      );
    }
    case 'rest':
      return <div class={`lock-row rest dim ${end}`}>and {counted(row.count, 'more waiter')}</div>;
  }
}

/** When a turn is to be expected; while the present hold is longer than usual, only what comes after it is known. */
function turnText(left: number | null, position: number, usualMs: number | null): string {
  if (left === null || usualMs === null) return '';
  if (left > 0) return `turn in about ${durationText(left)}`;
  return position === 1
    ? 'held longer than usual'
    : `about ${durationText(usualMs * (position - 1))} after that`;
}

/** Why somebody holds or wants the lock, in their words. */
function Why({ text }: { text: string }): JSX.Element | null {
  return text === '' ? null : (
    <span class="why dim">
      <Foreign text={text} most={160} />
    </span>
  );
}

/** A hold beside the usual one. */
function Hold({ ms, usualMs, long }: { ms: number; usualMs: number | null; long: boolean }): JSX.Element {
  if (usualMs === null || usualMs === 0) return <span class="hold" />;
  const share = Math.min(1, ms / usualMs);
  const times = ms / usualMs;
  return (
    <span class="hold">
      <span class="track" aria-hidden="true">
        <span class={long ? 'fill long' : 'fill'} style={{ transform: `scaleX(${share})` }} />
      </span>
      {long && <Badge tone="warn">{`${times < 10 ? times.toFixed(1) : Math.round(times)}× usual`}</Badge>}
    </span>
  );
}
