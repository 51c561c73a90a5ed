import { readlinkSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { runTask, type SnapshotTask } from './snapshot-task.ts';

/** The thread that takes states apart, one task after the other, so that no other request waits for a large one. */
parentPort?.on('message', (task: SnapshotTask) => parentPort?.postMessage(runTask(task)));
parentPort?.postMessage({ type: 'started', stat: ownStat() });

/** The file in which Linux tells how much time this thread has had; null on other systems. */
function ownStat(): string | null {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}/stat`;
  } catch {
    return null;
  }
}
