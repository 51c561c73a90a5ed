import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import type { LockInfo } from '../../../core/lock-info.ts';
import { formatLockInfo, parseLockInfo } from '../../../core/lock-info.ts';
import type {
  ClientTraits,
  Finding,
  HeldLock,
  LockAttempt,
  LockBreak,
  LockRelease,
  LockRequest,
  LockState,
  StateClient,
  StateHistory,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import type { LocalConfig } from './config.ts';
import { locatePath } from './config.ts';
import { examineLocal } from './examine.ts';
import { heldFile, holdFile, letGo, openState } from './held-files.ts';
import { readThrough, readWhole, replaceFile, writeInPlace } from './journal.ts';
import { loadRecordLocks } from './record-lock.ts';
import { setAside } from './set-aside.ts';
import { backupPath, journalPath, lockInfoPath, statePath } from '../layout.ts';

/** How the history calls the backup file. */
const BACKUP = 'backup';

/** States in files of this machine, as the local backend keeps them. */
export class LocalClient implements StateClient {
  readonly backend = 'local';
  readonly traits: ClientTraits = {
    ...COMMON_TRAITS,
    workspaces: 'listed',
    locks: 'process',
    // POSIX record locks belong to a process, and never keep it from itself.
    excludes: 'processes',
    inFolder: true,
  };
  /** The one old version that there is: what stood in the file before the last command that wrote it. */
  readonly history: StateHistory = {
    list: async (workspace) => {
      const found = await orAbsent(stat(backupPath(this.#state(workspace))));
      return found === null ? [] : [{ id: BACKUP, at: found.mtime, size: found.size, deleted: false }];
    },
    read: (workspace, id) =>
      id === BACKUP ? orAbsent(readFile(backupPath(this.#state(workspace)))) : Promise.resolve(null),
  };
  readonly #config: LocalConfig;
  readonly #backedUp = new Set<string>();

  constructor(config: LocalConfig) {
    this.#config = config;
  }

  locate(workspace: string): string {
    return this.#state(workspace);
  }

  async workspaces(): Promise<readonly string[]> {
    const folder = locatePath(this.#config, this.#config.named.workspaceDir);
    const entries = await orAbsent(readdir(folder, { withFileTypes: true }));
    const names = (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    return [DEFAULT_WORKSPACE, ...names.filter((name) => name !== DEFAULT_WORKSPACE).sort()];
  }

  async createWorkspace(workspace: string): Promise<void> {
    await mkdir(dirname(this.#state(workspace)), { recursive: true });
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const state = this.#state(workspace);
    if (held !== null) await held.release();
    if (workspace === DEFAULT_WORKSPACE) await rm(state, { force: true });
    else await rm(dirname(state), { recursive: true, force: true });
  }

  setAside(workspace: string): Promise<readonly string[]> {
    const workspaceDir = locatePath(this.#config, this.#config.named.workspaceDir);
    return setAside(this.#state(workspace), workspaceDir, workspace);
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const state = this.#state(workspace);
    const mine = heldFile(state);
    const content = mine === null ? await orAbsent(readFile(state)) : await readWhole(mine.file);
    if (content === null) return null;
    const bytes = await readThrough(content, journalPath(state));
    return bytes.length === 0 ? null : bytes;
  }

  async write(workspace: string, bytes: Uint8Array): Promise<void> {
    const state = this.#state(workspace);
    await mkdir(dirname(state), { recursive: true });
    const mine = heldFile(state);
    const file = mine?.file ?? (await openState(state)).file;
    try {
      await this.#backUp(state, await readWhole(file));
      await writeInPlace(file, journalPath(state), bytes);
    } finally {
      if (mine === null) await file.close();
    }
  }

  async lock(workspace: string, request: LockRequest): Promise<LockAttempt> {
    const state = this.#state(workspace);
    await mkdir(dirname(state), { recursive: true });
    if ((await holdFile(state, journalPath(state))) === null) {
      const holder = await readHolder(state);
      return { type: 'held', holder, message: 'another process has the state file locked' };
    }
    const info: LockInfo = { ...request, path: statePath(this.#config.named, workspace) };
    try {
      await replaceFile(lockInfoPath(state), Buffer.from(formatLockInfo(info)), 0o600);
    } catch (fault) {
      await letGo(state);
      throw fault;
    }
    const release = (): Promise<LockRelease> => this.#release(state, info.id);
    return {
      type: 'locked',
      lock: { workspace, id: info.id, info, lost: new AbortController().signal, release },
    };
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const state = this.#state(workspace);
    if (heldFile(state) !== null) {
      return {
        type: 'held',
        holder: await readHolder(state),
        waiting: null,
        note: 'held by this very process',
      };
    }
    const file = await orAbsent(open(state, 'r'));
    if (file === null) return { type: 'free' };
    try {
      const holder = (await loadRecordLocks()).holder(file.fd);
      if (holder === null) return { type: 'free' };
      return {
        type: 'held',
        holder: await readHolder(state),
        waiting: null,
        note: `held by process ${holder}`,
      };
    } finally {
      await file.close();
    }
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const now = await this.inspectLock(workspace);
    if (now.type !== 'held') {
      await rm(lockInfoPath(this.#state(workspace)), { force: true });
      return { type: 'not-locked' };
    }
    if (now.holder !== null && now.holder.id !== lockId) return { type: 'other-id', holder: now.holder };
    return {
      type: 'impossible',
      message: `a lock on a local state ends with the process that took it: it is ${now.note}. End that process to release the lock.`,
    };
  }

  examine(): Promise<readonly Finding[]> {
    return examineLocal(this, (workspace) => this.#state(workspace));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #release(state: string, id: string): Promise<LockRelease> {
    if (heldFile(state) === null) return { type: 'lost', message: 'the state file was closed before' };
    if ((await readHolder(state))?.id === id) await rm(lockInfoPath(state), { force: true });
    await letGo(state);
    return { type: 'released' };
  }

  /** Keeps what was there before our first write, as terraform does. */
  async #backUp(state: string, before: Uint8Array): Promise<void> {
    if (this.#backedUp.has(state) || before.length === 0) return;
    this.#backedUp.add(state);
    await replaceFile(backupPath(state), before);
  }

  #state(workspace: string): string {
    return locatePath(this.#config, statePath(this.#config.named, workspace));
  }
}

async function readHolder(state: string): Promise<LockInfo | null> {
  const bytes = await orAbsent(readFile(lockInfoPath(state)));
  if (bytes === null) return null;
  const parsed = parseLockInfo(bytes);
  return 'problem' in parsed ? null : parsed.info;
}

/** null where there is no such file; what the file system refuses is told in words. */
async function orAbsent<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? fault.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new BackendFault('denied', `the state file cannot be opened: ${String(code)}`, '', fault);
    }
    throw fault;
  }
}
