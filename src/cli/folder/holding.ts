import type { Environment } from '../../ports/environment.ts';
import { ciRunOf } from '../../core/ci-run.ts';
import { OPERATION_EXEC } from '../../core/lock-info.ts';
import type { HeldLock, LockRelease, StateClient } from '../../ports/state-client.ts';
import { makeLockRequest, whoAmI } from '../../protocols/lock-request.ts';
import { waitForLock } from '../../protocols/wait-for-lock.ts';
import { formatDuration } from '../../core/duration.ts';
import { Failure, lockedByOther } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { duration, flag, text } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { readVersion } from '../../server/version.ts';
import { placeInWords } from '../../core/lock-words.ts';
import { heldByInWords } from './lock-view.ts';
import { OPERATION_PUSH } from './operations.ts';

/** The options of every command that takes the lock. */
export const LOCK_OPTIONS: {
  readonly lockTimeout: OptionSpec<number>;
  readonly noLock: OptionSpec<boolean>;
} = {
  lockTimeout: duration('0s', 'TIME', 'wait at most TIME for the lock'),
  noLock: flag('do not take the lock (dangerous)', { environment: false }),
};

/** For a lock that a run of one's own left behind because it could not reach the backend. */
export const ADOPT_LOCK: OptionSpec<string | undefined> = text(
  'LOCK_ID',
  'work under this lock, which a run of yours left behind, and release it',
  { environment: false },
);

export interface Wanted {
  readonly client: StateClient;
  readonly workspace: string;
  readonly operation: string;
  readonly info?: string;
  readonly timeout: number;
  readonly stopped: AbortSignal;
}

/** A reason, and the run of a pipeline that gives it, so that whoever waits can look at it. */
export function withCiRun(reason: string, env: Environment): string {
  const run = ciRunOf(env);
  if (run === null || reason.includes(run)) return reason;
  return reason === '' ? run : `${reason} (${run})`;
}

/** How `statehouse exec` tells the commands that it runs which lock they are under. */
export const INHERITED_LOCK = 'STATEHOUSE_LOCK_ID';
export const INHERITED_WORKSPACE = 'STATEHOUSE_LOCK_WORKSPACE';

/** Takes the lock, and shows whom it waits for. @throws Failure, with the holder, when it cannot be had */
export async function takeLock(terminal: Terminal, wanted: Wanted): Promise<HeldLock> {
  const { client, workspace, operation, info, timeout, stopped } = wanted;
  const request = makeLockRequest(operation, readVersion(), info);
  let told = '';
  const ticking = new Ticker(terminal);
  const answer = await waitForLock(client, workspace, request, {
    timeout,
    signal: stopped,
    onWait: ({ holder, message, line, left }) => {
      const by = (): string => (holder === null ? message : heldByInWords(holder, line));
      const place = line === null ? '' : placeInWords(line);
      const about = [`Waiting for the lock on ${workspace}`, place].filter((text) => text !== '').join(', ');
      const news = `${holder?.id ?? message} ${place}`;
      if (told !== news && !terminal.live) terminal.note(`${about}: ${by()}`);
      told = news;
      // What counts most stands first: a narrow terminal cuts the end.
      ticking.show(left, (rest) => `${about}, ${formatDuration(rest)} left: ${by()}`);
    },
  }).finally(() => ticking.stop());
  if (answer.type === 'locked') return answer.lock;
  if (answer.type === 'unsupported') {
    throw new Failure(answer.message, {
      next: 'Configure locking in the backend block, or use --no-lock where the command has it.',
    });
  }
  const { holder, message, waited, line = null } = answer;
  const whom = holder === null ? message : `${heldByInWords(holder, line)}, lock ID ${holder.id}`;
  const how = waited > 1_000 ? ` (waited ${formatDuration(waited)})` : '';
  const own =
    holder?.who === whoAmI() && operation === OPERATION_PUSH
      ? `\nIf that is a run of yours that could not write its state: --lock ${holder.id} writes under its lock and releases it.`
      : '';
  throw lockedByOther(
    `the state of workspace ${workspace} is locked${how}: ${whom}`,
    `Wait for it with --lock-timeout 5m. If its holder has ended without a release: statehouse force-unlock.${own}`,
    { holder },
  );
}

