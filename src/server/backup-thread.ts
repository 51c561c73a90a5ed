import { parentPort, workerData } from 'node:worker_threads';
import { backUp, checkPages } from '../engines/sqlite/files/backup.ts';
import type { CopyOrder } from './backup-copy.ts';

/** The thread that reads the whole database: that takes as long as the database is large, and blocks whoever does it. */
void answer(workerData as CopyOrder);

async function answer({ directory, target }: CopyOrder): Promise<void> {
  parentPort?.postMessage(
    target === null ? { damage: checkPages(directory) } : await backUp(directory, target),
  );
}
