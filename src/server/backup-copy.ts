import { randomUUID } from 'node:crypto';
import { readdirSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Backup } from '../engines/sqlite/files/backup.ts';

/** What the thread is told. */
export interface CopyOrder {
  readonly directory: string;
  /** null to look at every page and copy nothing. */
  readonly target: string | null;
}

/** A copy of everything in a file of its own. */
export interface Copy {
  readonly path: string;
  /** What is wrong with the database, of which this is then a copy, damage and all; null if nothing is. */
  readonly damage: string | null;
}

/** Makes a copy of everything; null while another one is being made. */
export type BackUp = () => Promise<Copy | null>;

/** Looks at every page of the database; null while that or a copy is being done. */
export type CheckPages = () => Promise<Backup | null>;

/** What is done with a whole data directory while its server goes on. */
export interface WholeFile {
  readonly backUp: BackUp;
  readonly check: CheckPages;
}

const COPY_NAME = /^backup-[0-9a-f-]{36}\.part$/;

/**
 * Copies of a data directory's database, made beside it on a thread of their own, and looks at all of it, while the house goes on.
 * What a process that was killed has left behind is removed.
 */
export function wholeFileOf(directory: string): WholeFile {
  for (const name of readdirSync(directory)) {
    if (COPY_NAME.test(name)) unlinkSync(join(directory, name));
  }
  let isBusy = false;
  const once = async <T>(work: () => Promise<T>): Promise<T | null> => {
    if (isBusy) return null;
    isBusy = true;
    try {
      return await work();
    } finally {
      isBusy = false;
    }
  };
  return {
    backUp: () =>
      once(async () => {
        const path = join(directory, `backup-${randomUUID()}.part`);
        return { path, damage: await inThread({ directory, target: path }) };
      }),
    check: () => once(async () => ({ damage: await inThread({ directory, target: null }) })),
  };
}

function inThread(order: CopyOrder): Promise<string | null> {
  // The built file, also where a test runner runs the sources: a thread does not inherit the runner's way to read them.
  const path = createRequire(import.meta.url).resolve('#backup-thread');
  return new Promise((resolve, reject) => {
    const worker = new Worker(path, { workerData: order });
    worker.once('message', ({ damage }: Backup) => resolve(damage));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended before it was done')));
  });
}
