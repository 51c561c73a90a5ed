import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { messageOf } from '../faults.ts';

/** <sys/file.h>, the same on all systems that have it. */
const EXCLUSIVE_AT_ONCE: number = 2 | 4;

/** What came of locking a directory: a descriptor that holds the lock until it is closed, or why there is none. */
export type DirectoryLock =
  | { readonly type: 'held'; readonly descriptor: number }
  | { readonly type: 'taken' }
  | { readonly type: 'impossible'; readonly why: string };

interface Koffi {
  load(library: null): { func(prototype: string): (descriptor: number, operation: number) => number };
  errno(): number;
}

/**
 * Locks a directory itself with flock(2), for which Node has no call: whoever removes the files in it does not remove this lock.
 * The system lets it go when the process ends.
 * @throws what the file system says of the directory
 */
export function lockDirectory(directory: string): DirectoryLock {
  let koffi: Koffi;
  let flock: (descriptor: number, operation: number) => number;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
    flock = koffi.load(null).func('int flock(int, int)');
  } catch (fault) {
    return { type: 'impossible', why: `the package koffi cannot be used here: ${firstLine(fault)}` };
  }
  const descriptor = openSync(directory, 'r');
  if (flock(descriptor, EXCLUSIVE_AT_ONCE) === 0) return { type: 'held', descriptor };
  const errno = koffi.errno();
  closeSync(descriptor);
  if (errno === constants.errno.EWOULDBLOCK) return { type: 'taken' };
  // A network's file system may have no such locks for directories.
  return { type: 'impossible', why: `the file system locks no directories (error ${errno})` };
}

function firstLine(fault: unknown): string {
  return messageOf(fault).split('\n', 1)[0] ?? '';
}
