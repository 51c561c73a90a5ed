import type {
  Done,
  DoorClient,
  DoorCredential,
  DoorUnderTest,
  Refused,
} from '../../../src/contract/door-contract-client.ts';
import type { Address } from '../../../src/core/address.ts';
import { formatLockInfo, parseLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import { ask, type Answer } from '../../support/request.ts';

/**
 * The azurerm door, spoken to as giovanni does for terraform (internal/backend/remote-state/azure/client.go): whoever wants the lock
 * looks first, acquires a lease under the ID of its lock, and tells its info as metadata.
 */
export const AZURERM: DoorUnderTest = {
  name: 'azurerm',
  traits: { workspaces: true, tellsHolder: true, means: ['azurerm'], unnamedWrites: null },
  client: (url, as) => new AzurermClient(url, as),
};

/** That somebody else has the lock. */
const LOCKED: ReadonlySet<string> = new Set([
  'LeaseIdMissing',
  'LeaseAlreadyPresent',
  'LeaseIdMismatchWithBlobOperation',
]);
const META = 'x-ms-meta-terraformlockid';

class AzurermClient implements DoorClient {
  readonly #url: string;
  readonly #account: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, { id, secret }: DoorCredential) {
    this.#url = url;
    this.#account = /^[0-9a-z]{3,24}$/i.test(id) ? id.toLowerCase() : 'nobody';
    this.#headers = {
      authorization: `Bearer ${id}.${secret}`,
      'user-agent': 'HashiCorp Terraform/1.11.4 (+https://www.terraform.io)',
      'x-ms-version': '2023-11-03',
    };
  }

  async lock(at: Address, info: LockInfo, signal?: AbortSignal): ReturnType<DoorClient['lock']> {
    const looked = await this.#head(at);
    if (looked.status === 404) {
      const made = await this.#put(at, new Uint8Array(), {});
      if (made.status !== 201) return refused(made);
    } else if (looked.status !== 200) return refused(looked);
    if (looked.headers['x-ms-lease-status'] === 'locked') return this.#held(at, looked);
    const lease = {
      'x-ms-lease-action': 'acquire',
      'x-ms-lease-duration': '-1',
      'x-ms-proposed-lease-id': info.id,
    };
    const acquired = await this.#send('PUT', at, '?comp=lease', lease, undefined, signal);
    if (acquired.status === 409) return this.#held(at, acquired);
    if (acquired.status !== 201) return refused(acquired);
    const metadata = { [META]: Buffer.from(formatLockInfo(info)).toString('base64') };
    const told = await this.#send('PUT', at, '?comp=metadata', { 'x-ms-lease-id': info.id, ...metadata });
    return told.status === 200 ? { type: 'granted' } : refused(told);
  }

  async unlock(at: Address, { id }: LockInfo): Promise<Done<'released'>> {
    const cleared = await this.#send('PUT', at, '?comp=metadata', { 'x-ms-lease-id': id });
    // What has gone already is released again all the same: the answer may have been lost.
    if (cleared.status !== 200 && cleared.status !== 412 && cleared.status !== 404) return refused(cleared);
    const release = { 'x-ms-lease-action': 'release', 'x-ms-lease-id': id };
    return done('released', await this.#send('PUT', at, '?comp=lease', release), 200);
  }

  unlockAgain(at: Address, info: LockInfo): Promise<Done<'released'>> {
    return this.unlock(at, info);
  }

  /** Terraform's `force-unlock` compares the ID with the one that it reads. */
  async breakLock(at: Address, lockId: string): Promise<Done<'released'>> {
    const looked = await this.look(at);
    if (looked.type === 'refused') return looked;
    if (looked.type === 'locked' && looked.info.id === lockId) return this.unlock(at, looked.info);
    return { type: 'refused', because: 'conflict', says: 'the lock ID does not match the existing lock' };
  }

  async look(at: Address): ReturnType<DoorClient['look']> {
    const answer = await this.#head(at, { 'user-agent': 'azsdk-go-azblob/v1.6.3' });
    if (answer.status === 404) return { type: 'free' };
    if (answer.status !== 200) return refused(answer);
    const info = infoOf(answer);
    return info === null ? { type: 'free' } : { type: 'locked', info };
  }

  async read(at: Address): ReturnType<DoorClient['read']> {
    const answer = await this.#send('GET', at);
    // A blob without bytes is one that was made to be leased.
    if (answer.status === 404 || (answer.status === 200 && answer.bytes.length === 0))
      return { type: 'absent' };
    return answer.status === 200 ? { type: 'state', bytes: answer.bytes } : refused(answer);
  }

  async write(at: Address, bytes: Uint8Array, under: LockInfo | null): ReturnType<DoorClient['write']> {
    return done('stored', await this.#put(at, bytes, leaseOf(under)), 201);
  }

  async delete(at: Address, under: LockInfo | null): ReturnType<DoorClient['delete']> {
    return done('deleted', await this.#send('DELETE', at, '', leaseOf(under)), 202);
  }

  close(): void {}

  /** Who is refused reads who holds the lock. */
  async #held(at: Address, answer: Answer): ReturnType<DoorClient['lock']> {
    const looked = await this.#head(at);
    const info = looked.status === 200 ? infoOf(looked) : null;
    return info === null ? refused(answer) : { type: 'held', holder: info };
  }

  #head(at: Address, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#send('HEAD', at, '', headers);
  }

  #put(at: Address, bytes: Uint8Array, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#send('PUT', at, '', { 'x-ms-blob-type': 'BlockBlob', ...headers }, bytes);
  }

  #send(
    method: string,
    at: Address,
    query = '',
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return ask(this.#url, method, `/azure/${this.#account}/${pathOf(at)}${query}`, {
      as: null,
      headers: {
        ...this.#headers,
        ...(method === 'PUT' && body === undefined ? { 'content-length': '0' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function pathOf({ project, key, workspace }: Address): string {
  const name = workspace === 'default' ? key : `${key}env:${workspace}`;
  return `${project}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

function leaseOf(lock: LockInfo | null): Readonly<Record<string, string>> {
  return lock === null ? {} : { 'x-ms-lease-id': lock.id };
}

function infoOf({ headers }: Answer): LockInfo | null {
  const text = headers[META];
  if (typeof text !== 'string') return null;
  const parsed = parseLockInfo(Buffer.from(text, 'base64'));
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.info;
}

function done<Type extends string>(type: Type, answer: Answer, status: number): Done<Type> {
  return answer.status === status ? { type } : refused(answer);
}

function refused(answer: Answer): Refused {
  const { status, text } = answer;
  const code = String(answer.headers['x-ms-error-code'] ?? '');
  return { type: 'refused', because: becauseOf(status, code), says: `${status} ${code} ${text}` };
}

function becauseOf(status: number, code: string): Refused['because'] {
  if (status >= 500) return 'fault';
  if (status === 401 || status === 403) return 'credential';
  if (LOCKED.has(code)) return 'locked';
  return status === 412 || status === 409 || status === 404 ? 'conflict' : 'other';
}
