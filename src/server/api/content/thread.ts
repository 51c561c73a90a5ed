import { parentPort } from 'node:worker_threads';
import { runTask, type SnapshotTask } from './snapshot-task.ts';

/** The thread that takes states apart, one task after the other, so that no other request waits for a large one. */
parentPort?.on('message', (task: SnapshotTask) => parentPort?.postMessage(runTask(task)));
