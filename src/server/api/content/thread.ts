import { parentPort } from 'node:worker_threads';
import { runTask, type SnapshotAnswer, type SnapshotTask } from './snapshot-task.ts';

/** The thread that takes states apart, so that no other request waits for a large one. */

export interface WorkerRequest {
  readonly id: number;
  readonly task: SnapshotTask;
}

export interface Done {
  readonly id: number;
  readonly answer: SnapshotAnswer;
}

parentPort?.on('message', ({ id, task }: WorkerRequest) => {
  parentPort?.postMessage({ id, answer: runTask(task) } satisfies Done);
});
