import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeLeftovers, replaceFile } from '../../../protocols/local/client/journal.ts';
import { Failure } from '../../failure.ts';

/** The lock IDs of one workspace, one for each side. */
export interface LockIds {
  readonly from: string;
  readonly to: string;
}

/** What a migration writes down, so that a later run can take over the locks that a crash left behind. */
export interface MigrationJournal {
  readonly from: string;
  readonly to: string;
  readonly pid: number;
  readonly host: string;
  /** By workspace. */
  readonly locks: Readonly<Record<string, LockIds>>;
}

const FILE = 'statehouse-migration.json';

/** The open journal of one migration. */
export class Journal {
  readonly #path: string;
  #content: MigrationJournal;

  private constructor(path: string, content: MigrationJournal) {
    this.#path = path;
    this.#content = content;
  }

  /** What {@link open} would refuse, without a change. */
  static async check(folder: string, from: string, to: string, host: string): Promise<void> {
    demandOwn(join(folder, FILE), await readJournal(join(folder, FILE)), { from, to, host });
  }

  /**
   * Opens the journal of this very migration, or begins one.
   * @throws Failure when such a migration runs at this moment, or when another one was left unfinished here
   */
  static async open(
    folder: string,
    from: string,
    to: string,
    host: string,
  ): Promise<{ journal: Journal; resumed: boolean }> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, FILE);
    const left = await readJournal(path);
    demandOwn(path, left, { from, to, host });
    const content = { from, to, pid: process.pid, host, locks: left?.locks ?? {} };
    const journal = new Journal(path, content);
    await journal.#write();
    return { journal, resumed: left !== null };
  }

  /** The lock IDs that an earlier run wrote down for a workspace, so that the locks it left behind are ours; null if none did. */
  known(workspace: string): LockIds | null {
    const { locks } = this.#content;
    return Object.hasOwn(locks, workspace) ? (locks[workspace] ?? null) : null;
  }

  /** Writes down the lock IDs of a workspace, before they are used. */
  async remember(workspace: string, ids: LockIds): Promise<void> {
    this.#content = { ...this.#content, locks: { ...this.#content.locks, [workspace]: ids } };
    await this.#write();
  }

  /** The workspace is done and its locks are released: their IDs must never be used again. */
  async forget(workspace: string): Promise<void> {
    const { [workspace]: _, ...locks } = this.#content.locks;
    this.#content = { ...this.#content, locks };
    await this.#write();
  }

  async finish(): Promise<void> {
    await removeLeftovers(this.#path);
    await rm(this.#path, { force: true });
  }

  async #write(): Promise<void> {
    await replaceFile(this.#path, Buffer.from(`${JSON.stringify(this.#content, null, 2)}\n`), 0o600);
  }
}

function demandOwn(
  path: string,
  left: MigrationJournal | null,
  { from, to, host }: { readonly from: string; readonly to: string; readonly host: string },
): void {
  if (left === null) return;
  if (left.from !== from || left.to !== to) {
    throw new Failure(`${path} records an unfinished migration from ${left.from} to ${left.to}`, {
      next: 'Run that migration again to finish it, or remove the file.',
    });
  }
  if (left.host === host && left.pid !== process.pid && isAlive(left.pid))
    throw new Failure(`this migration is already running, in process ${left.pid}`);
}

async function readJournal(path: string): Promise<MigrationJournal | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    const value = JSON.parse(text) as Partial<MigrationJournal>;
    const { from, to, pid, host, locks } = value;
    if (typeof from !== 'string' || typeof to !== 'string' || typeof pid !== 'number') return null;
    return { from, to, pid, host: host ?? '', locks: locks ?? {} };
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return fault instanceof Error && 'code' in fault && fault.code === 'EPERM';
  }
}
