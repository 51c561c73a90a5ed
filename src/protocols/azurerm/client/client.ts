import { DEFAULT_WORKSPACE, isAddress, makeAddress, S3_WORKSPACE_PREFIX } from '../../../core/address.ts';
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
  StateVersion,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import { emptyState } from '../../empty-state.ts';
import { LOCK_INFO_METADATA } from '../layout.ts';
import { Blobs, md5Of, type BlobFacts } from './blobs.ts';
import type { AzurermConfig } from './config.ts';
import { examineAzurerm } from './examine.ts';
import { refusal } from './request.ts';

const LEASE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** How Azure names snapshots and versions. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z$/;
/** How often a lock is asked for whose blob vanishes meanwhile. */
const MAKES_MAX = 3;

/** States as blobs in Azure, under terraform's leases, whose ID is the lock's ID. */
export class AzurermStateClient implements StateClient {
  readonly backend = 'azurerm';
  readonly traits: ClientTraits = {
    ...COMMON_TRAITS,
    workspaces: 'listed',
    locks: 'stored',
    ifLockFails: 'The service does not keep leases as Azure does: use Azure itself.',
  };
  readonly history: StateHistory;
  readonly #config: AzurermConfig;
  readonly #blobs: Blobs;

  constructor(config: AzurermConfig) {
    this.#config = config;
    this.#blobs = new Blobs(config);
    this.history = {
      list: (workspace, limit) => this.#versions(workspace, limit),
      read: (workspace, id) => this.#version(workspace, id),
    };
  }

  locate(workspace: string): string {
    const { account, container } = this.#config;
    return `azure://${account}/${container}/${this.#nameOf(workspace)}`;
  }

  /** The same account may be in two clouds. */
  get endpoint(): string {
    const { cloud } = this.#config;
    return 'name' in cloud ? cloud.name : cloud.metadataHost;
  }

