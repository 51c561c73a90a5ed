import type { FileHandle } from 'node:fs/promises';
import { open, rm, stat } from 'node:fs/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { recover } from './journal.ts';
import { loadRecordLocks } from './record-lock.ts';

/** A state file that this process has open and locked. */
export interface HeldFile {
  readonly file: FileHandle;
  /** We made the file to lock it; if nothing is written it goes again, as terraform has it. */
  readonly created: boolean;
}

/**
 * Record locks belong to the process, and closing any descriptor of the file ends them. So every file that this process
 * holds is written down here, and is never opened a second time.
 */
const held = new Map<string, HeldFile>();
/** Files that are being locked just now: a process never gets in its own way, so this keeps two of its tasks apart. */
const taking = new Set<string>();

/** A waiter that finds the file replaced tries anew, so often at most. */
const REPLACED_MAX = 5;

export function heldFile(path: string): HeldFile | null {
  return held.get(path) ?? null;
}

/** Locks a state file, making it when it is not there; null when somebody else holds it. Finishes what a crash left. */
export async function holdFile(path: string, journal: string): Promise<HeldFile | null> {
  if (held.has(path) || taking.has(path)) return null;
  taking.add(path);
  try {
    return await takeFile(path, journal);
  } finally {
    taking.delete(path);
  }
}

async function takeFile(path: string, journal: string): Promise<HeldFile | null> {
  const locks = await loadRecordLocks();
  for (let attempt = 0; attempt < REPLACED_MAX; attempt += 1) {
    const { file, created } = await openState(path);
    try {
      if (!locks.acquire(file.fd)) {
        await file.close();
        return null;
      }
      if (await isStill(file, path)) {
        await recover(file, journal);
        const mine = { file, created };
        held.set(path, mine);
        return mine;
      }
    } catch (fault) {
      await file.close();
      throw fault;
    }
    await file.close();
  }
  throw new BackendFault('other', `${path} could not be locked: other programs replace it again and again`);
}

/** Lets go of a file that {@link holdFile} gave. */
export async function letGo(path: string): Promise<void> {
  const mine = held.get(path);
  if (mine === undefined) return;
  held.delete(path);
  const { size } = await mine.file.stat();
  if (mine.created && size === 0) await rm(path, { force: true });
  await mine.file.close();
}

/** Terraform removes an empty file that it made: who had it open by then would lock a file that is gone. */
async function isStill(file: FileHandle, path: string): Promise<boolean> {
  const [mine, there] = await Promise.all([file.stat(), stat(path).catch(() => null)]);
  return there !== null && mine.ino === there.ino && mine.dev === there.dev;
}

/** Opens a state file to read and write, and makes it when it is not there. */
export async function openState(path: string): Promise<{ file: FileHandle; created: boolean }> {
  for (;;) {
    const there = await unless(open(path, 'r+'), 'ENOENT');
    if (there !== null) return { file: there, created: false };
    const made = await unless(open(path, 'wx+'), 'EEXIST');
    if (made !== null) return { file: made, created: true };
  }
}

async function unless<T>(result: Promise<T>, code: string): Promise<T | null> {
  try {
    return await result;
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && fault.code === code) return null;
    throw fault;
  }
}
