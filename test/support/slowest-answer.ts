import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './request.ts';

const ASK_EVERY_MS = 20;
/** Nobody may have to wait longer for an answer that costs nothing, whatever another client asks for, in milliseconds. */
export const LATE_MS = 250;

/**
 * How long the slowest of those waited who asked how the house is while some work was on its way, in milliseconds: of this
 * process's own time where that is less, since others may be using the machine.
 */
export async function slowestAnswer(url: string, work: () => Promise<unknown>): Promise<number> {
  const waits: Promise<number>[] = [];
  let last = now();
  const look = async (due: Now): Promise<number> => {
    await ask(url, 'GET', '/healthz', { as: null });
    const { wall, own } = now();
    return Math.min(wall - due.wall - ASK_EVERY_MS, own - due.own);
  };
  const timer = setInterval(() => {
    waits.push(look(last));
    last = now();
  }, ASK_EVERY_MS);
  try {
    await sleep(2 * ASK_EVERY_MS);
    await work();
    await sleep(2 * ASK_EVERY_MS);
  } finally {
    clearInterval(timer);
  }
  return Math.max(...(await Promise.all(waits)));
}

interface Now {
  readonly wall: number;
  readonly own: number;
}

function now(): Now {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), own: (user + system) / 1_000 };
}
