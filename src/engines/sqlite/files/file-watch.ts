import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EngineFault } from '../../../ports/engine.ts';

/** How often is looked whether the files are there still. */
export const WATCH_MS = 1_000;

/**
 * Watches files that are open. Who removes or replaces one leaves us with a file without a name: what is written there is answered, and
 * nobody finds it again.
 */
export class FileWatch {
  readonly #paths: readonly string[];
  /** What each name meant first. */
  readonly #meant = new Map<string, string>();
  #lookedAt = -Infinity;

  /** @param paths those that are not there yet are watched from the first look that finds them */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.look();
  }

  /** @throws {EngineFault} fatal, when a name does not mean what it did */
  look(): void {
    for (const path of this.#paths) {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      const meant = this.#meant.get(path);
      const means = found === undefined ? null : `${found.dev}:${found.ino}`;
      if (meant === undefined) {
        if (means !== null) this.#meant.set(path, means);
      } else if (means !== meant) throw gone(path, means === null ? 'removed' : 'replaced');
    }
    this.#lookedAt = performance.now();
  }

  /** Has the next answer look, whenever that was done: somebody else may have found that a file is gone. */
  doubt(): void {
    this.#lookedAt = -Infinity;
  }

  /**
   * Before something is answered: looks again only if that was not done a moment ago, as after a pause of the whole process.
   * @throws {EngineFault} as {@link look}
   */
  lookAfterPause(): void {
    if (performance.now() - this.#lookedAt >= WATCH_MS) this.look();
  }
}

function gone(path: string, how: 'removed' | 'replaced'): EngineFault {
  return new EngineFault(
    `${basename(path)} was ${how} while the server has it open, so what is stored now would be lost: ` +
      `put the files of ${dirname(path)} back, or restore a backup into a new directory, then start the server`,
    { fatal: true },
  );
}