  async workspaces(): Promise<readonly string[]> {
    const prefix = workspacePrefix(this.#config.key);
    const found = new Set<string>();
    for await (const { name } of this.#blobs.list(prefix, [])) {
      const workspace = name.slice(prefix.length);
      if (workspace !== '' && !workspace.includes('/')) found.add(workspace);
    }
    return [DEFAULT_WORKSPACE, ...[...found].sort()];
  }

  async createWorkspace(workspace: string, by: LockRequest): Promise<void> {
    const attempt = await this.lock(workspace, by, { milliseconds: 0, signal: null });
    if (attempt.type !== 'locked') throw new BackendFault('refused', `${workspace}: ${attempt.message}`);
    try {
      if ((await this.read(workspace)) === null) await this.write(workspace, emptyState(by.id), attempt.lock);
    } finally {
      await attempt.lock.release();
    }
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const refused = await this.#blobs.delete(this.#nameOf(workspace), { lease: held?.id ?? null });
    if (refused !== null) throw refusal(refused, `delete ${this.locate(workspace)}`, this.#config);
    // In Azure the lease has gone with its blob; a Statehouse server keeps the lock.
    if (held !== null) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const bytes = await this.#blobs.get(this.#nameOf(workspace));
    return bytes === null || bytes.length === 0 ? null : bytes;
  }

  /** Writes over what is there now, so that a request that is sent again writes only once. */
  async write(workspace: string, bytes: Uint8Array, held: HeldLock | null): Promise<void> {
    const name = this.#nameOf(workspace);
    const lease = held?.id ?? null;
    if (this.#config.snapshot && (await this.#blobs.describe(name)) !== null)
      await this.#blobs.snapshot(name, lease);
    const before = await this.#blobs.describe(name);
    // What is empty is the lock's alone, which keeps others out.
    const isLock = before !== null && before.empty && lease !== null;
    const terms = isLock ? { lease } : { lease, etag: before?.etag ?? null };
    const refused = await this.#blobs.put(name, bytes, before?.metadata ?? new Map(), terms);
    if (refused === null) return;
    const now = refused.resent ? await this.#blobs.describe(name) : null;
    if (now !== null && now.etag !== before?.etag && now.md5 === md5Of(bytes)) return;
    throw refusal(refused, `write ${this.locate(workspace)}`, this.#config);
  }

  async lock(workspace: string, request: LockRequest, { signal }: LockWait): Promise<LockAttempt> {
    const name = this.#nameOf(workspace);
    const { id } = request;
    if (!LEASE_ID.test(id)) throw new BackendFault('configuration', `${id} is not the ID of a lease: a UUID`);
    const info: LockInfo = { ...request, path: `${this.#config.container}/${name}` };
    try {
      for (let makes = 1; ; makes += 1) {
        const answer = await this.#blobs.acquire(name, id, signal);
        if (answer === 'acquired') break;
        if (answer === 'leased') return await this.#refused(name);
        if (makes > MAKES_MAX) throw new BackendFault('other', `${this.locate(workspace)} comes and goes`);
        await this.#blobs.put(name, new Uint8Array(), new Map(), { lease: null, etag: null });
      }
      const there = await this.#blobs.describe(name);
      const metadata = new Map(there?.metadata).set(
        LOCK_INFO_METADATA,
        Buffer.from(formatLockInfo(info)).toString('base64'),
      );
      if (!(await this.#blobs.setMetadata(name, metadata, id))) return await this.#refused(name);
      return { type: 'locked', lock: this.#held(workspace, info) };
    } catch (fault) {
      // A lease that says of no one who holds it cannot be broken by terraform: it must not stay.
      await this.#blobs.release(name, id).catch(() => undefined);
      throw fault;
    }
  }

  async inspectLock(workspace: string): Promise<LockState> {
    const there = await this.#blobs.describe(this.#nameOf(workspace));
    if (there === null || !there.leased) return { type: 'free' };
    const holder = holderOf(there);
    if (holder !== null) return { type: 'held', holder, waiting: null, note: '' };
    const message = `the blob is leased, and nothing tells by whom: terraform cannot unlock it. "statehouse force-unlock ${plainEtag(there)}" breaks the lease.`;
    return { type: 'unreadable', message };
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const name = this.#nameOf(workspace);
    const there = await this.#blobs.describe(name);
    if (there === null || !there.leased) return { type: 'not-locked' };
    const holder = holderOf(there);
    if (holder === null) {
      const isMeant = plainEtag(there) === lockId && (await this.#blobs.break(name, there.etag));
      return isMeant ? { type: 'broken' } : { type: 'other-id', holder: null };
    }
    if (holder.id !== lockId) return { type: 'other-id', holder };
    return (await this.#end(name, there, lockId)) ? { type: 'broken' } : { type: 'other-id', holder };
  }

  /** A Statehouse server lets in what its credential writes. */
  async keepsOut(): Promise<string | null> {
    const why = 'Azure refuses every write that does not name the lease, which terraform then does not know';
    return (await this.#blobs.house()) === null ? why : null;
  }

  async server(workspace: string): Promise<ServedState | null> {
    const { container, key, ca, identity } = this.#config;
    const url = await this.#blobs.house();
    const address = makeAddress(container, key, workspace);
    if (url === null || !isAddress(address)) return null;
    const { client: id, secret } = identity;
    // A key of an account never travels, and a client's secret does.
    const credential = id === null || secret === null ? null : { id, secret };
    return { url, address, ca, insecure: false, credential };
  }

  async examine(): Promise<readonly Finding[]> {
    const names = (await this.workspaces()).map((workspace) => this.#nameOf(workspace));
    return examineAzurerm(this.#config, this.#blobs, names);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #held(workspace: string, info: LockInfo): HeldLock {
    return {
      workspace,
      id: info.id,
      info,
      lost: new AbortController().signal,
      release: () => this.#release(workspace, info.id),
    };
  }

  async #release(workspace: string, id: string): Promise<LockRelease> {
    const name = this.#nameOf(workspace);
    const there = await this.#blobs.describe(name);
    if (there !== null && there.leased && (await this.#end(name, there, id))) return { type: 'released' };
    const now = there === null || !there.leased ? null : holderOf(there);
    const message = now === null ? 'the lease was gone' : `the lease is now of ${now.who}`;
    return { type: 'lost', message };
  }

  /** As terraform does it: first the lock info, then the lease. @returns whether the lease was of that ID */
  async #end(name: string, there: BlobFacts, id: string): Promise<boolean> {
    const metadata = new Map(there.metadata);
    metadata.delete(LOCK_INFO_METADATA);
    return (await this.#blobs.setMetadata(name, metadata, id)) && (await this.#blobs.release(name, id));
  }

  async #refused(name: string): Promise<LockAttempt> {
    const there = await this.#blobs.describe(name);
    const holder = there === null || !there.leased ? null : holderOf(there);
    return { type: 'held', holder, message: 'the state blob is leased already' };
  }

  /** Snapshots, and what the account keeps of versions; an emulator may know of snapshots alone. */
  async #versions(workspace: string, limit: number): Promise<readonly StateVersion[]> {
    const name = this.#nameOf(workspace);
    const all = await this.#listed(name, ['snapshots', 'versions']).catch((fault: unknown) => {
      if (fault instanceof BackendFault && fault.kind === 'other') return this.#listed(name, ['snapshots']);
      throw fault;
    });
    return all.sort((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1)).slice(0, limit);
  }

  async #listed(name: string, include: readonly string[]): Promise<StateVersion[]> {
    const found: StateVersion[] = [];
    for await (const blob of this.#blobs.list(name, include)) {
      if (blob.name !== name) continue;
      const id = blob.snapshot ?? blob.version ?? CURRENT;
      // A snapshot's time is its name: it was modified when the state before it was written.
      const at = id === CURRENT ? blob.modified : new Date(id);
      found.push({ id, at, size: blob.size, deleted: false });
    }
    return found;
  }

  async #version(workspace: string, id: string): Promise<Uint8Array | null> {
    const name = this.#nameOf(workspace);
    if (id === CURRENT) return this.read(workspace);
    if (!MOMENT.test(id)) return null;
    const found = await this.#listed(name, ['snapshots']);
    const isSnapshot = found.some((version) => version.id === id);
    return this.#blobs.get(name, isSnapshot ? { snapshot: id } : { versionid: id });
  }

  #nameOf(workspace: string): string {
    const { key } = this.#config;
    return workspace === DEFAULT_WORKSPACE ? key : workspacePrefix(key) + workspace;
  }
}

/** The ID of the version that is there now: it has a name of its own only where the account keeps versions. */
const CURRENT = 'current';

/** What the blobs' names begin with of all workspaces but the default one (terraform `backend_state.go`, `keyEnvPrefix`). */
function workspacePrefix(key: string): string {
  return key + S3_WORKSPACE_PREFIX;
}

/** Who holds a lease; null where nothing tells. */
function holderOf({ metadata }: BlobFacts): LockInfo | null {
  const parsed = parseLockInfo(Buffer.from(metadata.get(LOCK_INFO_METADATA) ?? '', 'base64'));
  return 'info' in parsed ? parsed.info : null;
}

function plainEtag({ etag }: BlobFacts): string {
  return etag.replaceAll('"', '');
}
