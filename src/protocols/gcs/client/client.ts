import { DEFAULT_WORKSPACE, isAddress, makeAddress, type Address } from '../../../core/address.ts';
import { agentWithLock } from '../../../core/lent-lock.ts';
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
  StateHistory,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import { emptyState } from '../../empty-state.ts';
import { pathOf } from '../../http/layout.ts';
import type { GcsConfig } from './config.ts';
import { examineGcs } from './examine.ts';
import { refusal } from './faults.ts';
import { lockName, stateName } from './names.ts';
import { GcsObjects, md5Of } from './objects.ts';

/** A lock object as it is now. */
interface LockThere {
  /** Which is the lock's ID. */
  readonly generation: string;
  /** null where it is no lock info. */
  readonly info: LockInfo | null;
  readonly problem: string;
  readonly bytes: Uint8Array;
}

/** How often a lock is looked at that vanishes, or changes hands, while it is looked at. */
const LOOKS_MAX = 3;

/** States in Google Cloud Storage, under terraform's lock objects, whose generation is the lock's ID. */
export class GcsStateClient implements StateClient {
  readonly backend = 'gcs';
  readonly traits: ClientTraits = {
    ...COMMON_TRAITS,
    workspaces: 'listed',
    locks: 'stored',
    ifLockFails:
      'The store ignores "ifGenerationMatch", so its lock objects lock nothing: use Google Cloud Storage itself, or a Statehouse.',
  };
  readonly endpoint: string;
  readonly history: StateHistory;
  readonly #config: GcsConfig;
  readonly #objects: GcsObjects;
  /** The IDs that our locks were asked for with, by the generations that they were given. */
  readonly #askedWith = new Map<string, string>();
  #house: Promise<boolean> | null = null;

