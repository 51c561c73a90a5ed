import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import { splitUser, userWithLock } from '../../../core/lent-lock.ts';
import type { LockInfo } from '../../../core/lock-info.ts';
import { GO_ZERO_TIME, formatLockInfo, parseLockInfo } from '../../../core/lock-info.ts';
import { operationInWords } from '../../../core/lock-words.ts';
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
import type { HttpConfig } from './config.ts';
import { WORKSPACE_PLACEHOLDER, addressFor, mayBeHouse } from './config.ts';
import { HouseApi } from './house.ts';
import type { Reply } from '../../exchange.ts';
import { send } from './request.ts';
import { LOCK_ID_PARAMETER, LOCK_PARAMETER, WAIT_PARAMETER } from '../layout.ts';

/** States behind `backend "http"`: a house, GitLab, or anything else that speaks it. */
export class HttpClient implements StateClient {
  readonly backend = 'http';
  /** A house's; any other server at such an address says that it has none. */
  readonly history: StateHistory | null;
  readonly #config: HttpConfig;
  readonly #api: HouseApi;
  #house: Promise<boolean> | null = null;

  constructor(config: HttpConfig) {
    this.#config = config;
    this.#api = new HouseApi(config);
    this.history = mayBeHouse(config.address)
      ? {
          list: (workspace, limit) => this.#api.versions(workspace, limit),
          read: (workspace, id) => this.#api.read(workspace, id),
        }
      : null;
  }

  get traits(): ClientTraits {
    const { address, lockAddress } = this.#config;
    const named = address.includes(WORKSPACE_PLACEHOLDER) || mayBeHouse(address);
    return {
      ...COMMON_TRAITS,
      workspaces: named ? 'named' : 'default-only',
      locks: lockAddress === null ? 'none' : 'stored',
      parks: mayBeHouse(address),
    };
  }

