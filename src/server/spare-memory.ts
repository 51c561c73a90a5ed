import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../ports/clock.ts';

const LOOK_MS = 5_000;
/** What a server has that did little so far. */
const USUAL_BYTES: number = 256 * 1024 * 1024;
/** Grown by so much since it was last given back, memory is worth another try. */
const GROWTH = 1.5;

/** What is asked of the process. */
export interface ProcessMemory {
  /** Bytes of the process that are in memory. */
  resident(): number;
  /** Gives what nobody uses back to the system. */
  giveBack(): Promise<void>;
}

/**
 * Gives memory back to the system once a crowd of uploads is over: neither the collector of garbage nor the C library does so by
 * itself while a process rests.
 * @param isBusy whether there is something in memory that will go by itself
 * @returns what ends it
 */
export function giveBackWhenIdle(
  clock: Pick<Clock, 'after'>,
  isBusy: () => boolean,
  memory: ProcessMemory = processMemory,
): () => void {
  let usual = USUAL_BYTES;
  let wasBusy = true;
  let isOver = false;
  const look = async (): Promise<void> => {
    const rests = !wasBusy && !isBusy();
    wasBusy = isBusy();
    if (rests && memory.resident() > usual) {
      await memory.giveBack();
      usual = Math.max(USUAL_BYTES, memory.resident() * GROWTH);
    }
    if (!isOver) cancel = clock.after(LOOK_MS, () => void look());
  };
  let cancel = clock.after(LOOK_MS, () => void look());
  return () => {
    isOver = true;
    cancel();
  };
}

const processMemory: ProcessMemory = {
  resident: () => process.memoryUsage.rss(),
  async giveBack() {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    await trim();
  },
};

/** `malloc_trim` of the C library, in a thread; nothing where there is none, or the package that can call it is missing. */
function trim(): Promise<void> {
  return new Promise((resolve) => {
    try {
      const koffi = createRequire(import.meta.url)('koffi') as Koffi;
      koffi
        .load(null)
        .func('int malloc_trim(size_t)')
        .async(0, () => resolve());
    } catch {
      resolve();
    }
  });
}

interface Koffi {
  load(library: null): {
    func(prototype: string): { async(keep: number, done: () => void): void };
  };
}
