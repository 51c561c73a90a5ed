import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory with all those above it that are missing. Node's own way to do so never ends where a file system has no
 * directories to be made, such as /proc.
 * @param path absolute
 * @returns the first one that was made; null where none was
 * @throws what the file system says
 */
export function makePath(path: string, mode: number): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return null;
  const above = dirname(path);
  const first = above === path ? null : makePath(above, mode);
  try {
    mkdirSync(path, mode);
  } catch (fault) {
    // Another process may have made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw fault;
    return first;
  }
  return first ?? path;
}
