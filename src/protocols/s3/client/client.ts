import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_WORKSPACE, S3_WORKSPACE_PREFIX, isAddress, makeAddress } from '../../../core/address.ts';
import { agentWithLock, applicationWithLock } from '../../../core/lent-lock.ts';
import type { LockInfo } from '../../../core/lock-info.ts';
import type {
  ClientTraits,
  Finding,
  HeldLock,
  LockAttempt,
  LockBreak,
  LockRequest,
  LockState,
  ServedState,
  StateClient,
  StateHistory,
} from '../../../ports/state-client.ts';
import { BackendFault, COMMON_TRAITS } from '../../../ports/state-client.ts';
import { emptyState } from '../../empty-state.ts';
import type { S3Config } from './config.ts';
import { examineS3 } from './examine.ts';
import { LockItems } from './items.ts';
import { S3Locks } from './locks.ts';
import { DIGEST } from '../../dynamodb/layout.ts';
import { stateKey } from '../layout.ts';
import { digestPath, lockPath } from './names.ts';
import { S3Objects } from './objects.ts';

/** Terraform's patience with a state that does not match its digest yet: 2 s between reads, 10 s in all. */
const DIGEST_PAUSE_MS = 2_000;
const DIGEST_READS_MAX = 6;

/** States in S3, under a lock object, a DynamoDB item, or both. */
export class S3StateClient implements StateClient {
  readonly backend = 's3';
  readonly traits: ClientTraits;
  readonly endpoint: string;
  readonly history: StateHistory;
  readonly #config: S3Config;
  readonly #objects: S3Objects;
  readonly #items: LockItems | null;
  readonly #locks: S3Locks;

  constructor(config: S3Config) {
    this.#config = config;
    // A profile may name an endpoint of its own.
    const { profile } = config.credentials;
    this.endpoint = config.endpoints.s3 ?? (profile === null ? '' : `profile ${profile}`);
    this.#objects = new S3Objects(config);
    this.#items = config.table === null ? null : new LockItems(config, config.table);
    this.#locks = new S3Locks(config.place, config.useLockfile ? this.#objects : null, this.#items);
    this.traits = {
      ...COMMON_TRAITS,
      workspaces: 'listed',
      locks: this.#locks.any ? 'stored' : 'none',
      ifLockFails:
        'The store ignores "If-None-Match", so its lock objects lock nothing: use a dynamodb_table, another store, or a Statehouse.',
    };
    this.history = {
      list: (workspace, limit) => this.#objects.versions(workspace, limit),
      read: (workspace, id) => this.#objects.get(stateKey(config.place, workspace), id),
    };
  }

  locate(workspace: string): string {
    return `s3://${this.#config.place.bucket}/${stateKey(this.#config.place, workspace)}`;
  }

  async workspaces(): Promise<readonly string[]> {
    try {
      return [DEFAULT_WORKSPACE, ...(await this.#objects.workspaces())];
    } catch (fault) {
      // Terraform, too, takes a bucket that may not be listed for one that has no workspaces.
      const tolerated = this.#config.place.workspacePrefix === S3_WORKSPACE_PREFIX;
      if (tolerated && fault instanceof BackendFault && fault.message.includes('AccessDenied')) {
        return [DEFAULT_WORKSPACE];
      }
      throw fault;
    }
  }

  async createWorkspace(workspace: string, by: LockRequest): Promise<void> {
    const attempt = await this.lock(workspace, by);
    if (attempt.type === 'held') throw new BackendFault('refused', `${workspace}: ${attempt.message}`);
    try {
      if ((await this.read(workspace)) === null) await this.write(workspace, emptyState(by.id));
    } finally {
      if (attempt.type === 'locked') await attempt.lock.release();
    }
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    await this.#objects.delete(stateKey(this.#config.place, workspace));
    await this.#items?.delete(digestPath(this.#config.place, workspace));
    if (held !== null) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const { place } = this.#config;
    for (let reads = 1; ; reads += 1) {
      const bytes = await this.#objects.get(stateKey(place, workspace));
      const digest = await this.#items?.get(digestPath(place, workspace), DIGEST);
      const actual = bytes === null ? '' : md5(bytes);
      const known = typeof digest === 'string' && /^[0-9a-f]{32}$/i.test(digest);
      if (!known || digest.toLowerCase() === actual)
        return bytes === null || bytes.length === 0 ? null : bytes;
      if (reads === DIGEST_READS_MAX) throw this.#mismatch(workspace, digest, actual);
      await sleep(DIGEST_PAUSE_MS);
    }
  }

  async write(workspace: string, bytes: Uint8Array): Promise<void> {
    await this.#objects.put(stateKey(this.#config.place, workspace), bytes);
    await this.#items?.putDigest(digestPath(this.#config.place, workspace), md5(bytes));
  }

  async lock(workspace: string, request: LockRequest): Promise<LockAttempt> {
    if (!this.#locks.any) return noLocks();
    const info: LockInfo = { ...request, path: lockPath(this.#config.place, workspace) };
    const refused = await this.#locks.take(workspace, info);
    if (refused !== null) {
      return { type: 'held', holder: refused.holder, message: `the ${refused.place} exists already` };
    }
    const lock: HeldLock = {
      workspace,
      id: info.id,
      info,
      lost: new AbortController().signal,
      release: () => this.#locks.release(workspace, info),
    };
    return { type: 'locked', lock };
  }

  inspectLock(workspace: string): Promise<LockState> {
    return this.#locks.any ? this.#locks.inspect(workspace) : Promise.resolve(noLocks());
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    if (!this.#locks.any) return { type: 'impossible', message: noLocks().message };
    return this.#locks.break(workspace, lockId);
  }

  /** Any store takes a user agent; a Statehouse server reads it. */
  lend(): Promise<(lockId: string) => Readonly<Record<string, string>>> {
    const { userAgent } = this.#config;
    return Promise.resolve((lockId) => ({
      TF_APPEND_USER_AGENT: agentWithLock(userAgent, lockId),
      AWS_SDK_UA_APP_ID: applicationWithLock(lockId),
    }));
  }

  server(workspace: string): Promise<ServedState | null> {
    const { place, endpoints, insecure } = this.#config;
    const address = makeAddress(place.bucket, place.key, workspace);
    const known = endpoints.s3 !== null && URL.canParse(endpoints.s3) && isAddress(address);
    if (!known || place.workspacePrefix !== S3_WORKSPACE_PREFIX) return Promise.resolve(null);
    // A signature proves the secret without sending it.
    const { origin } = new URL(endpoints.s3);
    return Promise.resolve({ url: origin, address, credential: null, ca: null, insecure });
  }

  examine(): Promise<readonly Finding[]> {
    return examineS3(this, this.#config, this.#objects, this.#items);
  }

  async close(): Promise<void> {
    await this.#objects.close();
    await this.#items?.close();
  }

  #mismatch(workspace: string, stored: string, actual: string): BackendFault {
    return new BackendFault(
      'corrupt',
      `the state at ${this.locate(workspace)} does not match the digest in the lock table (stored ${stored}, calculated ${actual === '' ? 'nothing: there is no object' : actual})`,
      `If the object is the one you want, set the Digest of item ${digestPath(this.#config.place, workspace)} to the calculated value, or delete the item.`,
    );
  }
}

function noLocks(): { readonly type: 'unsupported'; readonly message: string } {
  return {
    type: 'unsupported',
    message: 'the s3 backend has neither use_lockfile nor dynamodb_table: nothing is locked',
  };
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