  constructor(config: GcsConfig) {
    this.#config = config;
    this.endpoint = config.isCustom ? config.endpoint.href : '';
    this.#objects = new GcsObjects(config);
    this.history = {
      list: (workspace, limit) => this.#objects.versions(workspace, limit),
      read: async (workspace, id) => {
        if (!/^\d{1,20}$/.test(id)) return null;
        return (await this.#objects.get(stateName(config.place, workspace), id))?.bytes ?? null;
      },
    };
  }

  locate(workspace: string): string {
    return this.#url(stateName(this.#config.place, workspace));
  }

  async workspaces(): Promise<readonly string[]> {
    return [DEFAULT_WORKSPACE, ...(await this.#objects.workspaces())];
  }

  async createWorkspace(workspace: string, by: LockRequest): Promise<void> {
    const attempt = await this.lock(workspace, by, { milliseconds: 0, signal: null });
    if (attempt.type === 'held') throw new BackendFault('refused', `${workspace}: ${attempt.message}`);
    try {
      if ((await this.read(workspace)) === null) await this.write(workspace, emptyState(by.id));
    } finally {
      if (attempt.type === 'locked') await attempt.lock.release();
    }
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const name = stateName(this.#config.place, workspace);
    const there = await this.#objects.describe(name);
    if (there !== null && (await this.#objects.delete(name, there.generation)) === 'other')
      throw new BackendFault('refused', `${this.locate(workspace)} was written meanwhile`);
    if (held !== null) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const found = await this.#objects.get(stateName(this.#config.place, workspace));
    return found === null || found.bytes.length === 0 ? null : found.bytes;
  }

  /** Writes over the generation that is there now, so that a request that is sent again writes only once. */
  async write(workspace: string, bytes: Uint8Array): Promise<void> {
    const name = stateName(this.#config.place, workspace);
    const before = await this.#objects.describe(name);
    const put = await this.#objects.put(name, bytes, before?.generation ?? '0');
    if (put.generation !== null) return;
    const now = put.reply.resent ? await this.#objects.describe(name) : null;
    if (now !== null && now.generation !== before?.generation && now.md5 === md5Of(bytes)) return;
    throw refusal(put.reply, `write ${this.locate(workspace)}`, this.#config);
  }

  async lock(workspace: string, request: LockRequest, { signal }: LockWait): Promise<LockAttempt> {
    const name = lockName(this.#config.place, workspace);
    // Who knows a generation means a lock that is held.
    if (/^\d+$/.test(request.id)) return this.#adopt(workspace, request.id);
    const info: LockInfo = { ...request, path: this.#url(name) };
    try {
      const put = await this.#objects.put(name, Buffer.from(formatLockInfo(info)), '0', {
        signal,
        cuts: signal !== null && (await this.#isHouse(workspace)),
      });
      if (put.generation !== null)
        return { type: 'locked', lock: this.#held(workspace, info, put.generation) };
    } catch (fault) {
      // The request may have done its work although its answer never came.
      await this.#dropOwn(name, info.id).catch(() => undefined);
      throw fault;
    }
    const there = await this.#look(name);
    // A repeat of our own request, whose first answer was lost, finds the lock that it made.
    if (there?.info?.id === info.id)
      return { type: 'locked', lock: this.#held(workspace, info, there.generation) };
    return { type: 'held', holder: holderOf(there), message: 'the lock object exists already' };
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const there = await this.#look(lockName(this.#config.place, workspace));
    if (there === null) return { type: 'free' };
    const { generation, info, problem } = there;
    if (info === null) {
      const message = `the lock object cannot be read: ${problem}. Its generation is ${generation}, which is the ID that removes it.`;
      return { type: 'unreadable', message };
    }
    return { type: 'held', holder: holderOf(there), askedWith: info.id, waiting: null, note: '' };
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const name = lockName(this.#config.place, workspace);
    for (let looks = 1; ; looks += 1) {
      const there = await this.#look(name);
      if (there === null) return { type: 'not-locked' };
      // Some stores do not heed the condition of a deletion, so the generation is compared here as well.
      if (there.generation !== lockId) return { type: 'other-id', holder: holderOf(there) };
      const answer = await this.#objects.delete(name, lockId);
      if (answer === 'deleted') return { type: 'broken' };
      if (answer === 'absent') return { type: 'not-locked' };
      if (looks === LOOKS_MAX) return { type: 'other-id', holder: null };
    }
  }

  /** Any store takes a user agent; a Statehouse server reads it, and knows the lock by the ID that it was asked for with. */
  lend(): Promise<(lockId: string) => Readonly<Record<string, string>>> {
    const { userAgent } = this.#config;
    return Promise.resolve((lockId) => ({
      TF_APPEND_USER_AGENT: agentWithLock(userAgent, this.#askedWith.get(lockId) ?? lockId),
    }));
  }

  async server(workspace: string): Promise<ServedState | null> {
    const { endpoint, isCustom, ca, login } = this.#config;
    const address = this.#addressOf(workspace);
    if (!isCustom || address === null) return null;
    const served = { url: endpoint.origin, address, ca, insecure: false };
    const dot = login.type === 'token' ? login.token.indexOf('.') : -1;
    // What is no token of a Statehouse is not sent to its API.
    if (login.type !== 'token' || dot === -1 || !(await this.#isHouse(workspace)))
      return { ...served, credential: null };
    return { ...served, credential: { id: login.token.slice(0, dot), secret: login.token.slice(dot + 1) } };
  }

  examine(): Promise<readonly Finding[]> {
    return examineGcs(this.#config, this.#objects);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Goes on under a lock of one's own: the server grants it again to its holder, or cannot tell who that is. */
  async #adopt(workspace: string, generation: string): Promise<LockAttempt> {
    const name = lockName(this.#config.place, workspace);
    const there = await this.#look(name);
    const held = { type: 'held', holder: holderOf(there) } as const;
    if (there?.generation !== generation || there.info === null)
      return { ...held, message: `there is no lock of the generation ${generation}` };
    const put = await this.#objects.put(name, there.bytes, '0');
    if (put.generation === null && (await this.#isHouse(workspace)))
      return { ...held, message: 'the lock is held by someone else' };
    return { type: 'locked', lock: this.#held(workspace, there.info, put.generation ?? generation) };
  }

  #isHouse(workspace: string): Promise<boolean> {
    const address = this.#addressOf(workspace);
    if (!this.#config.isCustom || address === null) return Promise.resolve(false);
    this.#house ??= this.#objects.isHouse(pathOf(address));
    return this.#house;
  }

  /** The address at which a Statehouse server keeps the state; null where it is none. */
  #addressOf(workspace: string): Address | null {
    const { bucket, prefix } = this.#config.place;
    const address = makeAddress(bucket, prefix.slice(0, -1), workspace);
    return isAddress(address) ? address : null;
  }

  #held(workspace: string, asked: LockInfo, generation: string): HeldLock {
    this.#askedWith.set(generation, asked.id);
    return {
      workspace,
      id: generation,
      info: { ...asked, id: generation },
      lost: new AbortController().signal,
      release: () => this.#release(workspace, generation),
    };
  }

  async #release(workspace: string, generation: string): Promise<LockRelease> {
    const name = lockName(this.#config.place, workspace);
    const there = await this.#look(name);
    const isOurs = there?.generation === generation;
    const answer = isOurs ? await this.#objects.delete(name, generation) : 'other';
    this.#askedWith.delete(generation);
    if (answer === 'deleted') return { type: 'released' };
    const now = isOurs ? await this.#look(name) : there;
    const message =
      now === null
        ? 'the lock object was gone'
        : `the lock object is now of ${now.info?.who ?? 'someone else'}`;
    return { type: 'lost', message };
  }

  /** Takes a lock away that was asked for with this ID, if it is there. */
  async #dropOwn(name: string, id: string): Promise<void> {
    const there = await this.#look(name);
    if (there?.info?.id === id) await this.#objects.delete(name, there.generation);
  }

  async #look(name: string): Promise<LockThere | null> {
    const found = await this.#objects.get(name);
    if (found === null) return null;
    // Not every store says the generation beside the bytes.
    const generation =
      found.generation === '' ? (await this.#objects.describe(name))?.generation : found.generation;
    if (generation === undefined) return null;
    const parsed = parseLockInfo(found.bytes);
    const { bytes } = found;
    return 'problem' in parsed
      ? { generation, info: null, problem: parsed.problem, bytes }
      : { generation, info: parsed.info, problem: '', bytes };
  }

  #url(name: string): string {
    return `gs://${this.#config.place.bucket}/${name}`;
  }
}

/** Terraform shows the generation as the lock's ID, too. */
function holderOf(there: LockThere | null): LockInfo | null {
  return there === null || there.info === null ? null : { ...there.info, id: there.generation };
}
