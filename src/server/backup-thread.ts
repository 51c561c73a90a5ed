import { parentPort, workerData } from 'node:worker_threads';
import { backUp } from '../engines/sqlite/files/backup.ts';
import type { CopyOrder } from './backup-copy.ts';

/** The thread that copies the database: that takes as long as the database is large, and blocks whoever does it. */
const { directory, target } = workerData as CopyOrder;
parentPort?.postMessage(await backUp(directory, target));
