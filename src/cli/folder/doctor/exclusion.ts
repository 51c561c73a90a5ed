import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Finding, HeldLock, LockAttempt, LockWait, StateClient } from '../../../ports/state-client.ts';
import { makeLockRequest } from '../../../protocols/lock-request.ts';
import { readVersion } from '../../../server/version.ts';
import { scriptCommand } from '../../own-process.ts';
import { OPERATION_DOCTOR } from '../operations.ts';

const ROUNDS = 5;
const AT_ONCE: LockWait = { milliseconds: 0, signal: null };
const CHILD_MS_MAX = 30_000;

/**
 * Proves that locking excludes, on this very backend: two ask for the lock of a scratch workspace at once, several times; one
 * must get it and the other must not, and while it is held no one else may get it.
 */
export async function proveExclusion(
  a: StateClient,
  b: StateClient,
  workspace: string,
): Promise<readonly Finding[]> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const attempts = await Promise.all([attempt(a, workspace), attempt(b, workspace)]);
    const winners = attempts.flatMap((answer) => (answer.type === 'locked' ? [answer.lock] : []));
    const late = winners.length === 1 ? await attempt(b, workspace) : null;
    await releaseAll([...winners, ...(late?.type === 'locked' ? [late.lock] : [])]);
    if (winners.length > 1) return [broken(a, 'two clients asked at the same time, and both got the lock')];
    if (winners.length === 0)
      return [broken(a, 'two clients asked at the same time, and neither got the lock')];
    if (late?.type === 'locked') return [broken(a, 'a second client got a lock that was held')];
  }
  const again = await attempt(b, workspace);
  await releaseAll(again.type === 'locked' ? [again.lock] : []);
  if (again.type !== 'locked') return [broken(a, 'a released lock could not be taken again')];
  return [proven(`two clients asked at the same time, ${ROUNDS} times, and one of them got it`)];
}

/** The same for locks that belong to a process: another process takes the part of the other. */
export async function proveExclusionOfProcesses(
  client: StateClient,
  workspace: string,
  options: { readonly cwd: string; readonly flags: readonly string[] },
): Promise<readonly Finding[]> {
  const other = new OtherProcess([...options.flags, '--workspace', workspace], options.cwd);
  try {
    if (!(await other.locks())) return [broken(client, 'a free lock could not be taken')];
    const mine = await attempt(client, workspace);
    if (mine.type === 'locked') {
      await releaseAll([mine.lock]);
      return [broken(client, 'this process got a lock that another process holds')];
    }
  } finally {
    await other.end();
  }
  const mine = await attempt(client, workspace);
  if (mine.type !== 'locked')
    return [broken(client, 'the lock of a process that had ended could not be taken')];
  const second = new OtherProcess([...options.flags, '--workspace', workspace], options.cwd);
  try {
    if (await second.locks()) return [broken(client, 'another process got a lock that this one holds')];
  } finally {
    await second.end();
    await releaseAll([mine.lock]);
  }
  return [proven('two processes excluded each other')];
}

/** `statehouse lock` in a process of its own. */
class OtherProcess {
  readonly #child: ReturnType<typeof spawn>;

  constructor(flags: readonly string[], cwd: string) {
    const main = createRequire(import.meta.url).resolve('#statehouse');
    const [program, ...words] = scriptCommand(main);
    this.#child = spawn(program, [...words, 'lock', '--json', ...flags], {
      cwd,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  /** Whether it got the lock; it keeps it then until it is ended. */
  async locks(): Promise<boolean> {
    const { stdout } = this.#child;
    if (stdout === null) return false;
    const patience = AbortSignal.timeout(CHILD_MS_MAX);
    const said = once(stdout, 'data', { signal: patience }).then(() => true);
    const ended = once(this.#child, 'exit', { signal: patience }).then(() => false);
    return Promise.race([said, ended]);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

function attempt(client: StateClient, workspace: string): Promise<LockAttempt> {
  return client.lock(workspace, makeLockRequest(OPERATION_DOCTOR, readVersion()), AT_ONCE);
}

async function releaseAll(locks: readonly HeldLock[]): Promise<void> {
  for (const lock of locks) await lock.release();
}

function proven(how: string): Finding {
  return { level: 'good', topic: 'exclusion', message: `the lock excludes: ${how}`, next: '' };
}

function broken(client: StateClient, what: string): Finding {
  const message = `THE LOCK DOES NOT EXCLUDE: ${what}`;
  return { level: 'problem', topic: 'exclusion', message, next: client.traits.ifLockFails };
}
