import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_WORKSPACE, type Address } from '../../../core/address.ts';
import { formatLockInfo, parseLockInfo, type LockInfo } from '../../../core/lock-info.ts';
import type {
  ClientTraits,
  Finding,
  HeldLock,
  LockAttempt,
  LockBreak,
  LockRelease,
  LockRequest,
  LockState,
  LockWait,
  ServedState,
  StateClient,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import { emptyState } from '../../empty-state.ts';
import { isLockAnswer, LOCK_PARAMETER, pathOf } from '../../http/layout.ts';
import { lockKeys, readKey, WORKSPACE_MARK } from '../layout.ts';
import type { ConsulConfig } from './config.ts';
import { examineConsul } from './examine.ts';
import { Keys } from './keys.ts';
import { ConsulRequests, keyPath } from './request.ts';
import { ConsulSession, destroySession } from './session.ts';
import { dropChunks, manifestIn, pack, readState, writeChunks } from './state-value.ts';

/** How soon a lock is asked for again that is free, but kept back by Consul for a while. */
const DELAY_LOOK_MS = 1_000;
/** A request for a lock that is answered later was held open. */
const HELD_OPEN_MS = 1_000;
/** A server that does not wait answers within that. */
const GRACE_MS = 30_000;
const KEPT_BACK =
  'the lock was released at this moment, or its holder has ended without a release: then Consul keeps it back for some seconds';

/** States in Consul's keys, under terraform's lock: a key that a session holds, whose ID is the lock's ID. */
export class ConsulStateClient implements StateClient {
  readonly backend = 'consul';
  readonly traits: ClientTraits;
  readonly history = null;
  readonly #config: ConsulConfig;
  readonly #requests: ConsulRequests;
  readonly #keys: Keys;
  /** The session by which one asks again, by the ID of its request: whoever comes back in the same session has its place in line. */
  readonly #asking = new Map<string, ConsulSession>();
  #house: Promise<boolean> | null = null;

  constructor(config: ConsulConfig) {
    this.#config = config;
    this.#requests = new ConsulRequests(config);
    this.#keys = new Keys(this.#requests);
    this.traits = {
      ...COMMON_TRAITS,
      workspaces: 'listed',
      locks: config.locks ? 'process' : 'none',
      parks: true,
    };
  }

  locate(workspace: string): string {
    const { endpoint, query } = this.#config;
    const dc = query['dc'] === undefined ? '' : `?dc=${query['dc']}`;
    return `${endpoint.href}v1/${keyPath(this.#pathOf(workspace))}${dc}`;
  }

  async workspaces(): Promise<readonly string[]> {
    const prefix = this.#config.path + WORKSPACE_MARK;
    const names = (await this.#keys.list(prefix)).map((key) => key.slice(prefix.length));
    return [DEFAULT_WORKSPACE, ...names.filter((name) => name !== '' && !name.includes('/')).sort()];
  }

  async createWorkspace(workspace: string, by: LockRequest): Promise<void> {
    const attempt = await this.lock(workspace, by, { milliseconds: 0, signal: null });
    if (attempt.type === 'held') throw new BackendFault('refused', `${workspace}: ${attempt.message}`);
    const held = attempt.type === 'locked' ? attempt.lock : null;
    try {
      if ((await this.read(workspace)) === null) await this.write(workspace, emptyState(by.id), held);
    } finally {
      await held?.release();
    }
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const path = this.#pathOf(workspace);
    const there = await this.#keys.get(path);
    if (there !== null) {
      if (!(await this.#keys.delete(path, there.index)))
        throw new BackendFault('refused', `${this.locate(workspace)} was written meanwhile`);
      const parts = manifestIn(there);
      if (parts !== null) await dropChunks(this.#keys, path, parts);
    }
    if (held !== null) await held.release();
  }

  read(workspace: string): Promise<Uint8Array | null> {
    return readState(this.#keys, this.#pathOf(workspace));
  }

  /** Writes over the index that is there now, and under a lock only while that is held. */
  async write(workspace: string, bytes: Uint8Array, held: HeldLock | null): Promise<void> {
    const path = this.#pathOf(workspace);
    const before = await this.#keys.get(path);
    const index = before?.index ?? 0;
    // A Statehouse server looks after that itself, and takes one operation at a time.
    const fence =
      held === null || !this.#config.locks || (await this.#isHouse(workspace))
        ? null
        : { key: lockKeys(path).lock, session: held.id };
    let written = await this.#keys.write(path, pack(bytes, this.#config.gzip), index, fence);
    if (written.type === 'too-large') {
      const parts = await writeChunks(this.#keys, path, bytes, this.#config.gzip);
      // Who takes no parts has refused the state for good.
      if (parts instanceof BackendFault) throw written.fault;
      written = await this.#keys.write(path, parts, index, fence);
    }
    const old = before === null ? null : manifestIn(before);
    if (written.type === 'written') {
      const now = old === null ? null : await this.#keys.get(path);
      const kept = now === null ? null : manifestIn(now);
      if (old !== null && kept?.hash !== old.hash)
        await dropChunks(this.#keys, path, old).catch(() => undefined);
      return;
    }
    if (written.type === 'changed' && written.resent) {
      const now = await this.read(workspace);
      if (now !== null && Buffer.from(now).equals(bytes)) return;
    }
    throw written.fault;
  }

  async lock(workspace: string, request: LockRequest, wait: LockWait): Promise<LockAttempt> {
    if (!this.#config.locks) {
      return {
        type: 'unsupported',
        message: 'the backend block has "lock = false": terraform takes no lock',
      };
    }
    const { lock, info } = lockKeys(this.#pathOf(workspace));
    const there = await this.#keys.get(lock);
    if (there !== null && there.session === null && !there.isLock && there.value.length > 0)
      throw new BackendFault('corrupt', `the key ${lock} is not a lock: it has another value`);
    const own = there?.session == null ? null : await this.#holder(info, there.session);
    // Who knows the ID of a lock that is held, or what it was asked for with, means that lock.
    if (own !== null && [own.id, askedWith(own)].includes(request.id)) return this.#adopt(workspace, own);
    if (there !== null && there.session !== null && wait.milliseconds === 0)
      return this.#refusedBy(there.session, info);
    const session = await this.#sessionFor(request);
    try {
      if (!(await this.#acquire(lock, session.id, wait))) return await this.#refused(lock, info);
      const asked: LockInfo = {
        ...request,
        id: session.id,
        info: request.info === '' ? infoOf(session.id, request.id) : request.info,
        path: this.#pathOf(workspace),
      };
      this.#asking.delete(request.id);
      const refused = await this.#keys.put(info, Buffer.from(formatLockInfo(asked)));
      if (refused !== null) throw refused;
      return { type: 'locked', lock: this.#held(workspace, asked, session) };
    } catch (fault) {
      this.#asking.delete(request.id);
      // The request may have done its work although its answer never came: the lock ends with its session.
      await session.end().catch(() => undefined);
      throw fault;
    }
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const { lock, info } = lockKeys(this.#pathOf(workspace));
    const there = await this.#keys.get(lock);
    if (there === null || there.session === null) return { type: 'free' };
    const holder = await this.#holder(info, there.session);
    if (holder !== null)
      return { type: 'held', holder, askedWith: askedWith(holder), waiting: null, note: '' };
    const message = `the lock is held by the Consul session ${there.session}, which has told no lock info. The session is the ID that removes it.`;
    return { type: 'unreadable', message };
  }

  /** As terraform does it, but only if the ID is that of the lock. */
  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const { lock, info } = lockKeys(this.#pathOf(workspace));
    const there = await this.#keys.get(lock);
    if (there === null || there.session === null) return { type: 'not-locked' };
    if (there.session !== lockId)
      return { type: 'other-id', holder: await this.#holder(info, there.session) };
    await destroySession(this.#requests, lockId);
    const left = await this.#keys.get(lock);
    if (left !== null && left.session === null) await this.#keys.delete(lock, left.index);
    await this.#dropInfo(info, lockId);
    return { type: 'broken' };
  }

  keepsOut(workspace: string): Promise<string | null> {
    const why = 'with Consul it locks each workspace but "default" when it opens it, with -lock=false, too';
    return Promise.resolve(workspace === DEFAULT_WORKSPACE ? null : why);
  }

  async server(workspace: string): Promise<ServedState | null> {
    const { endpoint, ca, insecure, token } = this.#config;
    const address = this.#addressOf(workspace);
    if (address === null) return null;
    const served = { url: endpoint.href.replace(/\/$/, ''), address, ca, insecure };
    const dot = token?.indexOf('.') ?? -1;
    // What is not the token of a Statehouse is not sent to its API.
    if (token === null || dot === -1 || !(await this.#isHouse(workspace)))
      return { ...served, credential: null };
    return { ...served, credential: { id: token.slice(0, dot), secret: token.slice(dot + 1) } };
  }

  async examine(): Promise<readonly Finding[]> {
    const paths = (await this.workspaces()).map((workspace) => this.#pathOf(workspace));
    return examineConsul(this.#config, this.#requests, this.#keys, paths);
  }

  async close(): Promise<void> {
    const sessions = [...this.#asking.values()];
    this.#asking.clear();
    for (const session of sessions) await session.end().catch(() => undefined);
  }

  async #sessionFor(request: LockRequest): Promise<ConsulSession> {
    const known = this.#asking.get(request.id);
    if (known !== undefined && !known.lost.aborted) return known;
    const session = await ConsulSession.create(this.#requests);
    this.#asking.set(request.id, session);
    return session;
  }

  /**
   * Asks for the lock until it is had, or the time is over. Consul tells when it is released; a Statehouse server holds the second
   * request open until it is granted.
   */
  async #acquire(lock: string, session: string, { milliseconds, signal }: LockWait): Promise<boolean> {
    const ends = performance.now() + milliseconds;
    for (let asks = 1; ; asks += 1) {
      const asked = performance.now();
      const over = AbortSignal.timeout(Math.ceil(Math.max(0, ends - asked)) + GRACE_MS);
      const stop = signal === null ? over : AbortSignal.any([signal, over]);
      try {
        if (await this.#keys.acquire(lock, session, stop)) return true;
      } catch (fault) {
        if (!over.aborted || signal?.aborted === true) throw fault;
      }
      const left = ends - performance.now();
      const { pair, index } = await this.#keys.watch(lock);
      if (pair?.session === session) return true;
      if (left <= 0) return false;
      if (asks === 1 || performance.now() - asked > HELD_OPEN_MS) continue;
      if (pair === null || pair.session === null) {
        const pause = Math.min(left, DELAY_LOOK_MS);
        await sleep(pause, undefined, signal === null ? {} : { signal });
      } else await this.#keys.change(lock, index, left, signal);
    }
  }

  async #refused(lock: string, info: string): Promise<LockAttempt> {
    const there = await this.#keys.get(lock);
    return there === null || there.session === null
      ? { type: 'held', holder: null, message: KEPT_BACK }
      : this.#refusedBy(there.session, info);
  }

  async #refusedBy(session: string, info: string): Promise<LockAttempt> {
    const holder = await this.#holder(info, session);
    return { type: 'held', holder, message: `the lock is held by the Consul session ${session}` };
  }

  /** Goes on under a lock of one's own, whose process has ended. */
  async #adopt(workspace: string, own: LockInfo): Promise<LockAttempt> {
    const session = await ConsulSession.adopt(this.#requests, own.id);
    return session === null
      ? { type: 'held', holder: own, message: `the session ${own.id} has ended` }
      : { type: 'locked', lock: this.#held(workspace, own, session) };
  }

  #held(workspace: string, info: LockInfo, session: ConsulSession): HeldLock {
    session.holds(this.#keys, lockKeys(this.#pathOf(workspace)).lock);
    return {
      workspace,
      id: session.id,
      info,
      lost: session.lost,
      release: () => this.#release(workspace, session),
    };
  }

  async #release(workspace: string, session: ConsulSession): Promise<LockRelease> {
    const { lock, info } = lockKeys(this.#pathOf(workspace));
    const there = await this.#keys.get(lock);
    if (there?.session !== session.id) {
      await session.end();
      const holder =
        there === null || there.session === null ? null : await this.#holder(info, there.session);
      const message =
        holder === null ? 'the session had ended, or was broken' : `the lock is now of ${holder.who}`;
      return { type: 'lost', message };
    }
    await this.#dropInfo(info, session.id);
    const released = await this.#keys.release(lock, session.id);
    // Another may have it by now: then its key has another index.
    const left = released ? await this.#keys.get(lock) : null;
    if (left !== null && left.session === null) await this.#keys.delete(lock, left.index);
    await session.end();
    return released ? { type: 'released' } : { type: 'lost', message: 'the session ended meanwhile' };
  }

  /** Takes the lock info away, if it is that of a lock. */
  async #dropInfo(key: string, id: string): Promise<void> {
    if ((await this.#holder(key, id)) !== null) await this.#keys.drop(key);
  }

  /** The lock info of a session; null where another's is there, or nothing that can be read. */
  async #holder(key: string, session: string): Promise<LockInfo | null> {
    const pair = await this.#keys.get(key);
    const parsed = pair === null ? null : parseLockInfo(pair.value);
    return parsed !== null && 'info' in parsed && parsed.info.id === session ? parsed.info : null;
  }

  #isHouse(workspace: string): Promise<boolean> {
    const address = this.#addressOf(workspace);
    if (address === null) return Promise.resolve(false);
    this.#house ??= this.#askHouse(address);
    return this.#house;
  }

  async #askHouse(address: Address): Promise<boolean> {
    const path = pathOf(address);
    const reply = await this.#requests.ask(`${path}${path.includes('?') ? '&' : '?'}${LOCK_PARAMETER}=`);
    return isLockAnswer(reply.status, reply.body);
  }

  /** The address at which a Statehouse server keeps the state; null where it is none. */
  #addressOf(workspace: string): Address | null {
    const key = readKey(this.#pathOf(workspace));
    return key.kind === 'state' ? key.address : null;
  }

  #pathOf(workspace: string): string {
    const { path } = this.#config;
    return workspace === DEFAULT_WORKSPACE ? path : `${path}${WORKSPACE_MARK}${workspace}`;
  }
}

/** What terraform writes there, and the ID that the lock was asked for with. */
function infoOf(session: string, asked: string): string {
  return `consul session: ${session}, asked with ${asked}`;
}

/** The ID that a holder asked with; the lock's own where nothing tells. */
function askedWith({ id, info }: LockInfo): string {
  const asked = info.startsWith(infoOf(id, '')) ? info.slice(infoOf(id, '').length) : '';
  return asked === '' ? id : asked;
}
