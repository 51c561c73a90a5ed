import type { ContentReader, ContentsRead } from '../../../ports/content-reader.ts';
import { CONTENT_BYTES_MAX } from './snapshot-task.ts';
import { SnapshotWorker } from './snapshot-worker.ts';

/** The thread ends when nothing has been read for so long, and gives its memory back. */
const IDLE_MS = 2_000;
/** In whose turn states are read. */
const INDEX = 'index';

/** Takes states apart for the index, on a thread of its own: those that people look at do not wait for it. */
export class ThreadReader implements ContentReader {
  readonly bytesMax: number = CONTENT_BYTES_MAX;
  readonly #worker = new SnapshotWorker({ idleMs: IDLE_MS });
  readonly #closing = new AbortController();

  async read(bytes: Uint8Array): Promise<ContentsRead> {
    const task = { kind: 'contents', version: { number: 0, bytes } } as const;
    const gone = this.#closing.signal;
    // What is made anew and what has just been changed may be read at a time, and the thread does one thing after the other.
    const answer = await this.#worker.enqueue({ subject: INDEX, gone }, () =>
      this.#worker.runTask(task, gone),
    );
    switch (answer.type) {
      case 'answer':
        return {
          type: 'contents',
          ...(JSON.parse(answer.text) as Omit<ContentsRead & { type: 'contents' }, 'type'>),
        };
      case 'unreadable':
        return { type: 'unreadable', why: 'unreadable' };
      case 'too-slow':
        return { type: 'unreadable', why: 'too-slow' };
      case 'gone':
      case 'busy':
      case 'too-many':
        throw new Error('the server is closing');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#worker[Symbol.asyncDispose]();
  }
}