/** Takes over a lock of one's own that is still held. @throws Failure when another one is held, or none */
export async function adoptLock(
  { client, workspace, operation, info }: Omit<Wanted, 'timeout' | 'stopped'>,
  id: string,
): Promise<HeldLock> {
  const now = await client.inspectLock(workspace);
  const isHeld = now.type === 'held' && (now.holder === null || now.holder.id === id);
  // Asking again under an ID that is not held would take the lock anew.
  if (!isHeld && now.type !== 'unknown') {
    throw new Failure(`the state of workspace ${workspace} is not locked by ${id}`, {
      next: '"statehouse status" shows the lock. Without --lock a new one is taken.',
    });
  }
  const request = { ...makeLockRequest(operation, readVersion(), info), id };
  const answer = await client.lock(workspace, request, { milliseconds: 0, signal: null });
  if (answer.type === 'locked') return answer.lock;
  throw new Failure(`the lock ${id} is not yours: ${answer.message}`, {
    next: 'Only who took a lock may work under it. "statehouse status" shows the holder.',
  });
}

/**
 * Does something under the lock and releases it whatever happens. The lock is kept when `use` says so, for those that end
 * with it, such as the deletion of a workspace.
 */
export async function underLock<T>(
  terminal: Terminal,
  wanted: Wanted & {
    readonly noLock: boolean;
    readonly env: Environment;
    /** A lock of one's own to take over, as in {@link adoptLock}. */
    readonly adopt?: string | undefined;
  },
  use: (lock: HeldLock | null) => Promise<T>,
): Promise<T> {
  if (wanted.noLock) return use(null);
  const inherited = await inheritedLock(wanted, wanted.env);
  if (inherited !== null) return use(inherited);
  const lock =
    wanted.adopt === undefined ? await takeLock(terminal, wanted) : await adoptLock(wanted, wanted.adopt);
  let result: T;
  try {
    result = await use(lock);
  } catch (fault) {
    await lock.release().catch(() => terminal.note(`The lock ${lock.id} could not be released.`));
    throw fault;
  }
  await releaseLock(lock);
  return result;
}

/** The lock of the `statehouse exec` that runs this command, if it is still held there; exec itself will release it. */
export async function inheritedLock(
  { client, workspace }: Pick<Wanted, 'client' | 'workspace'>,
  env: Environment,
): Promise<HeldLock | null> {
  const id = env[INHERITED_LOCK];
  if (id === undefined || env[INHERITED_WORKSPACE] !== workspace) return null;
  const now = await client.inspectLock(workspace);
  // Where the backend keeps no lock info, that it is held is all that can be known.
  const ours =
    now.type === 'held' && (now.holder === null ? !client.traits.showsHolder : now.holder.id === id);
  const unknown = now.type === 'unknown' && client.traits.locks === 'stored';
  if (!ours && !unknown) return null;
  const info = { id, operation: OPERATION_EXEC, info: '', who: '', version: '', created: '', path: '' };
  const release = (): Promise<LockRelease> => Promise.resolve({ type: 'released' });
  return { workspace, id, info, lost: new AbortController().signal, release };
}

/** Releases a lock of ours. @throws Failure when it was lost before, or cannot be released */
export async function releaseLock(lock: HeldLock): Promise<void> {
  const next = `Make sure that no one else wrote the state. "statehouse status" shows the lock, and "statehouse force-unlock ${lock.id}" removes it.`;
  const answer = await lock.release().catch((fault: unknown) => {
    const why = fault instanceof Error ? fault.message : String(fault);
    throw new Failure(`the lock ${lock.id} could not be released: ${why}`, { next, cause: fault });
  });
  if (answer.type === 'lost') {
    throw new Failure(`the lock ${lock.id} was lost while it was held: ${answer.message}`, { next });
  }
}

/** A line on the terminal that counts down. */
class Ticker {
  readonly #terminal: Terminal;
  #timer: NodeJS.Timeout | null = null;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(left: number, line: (left: number) => string): void {
    this.stop();
    const ends = performance.now() + left;
    const tick = (): void => this.#terminal.status(line(Math.max(0, ends - performance.now())));
    tick();
    if (this.#terminal.live) this.#timer = setInterval(tick, 1_000);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#terminal.status('');
  }
}
