import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import { formatLockInfo, GO_ZERO_TIME, type LockInfo } from '../../../core/lock-info.ts';
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
import { COMMON_TRAITS } from '../../../ports/state-client.ts';
import { textOf } from '../../wire/json-value.ts';
import { API_PREFIX, readWorkspaceId } from '../layout.ts';
import type { HcpConfig } from './config.ts';
import { examineHcp } from './examine.ts';
import { errorsIn, HcpRequests, refusal, type HcpReply } from './request.ts';
import { States } from './states.ts';
import { Workspaces, type FoundLock, type FoundWorkspace } from './workspaces.ts';

/** A server that does not hold the request open answers within that. */
const GRACE_MS = 30_000;
/** How long one who gives up waits for the server to have heard it. */
const LEAVE_MS_MAX = 2_000;
/** How long a release waits for a state that the service still works on. */
const PENDING_MS_MAX = 60_000;
const PENDING_LOOK_MS = 1_000;

/** States of workspaces at HCP Terraform, Terraform Enterprise, or a Statehouse server, under the lock that terraform takes there. */
export class HcpStateClient implements StateClient {
  readonly backend: string;
  readonly traits: ClientTraits;
  readonly history: StateHistory;
  readonly #config: HcpConfig;
  readonly #requests: HcpRequests;
  readonly #workspaces: Workspaces;
  readonly #states: States;

  constructor(config: HcpConfig) {
    this.#config = config;
    this.#requests = new HcpRequests(config);
    this.#workspaces = new Workspaces(config, this.#requests);
    this.#states = new States(this.#requests);
    this.backend = config.block;
    const isOne = config.workspaces.by === 'name';
    this.traits = {
      ...COMMON_TRAITS,
      workspaces: isOne ? 'default-only' : 'listed',
      hasDefault: isOne,
      locks: 'stored',
      parks: true,
      reconfigures: config.block !== 'cloud',
    };
    this.history = {
      list: (workspace, limit) => this.#versions(workspace, limit),
      read: async (workspace, id) => {
        const found = await this.#workspaces.find(workspace);
        return found === null ? null : this.#states.readVersion(found, id);
      },
    };
  }

  locate(workspace: string): string {
    const { block, hostname, organization, workspaces } = this.#config;
    const isNone = workspace === DEFAULT_WORKSPACE && workspaces.by !== 'name';
    return `${block}://${hostname}/${organization}/${isNone ? '' : this.#workspaces.nameOf(workspace)}`;
  }

  selected(workspace: string): string {
    const { workspaces } = this.#config;
    return workspaces.by === 'name' && workspace === workspaces.name ? DEFAULT_WORKSPACE : workspace;
  }

  workspaces(): Promise<readonly string[]> {
    return this.#workspaces.list();
  }

  async createWorkspace(workspace: string): Promise<void> {
    await this.#workspaces.ensure(workspace);
  }

