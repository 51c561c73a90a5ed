import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instant, Milliseconds } from '../core/instant.ts';

/** Its time says when the directory that it is in was last used by who made it. */
export const IN_USE_FILE = 'in-use';
/** A directory that was not used for so long belongs to a process that is gone, on whatever machine. */
const LEFT_AFTER: Milliseconds = 5 * 60_000;
/** What is looked at, and what is removed, at a time. */
const LOOKED_AT_MAX = 10_000;
const REMOVED_MAX = 100;
const OF_A_RUN = /^run-[0-9A-Za-z]{16}$/;

/**
 * Removes the directories of runs whose process was killed. What a run did not make, and what one uses, stays.
 * @param root the directory of all runs
 * @returns how many were removed
 */
export async function removeLeftBehind(root: string, now: Instant): Promise<number> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  let removed = 0;
  for (const entry of entries.slice(0, LOOKED_AT_MAX)) {
    if (removed === REMOVED_MAX) break;
    if (!entry.isDirectory() || !OF_A_RUN.test(entry.name)) continue;
    const place = join(root, entry.name);
    const mark = await lstat(join(place, IN_USE_FILE)).catch(() => null);
    if (mark === null || !mark.isFile() || now - mark.mtimeMs < LEFT_AFTER) continue;
    await rm(place, { recursive: true, force: true, maxRetries: 3 });
    removed += 1;
  }
  return removed;
}