  locate(workspace: string): string {
    return withoutSecrets(this.#url(this.#config.address, workspace)).href;
  }

  variablesFor(workspace: string): Readonly<Record<string, string>> {
    const { address, lockAddress, unlockAddress } = this.#config;
    const places = { ADDRESS: address, LOCK_ADDRESS: lockAddress, UNLOCK_ADDRESS: unlockAddress };
    const set = Object.entries(places).map(([name, place]): readonly [string, string][] =>
      place === null ? [] : [[`TF_HTTP_${name}`, withoutSecrets(this.#url(place, workspace)).href]],
    );
    return Object.fromEntries(set.flat());
  }

  async workspaces(): Promise<readonly string[] | null> {
    if (this.traits.workspaces !== 'named') return [DEFAULT_WORKSPACE];
    if (!(await this.#isHouse(DEFAULT_WORKSPACE))) return null;
    const found = await this.#api.workspaces();
    return [DEFAULT_WORKSPACE, ...found.filter((name) => name !== DEFAULT_WORKSPACE)];
  }

  createWorkspace(workspace: string): Promise<void> {
    this.#url(this.#config.address, workspace);
    return Promise.resolve();
  }

  async deleteWorkspace(workspace: string, held: HeldLock | null): Promise<void> {
    const reply = await send(this.#config, { method: 'DELETE', url: this.#stateUrl(workspace, held) });
    if (reply.status === 404) return;
    if (reply.status !== 200 && reply.status !== 204) throw refusal(reply, 'delete the state');
    if (held !== null) await held.release();
  }

  async read(workspace: string): Promise<Uint8Array | null> {
    const reply = await send(this.#config, {
      method: 'GET',
      url: this.#url(this.#config.address, workspace),
    });
    if (reply.status === 404 || reply.status === 204) return null;
    if (reply.status !== 200) throw refusal(reply, 'read the state');
    return reply.body.length === 0 ? null : reply.body;
  }

  async write(workspace: string, bytes: Uint8Array, held: HeldLock | null): Promise<void> {
    const reply = await send(this.#config, {
      method: this.#config.updateMethod,
      url: this.#stateUrl(workspace, held),
      body: bytes,
    });
    if (![200, 201, 204].includes(reply.status)) throw refusal(reply, 'write the state');
  }

  async lock(workspace: string, request: LockRequest, wait: LockWait): Promise<LockAttempt> {
    const { lockAddress, lockMethod } = this.#config;
    if (lockAddress === null) return noLocks('lock_address');
    const url = this.#url(lockAddress, workspace);
    const parked = wait.milliseconds > 0 && (await this.#isHouse(workspace));
    // A house takes back a grant whose request was given up; with any other server the lock would stay.
    const signal = parked ? wait.signal : null;
    if (parked) {
      url.searchParams.set(WAIT_PARAMETER, `${Math.ceil(wait.milliseconds / 1_000)}s`);
    }
    const info: LockInfo = { ...request, path: '' };
    const reply = await send(this.#config, {
      method: lockMethod,
      url,
      body: Buffer.from(formatLockInfo(info)),
      signal,
    });
    // Nobody holds it, and no wait helps.
    const { error = '', message } = said(reply);
    if (['frozen', 'over-quota', 'unannounced'].includes(error)) throw new BackendFault('refused', message);
    if (reply.status === 409 || reply.status === 423) {
      const holder = holderOf(reply);
      // A request that was sent again, because its answer was lost, finds the lock that it made.
      if (holder?.id !== info.id) return this.#heldBy(workspace, info.id, holder);
    } else if (reply.status !== 200) throw refusal(reply, 'lock the state');
    const release = (): Promise<LockRelease> => this.#release(workspace, info);
    return {
      type: 'locked',
      lock: { workspace, id: info.id, info, lost: new AbortController().signal, release },
    };
  }

  async inspectLock(workspace: string): Promise<LockState> {
    if (this.#config.lockAddress === null) return noLocks('lock_address');
    const reply = await this.#askLock(workspace);
    if (reply === null) {
      return {
        type: 'unknown',
        message: 'an http backend shows the holder of a lock only when the lock is requested',
      };
    }
    if (reply.status === 404) return { type: 'free' };
    const holder = holderOf(reply);
    const lock = await this.#api.lock(workspace);
    return { type: 'held', holder, waiting: lock?.waiting ?? null, note: holder?.info ?? '' };
  }

  async breakLock(workspace: string, lockId: string): Promise<LockBreak> {
    const { unlockAddress, unlockMethod } = this.#config;
    if (unlockAddress === null)
      return { type: 'impossible', message: 'the configuration has no unlock_address' };
    // Terraform sends an empty body, which names no lock at all; this is OpenTofu's form.
    const empty = { operation: '', info: '', who: '', version: '', created: GO_ZERO_TIME, path: '' };
    const body = Buffer.from(formatLockInfo({ id: lockId, ...empty }));
    const reply = await send(this.#config, {
      method: unlockMethod,
      url: this.#url(unlockAddress, workspace),
      body,
    });
    if (reply.status === 200) return { type: 'broken' };
    if (reply.status !== 409 && reply.status !== 423) throw refusal(reply, 'unlock the state');
    if (said(reply).error === 'not-holder') {
      const now = await this.inspectLock(workspace);
      return { type: 'other-id', holder: now.type === 'held' ? now.holder : null };
    }
    const holder = holderOf(reply);
    return holder === null ? { type: 'not-locked' } : { type: 'other-id', holder };
  }

  async lend(): Promise<((lockId: string) => Readonly<Record<string, string>>) | null> {
    const { username, userFromEnvironment } = this.#config;
    if (username === null || !userFromEnvironment || !(await this.#isHouse(DEFAULT_WORKSPACE))) return null;
    return (lockId) => ({ TF_HTTP_USERNAME: userWithLock(username, lockId) });
  }

  async server(workspace: string): Promise<ServedState | null> {
    const { address, username, password, ca, certificate, skipVerification } = this.#config;
    // Who is known by a client certificate alone cannot ask the API.
    if (certificate !== null || !(await this.#isHouse(workspace))) return null;
    return {
      url: new URL(address).origin,
      address: this.#api.addressOf(workspace),
      credential: username === null ? null : { id: splitUser(username).id, secret: password },
      ca: ca === null ? null : { path: 'client_ca_certificate_pem', pem: ca },
      insecure: skipVerification,
    };
  }

  examine(): Promise<readonly Finding[]> {
    const { address, lockAddress, username, skipVerification } = this.#config;
    const plain = new URL(address).protocol === 'http:';
    const findings: (Finding | null)[] = [
      lockAddress === null
        ? {
            level: 'problem',
            topic: 'locking',
            message: 'lock_address is not set: two applies can run at the same time',
            next: 'Set lock_address and unlock_address in the backend block.',
          }
        : null,
      plain && !isLoopback(address)
        ? {
            level: 'warning',
            topic: 'encryption',
            message: 'states and credentials travel unencrypted',
            next: 'Use an https:// address.',
          }
        : null,
      skipVerification
        ? {
            level: 'warning',
            topic: 'encryption',
            message: 'skip_cert_verification accepts any certificate',
            next: "Give the server's CA in client_ca_certificate_pem instead.",
          }
        : null,
      username === null
        ? { level: 'hint', topic: 'authentication', message: 'no username is sent', next: '' }
        : null,
    ];
    return Promise.resolve(findings.filter((finding) => finding !== null));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #release(workspace: string, info: LockInfo): Promise<LockRelease> {
    const { unlockAddress, unlockMethod } = this.#config;
    if (unlockAddress === null) return { type: 'released' };
    const url = this.#url(unlockAddress, workspace);
    const reply = await send(this.#config, {
      method: unlockMethod,
      url,
      body: Buffer.from(formatLockInfo(info)),
    });
    if (reply.status === 200) return { type: 'released' };
    if (reply.status === 409 || reply.status === 423) {
      const holder = holderOf(reply);
      const told = said(reply).message;
      const gone = told === '' ? 'the lock was gone' : told;
      const message = holder === null ? gone : `the lock is now held by ${holder.who}`;
      return { type: 'lost', message };
    }
    throw refusal(reply, 'unlock the state');
  }

  /** A refusal, with what a house tells of its lock besides: its answer has that in `Info`, in words. */
  async #heldBy(workspace: string, asked: string, holder: LockInfo | null): Promise<LockAttempt> {
    const held = { type: 'held', message: 'the lock is held by someone else' } as const;
    const lock = (await this.#isHouse(workspace)) ? await this.#api.lock(workspace) : null;
    const [first] = lock?.holders ?? [];
    if (lock === null || first === undefined || holder === null) return { ...held, holder };
    const { usualHoldMs, waiters, waiting } = lock;
    const own = waiters.find(({ lockId }) => lockId === asked);
    // Who has only just asked has its place when it comes back: behind all who wait now.
    const place = own ?? { position: waiting + 1 };
    const line = {
      subject: first.subject,
      usualHold: usualHoldMs,
      position: place.position,
      waiting: own === undefined ? waiting + 1 : waiting,
    };
    return { ...held, holder: { ...holder, info: first.reason }, line };
  }

  #isHouse(workspace: string): Promise<boolean> {
    this.#house ??= this.#askLock(workspace).then((reply) => reply !== null);
    return this.#house;
  }

  /** What a house says of the lock; null when the server is none. */
  async #askLock(workspace: string): Promise<Reply | null> {
    if (!mayBeHouse(this.#config.address)) return null;
    const url = this.#url(this.#config.address, workspace);
    url.searchParams.set(LOCK_PARAMETER, '');
    const reply = await send(this.#config, { method: 'GET', url });
    if (reply.status === 401 || reply.status === 403) throw refusal(reply, 'see the lock');
    const told =
      reply.status === 200
        ? holderOf(reply) !== null
        : reply.status === 404 && said(reply).error === 'absent';
    return told ? reply : null;
  }

  #stateUrl(workspace: string, held: HeldLock | null): URL {
    const url = this.#url(this.#config.address, workspace);
    if (held !== null) url.searchParams.set(LOCK_ID_PARAMETER, held.id);
    return url;
  }

  #url(address: string, workspace: string): URL {
    if (workspace !== DEFAULT_WORKSPACE && this.traits.workspaces === 'default-only') {
      throw new BackendFault(
        'configuration',
        'the http backend has no workspaces',
        `Put ${WORKSPACE_PLACEHOLDER} into the addresses to give each workspace its own address.`,
      );
    }
    return addressFor(address, workspace);
  }
}

function withoutSecrets(url: URL): URL {
  url.username = '';
  url.password = '';
  return url;
}

function noLocks(attribute: string): { readonly type: 'unsupported'; readonly message: string } {
  return {
    type: 'unsupported',
    message: `the http backend's configuration has no ${attribute}: nothing is locked`,
  };
}

function holderOf({ body }: Reply): LockInfo | null {
  const parsed = parseLockInfo(body);
  return 'problem' in parsed ? null : parsed.info;
}

/** What a house says in an error; other servers say what they like. */
function said({ body }: Reply): { readonly error: string; readonly message: string } {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.subarray(0, 16_384)).toString());
    const text = (name: string): string => {
      const found: unknown =
        typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
      return typeof found === 'string' ? found : '';
    };
    return { error: text('error'), message: text('message') };
  } catch {
    return { error: '', message: '' };
  }
}

function refusal(reply: Reply, what: string): BackendFault {
  const { status } = reply;
  const { message } = said(reply);
  const holder = holderOf(reply);
  const why =
    holder === null
      ? message
      : `it is locked by ${holder.who} (${operationInWords(holder.operation)}, lock ID ${holder.id})`;
  const text = `the server did not ${what}: HTTP ${status}${why === '' ? '' : `, ${why}`}`;
  if (status === 401 || status === 403) {
    return new BackendFault(
      'denied',
      text,
      'Set username and password (TF_HTTP_USERNAME, TF_HTTP_PASSWORD).',
    );
  }
  if ([409, 412, 413, 422, 423].includes(status)) return new BackendFault('refused', text);
  return new BackendFault(status >= 500 || status === 429 ? 'unreachable' : 'other', text);
}

function isLoopback(address: string): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(address).hostname);
}