  /** As terraform does it where the service lets no locked workspace go: the lock is released first. */
  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const found = await this.#workspaces.find(workspace);
    if (found === null) return;
    if (held !== null && !found.isHouse) await held.release();
    const reply = await this.#workspaces.delete(found);
    if (reply.status !== 204 && reply.status !== 200 && reply.status !== 404)
      throw refusal(reply, `delete the workspace ${this.#workspaces.nameOf(workspace)}`);
    if (held !== null && found.isHouse) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const found = await this.#workspaces.find(workspace);
    return found === null ? null : this.#states.read(found);
  }

  async write(workspace: string, bytes: Uint8Array, held: HeldLock | null): Promise<void> {
    const found = await this.#workspaces.ensure(workspace);
    await this.#states.write(found, bytes, { lockId: held?.id ?? null });
  }

  /** The lock info travels as the reason, which the service shows; a Statehouse server takes its ID for that of the lock. */
  async lock(workspace: string, request: LockRequest, wait: LockWait): Promise<LockAttempt> {
    const found = await this.#workspaces.ensure(workspace);
    const info: LockInfo = { ...request, path: this.#shownId(workspace) };
    const reply = await this.#ask(found, info, wait);
    if (reply?.status === 200) return this.#locked(workspace, found, info);
    const { code, detail } = reply === null ? { code: '', detail: '' } : errorsIn(reply);
    const isHeld = reply === null || (reply.status === 409 && ['', 'held', 'not-holder'].includes(code));
    if (!isHeld) throw refusal(reply, 'lock the workspace');
    const now = await this.#workspaces.find(workspace);
    const holder = now?.lock == null ? null : this.#holderOf(workspace, now.lock);
    // A request that was sent again finds the lock that it made; and who knows the ID of a lock means that lock.
    if (now !== null && holder?.id === info.id && (reply !== null || (await this.#isGranted(now, info))))
      return this.#locked(workspace, now, holder);
    const why = now?.lock?.kind === 'runs' ? `the run ${now.lock.user} has the workspace` : detail;
    return { type: 'held', holder, message: why === '' ? 'the workspace is locked' : why };
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const found = await this.#workspaces.find(workspace);
    if (found?.lock == null) return { type: 'free' };
    const { kind, user, info } = found.lock;
    const note = kind === 'runs' ? `held by the run ${user}` : info === null ? found.lock.reason : '';
    return { type: 'held', holder: this.#holderOf(workspace, found.lock), waiting: null, note };
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const found = await this.#workspaces.find(workspace);
    if (found?.lock == null) return { type: 'not-locked' };
    const holder = this.#holderOf(workspace, found.lock);
    if (holder.id !== lockId) return { type: 'other-id', holder };
    const reply = await this.#act(found, 'force-unlock', found.isHouse ? { 'lock-id': lockId } : null);
    if (reply.status === 200) return { type: 'broken' };
    const words = `${errorsIn(reply).title} ${errorsIn(reply).detail}`;
    if (reply.status === 409) {
      return /locked by run/i.test(words)
        ? { type: 'impossible', message: `a run has the workspace: cancel or discard ${found.lock.user}` }
        : { type: 'not-locked' };
    }
    throw refusal(reply, 'break the lock');
  }

  async keepsOut(workspace: string): Promise<string | null> {
    const found = await this.#workspaces.find(workspace);
    const mode = found === null ? null : textOf(found.attributes, 'execution-mode');
    if (mode === null || mode === 'local') return null;
    return 'its runs are executed by the server, and wait there until the lock is released';
  }

  async server(workspace: string): Promise<ServedState | null> {
    const found = await this.#workspaces.find(workspace);
    const address = found?.isHouse === true ? readWorkspaceId(found.id) : null;
    if (address === null) return null;
    const { token, ca } = this.#config;
    const [, id, secret] = /^([^.]+)\.(.+)$/s.exec(token ?? '') ?? [];
    const { href } = await this.#requests.api();
    return {
      url: href.endsWith(API_PREFIX) ? href.slice(0, -API_PREFIX.length) : new URL(href).origin,
      address,
      credential: id === undefined || secret === undefined ? null : { id, secret },
      ca,
      insecure: false,
    };
  }

  async examine(): Promise<readonly Finding[]> {
    const names = await this.workspaces();
    return examineHcp(this.#config, await this.#requests.api(), this.#workspaces, names);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** @returns null where a server that holds the request open did not grant it in time */
  async #ask(
    found: FoundWorkspace,
    info: LockInfo,
    { milliseconds, signal }: LockWait,
  ): Promise<HcpReply | null> {
    const reason = { reason: formatLockInfo(info) };
    // Another service grants the lock to a request that was given up, too.
    if (!found.isHouse) return this.#act(found, 'lock', reason);
    const over = AbortSignal.timeout(Math.ceil(milliseconds === 0 ? GRACE_MS : milliseconds));
    const stop = signal === null ? over : AbortSignal.any([signal, over]);
    try {
      return await this.#act(found, 'lock', reason, stop);
    } catch (fault) {
      if (signal?.aborted === true) {
        // It may have been granted at that very moment.
        const limit = AbortSignal.timeout(LEAVE_MS_MAX);
        await this.#act(found, 'unlock', { 'lock-id': info.id }, limit).catch(() => undefined);
      }
      if (!over.aborted || signal?.aborted === true) throw fault;
      return null;
    }
  }

  /** Whether a lock is ours that was granted when we gave up: the server takes back what it could not tell us. */
  async #isGranted(found: FoundWorkspace, info: LockInfo): Promise<boolean> {
    const limit = AbortSignal.timeout(GRACE_MS);
    return (await this.#act(found, 'lock', { reason: formatLockInfo(info) }, limit)).status === 200;
  }

  #act(
    { id }: FoundWorkspace,
    action: 'lock' | 'unlock' | 'force-unlock',
    attributes: Readonly<Record<string, string>> | null,
    signal: AbortSignal | null = null,
  ): Promise<HcpReply> {
    const document =
      attributes === null ? {} : { document: JSON.stringify({ data: { type: '', attributes } }) };
    return this.#requests.send({
      method: 'POST',
      path: `workspaces/${id}/actions/${action}`,
      ...document,
      signal,
    });
  }

  #locked(workspace: string, found: FoundWorkspace, info: LockInfo): LockAttempt {
    const release = (): Promise<LockRelease> => this.#release(workspace, found, info.id);
    const lost = new AbortController().signal;
    return { type: 'locked', lock: { workspace, id: info.id, info, lost, release } };
  }

  async #release(workspace: string, found: FoundWorkspace, id: string): Promise<LockRelease> {
    const since = performance.now();
    for (;;) {
      const reply = await this.#act(found, 'unlock', found.isHouse ? { 'lock-id': id } : null);
      if (reply.status === 200) return { type: 'released' };
      const isPending = reply.status === 422 && performance.now() - since < PENDING_MS_MAX;
      if (isPending) {
        await sleep(PENDING_LOOK_MS);
        continue;
      }
      if (![403, 404, 409].includes(reply.status)) throw refusal(reply, 'unlock the workspace');
      // Our first release may have come although its answer did not.
      if (reply.resent) return { type: 'released' };
      const now = await this.#workspaces.find(workspace);
      if (now?.lock == null) return { type: 'lost', message: 'the workspace was unlocked already' };
      const holder = this.#holderOf(workspace, now.lock);
      if (holder.id === id) throw refusal(reply, 'unlock the workspace');
      return { type: 'lost', message: `the lock is now of ${holder.who}` };
    }
  }

  /** Who holds a lock; where nothing tells the ID, that is what terraform calls it: organization and workspace. */
  #holderOf(workspace: string, { info, user }: FoundLock): LockInfo {
    const id = this.#shownId(workspace);
    return info ?? { id, operation: '', info: '', who: user, version: '', created: GO_ZERO_TIME, path: id };
  }

  #shownId(workspace: string): string {
    return `${this.#config.organization}/${this.#workspaces.nameOf(workspace)}`;
  }

  async #versions(workspace: string, limit: number): ReturnType<StateHistory['list']> {
    if ((await this.#workspaces.find(workspace)) === null) return [];
    return this.#states.versions(this.#config.organization, this.#workspaces.nameOf(workspace), limit);
  }
}
