import { randomUUID } from 'node:crypto';
import { readdirSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Backup } from '../engines/sqlite/files/backup.ts';

/** What the thread is told. */
export interface CopyOrder {
  readonly directory: string;
  readonly target: string;
}

/** A copy of everything in a file of its own. */
export interface Copy {
  readonly path: string;
  /** What is wrong with the database, of which this is then a copy, damage and all; null if nothing is. */
  readonly damage: string | null;
}

/** Makes a copy of everything; null while another one is being made. */
export type BackUp = () => Promise<Copy | null>;

const COPY_NAME = /^backup-[0-9a-f-]{36}\.part$/;

/**
 * Copies of a data directory's database, made beside it on a thread of their own, while the house goes on.
 * What a process that was killed has left behind is removed.
 */
export function backUpFrom(directory: string): BackUp {
  for (const name of readdirSync(directory)) {
    if (COPY_NAME.test(name)) unlinkSync(join(directory, name));
  }
  let copying = false;
  return async () => {
    if (copying) return null;
    copying = true;
    const target = join(directory, `backup-${randomUUID()}.part`);
    try {
      return { path: target, damage: await copy({ directory, target }) };
    } finally {
      copying = false;
    }
  };
}

function copy(order: CopyOrder): Promise<string | null> {
  // The built file, also where a test runner runs the sources: a thread does not inherit the runner's way to read them.
  const path = createRequire(import.meta.url).resolve('#backup-thread');
  return new Promise((resolve, reject) => {
    const worker = new Worker(path, { workerData: order });
    worker.once('message', ({ damage }: Backup) => resolve(damage));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the copy ended before it was made')));
  });
}
