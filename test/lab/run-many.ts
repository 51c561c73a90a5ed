import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { runSeed } from './run-seed.ts';
import type { Violation } from './watch/observer.ts';

/** A seed that breaks a rule. */
export interface Failure {
  readonly seed: number;
  readonly violation: Violation;
}

interface Share {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** A seed makes much that lives as long as it does: with the usual room for what is new a tenth of the time goes into moving it. */
const ROOM = { maxYoungGenerationSizeMb: 64 } as const;

/**
 * Simulates many seeds in several threads, each every so many-th seed.
 * @param tell called for each seed that fails, as soon as that is known
 * @returns how many failed
 */
export async function runMany(
  {
    from,
    count,
    threads,
    endsAtFirst,
  }: {
    readonly from: number;
    readonly count: number;
    readonly threads: number;
    readonly endsAtFirst: boolean;
  },
  tell: (failure: Failure) => void,
): Promise<number> {
  let failed = 0;
  const workers = Array.from({ length: Math.min(threads, count) }, (_, index) => {
    const workerData: Share = { from: from + index, to: from + count, step: threads };
    return new Worker(new URL(import.meta.url), { workerData, resourceLimits: ROOM });
  });
  const ended = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('message', (failure: Failure) => {
          if (endsAtFirst && failed > 0) return;
          failed += 1;
          tell(failure);
          if (endsAtFirst) for (const each of workers) void each.terminate();
        });
        worker.once('error', reject);
        worker.once('exit', () => resolve());
      }),
  );
  await Promise.all(ended);
  return failed;
}

async function runShare({ from, to, step }: Share): Promise<void> {
  for (let seed = from; seed < to; seed += step) {
    const { violation } = await runSeed(seed);
    if (violation !== null) parentPort?.postMessage({ seed, violation } satisfies Failure);
  }
}

if (!isMainThread) await runShare(workerData as Share);
