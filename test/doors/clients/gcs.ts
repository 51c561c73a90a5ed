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
 * The GCS door, spoken to as Go's client does for terraform (internal/backend/remote-state/gcs/client.go): a lock is released by
 * the generation of its object.
 */
export const GCS: DoorUnderTest = {
  name: 'gcs',
  traits: { workspaces: true, tellsHolder: true, means: ['gcs'], unnamedWrites: 'gcs' },
  client: (url, as) => new GcsClient(url, as),
};

class GcsClient implements DoorClient {
  readonly #url: string;
  readonly #bearer: Readonly<Record<string, string>>;
  /** By lock ID, as far as this client took the lock. */
  readonly #generations = new Map<string, string>();

  constructor(url: string, { id, secret }: DoorCredential) {
    this.#url = url;
    this.#bearer = { authorization: `Bearer ${id}.${secret}`, 'user-agent': 'Terraform/1.11.4' };
  }

  async lock(at: Address, info: LockInfo, signal?: AbortSignal): ReturnType<DoorClient['lock']> {
    const answer = await this.#insert(at, 'tflock', Buffer.from(formatLockInfo(info)), {
      more: '&ifGenerationMatch=0',
      signal,
    });
    if (answer.status === 412) return this.#held(at, answer);
    if (answer.status !== 200) return refused(answer);
    this.#generations.set(info.id, generationIn(answer));
    return { type: 'granted' };
  }

  unlock(at: Address, info: LockInfo): Promise<Done<'released'>> {
    const generation = this.#generations.get(info.id);
    // What was taken at another door is known by what is shown of it.
    return generation === undefined ? this.breakLock(at, info.id) : this.#release(at, generation);
  }

  unlockAgain(at: Address, info: LockInfo): Promise<Done<'released'>> {
    return this.unlock(at, info);
  }

  /** Terraform's `force-unlock` is given the generation, which it shows as the lock's ID. */
  async breakLock(at: Address, lockId: string): Promise<Done<'released'>> {
    const looked = await this.look(at);
    const isMeant = looked.type === 'locked' && looked.info.id === lockId;
    const shown = await this.#attributes(at, 'tflock');
    return this.#release(at, isMeant && shown.status === 200 ? generationIn(shown) : '999999');
  }

  async look(at: Address): ReturnType<DoorClient['look']> {
    const answer = await this.#read(at, 'tflock');
    if (answer.status === 404) return { type: 'free' };
    return answer.status === 200 ? { type: 'locked', info: infoOf(answer) } : refused(answer);
  }

  async read(at: Address): ReturnType<DoorClient['read']> {
    const answer = await this.#read(at, 'tfstate');
    if (answer.status === 404) return { type: 'absent' };
    return answer.status === 200 ? { type: 'state', bytes: answer.bytes } : refused(answer);
  }

  async write(at: Address, bytes: Uint8Array): ReturnType<DoorClient['write']> {
    return done('stored', await this.#insert(at, 'tfstate', bytes, { more: '' }), 200);
  }

  async delete(at: Address): ReturnType<DoorClient['delete']> {
    return done('deleted', await this.#json('DELETE', at, 'tfstate'), 204);
  }

  close(): void {}

  /** Who is refused reads who holds the lock. */
  async #held(at: Address, answer: Answer): ReturnType<DoorClient['lock']> {
    const looked = await this.look(at);
    if (looked.type === 'locked') return { type: 'held', holder: looked.info };
    return looked.type === 'free' ? refused(answer) : looked;
  }

  async #release(at: Address, generation: string): Promise<Done<'released'>> {
    return done('released', await this.#json('DELETE', at, 'tflock', `ifGenerationMatch=${generation}`), 204);
  }

  /** The XML API's read, as Go's client reads. */
  #read(at: Address, suffix: string): Promise<Answer> {
    return ask(this.#url, 'GET', `/${at.project}/${nameOf(at, suffix)}`, { as: null, headers: this.#bearer });
  }

  #attributes(at: Address, suffix: string): Promise<Answer> {
    return this.#json('GET', at, suffix, 'alt=json&projection=full');
  }

  #json(method: string, at: Address, suffix: string, query = ''): Promise<Answer> {
    const path = `/storage/v1/b/${at.project}/o/${encodeURIComponent(nameOf(at, suffix))}?${query}`;
    return ask(this.#url, method, path, { as: null, headers: this.#bearer });
  }

  #insert(
    at: Address,
    suffix: string,
    bytes: Uint8Array,
    { more, signal }: { more: string; signal?: AbortSignal | undefined },
  ): Promise<Answer> {
    const name = nameOf(at, suffix);
    const metadata = JSON.stringify({ bucket: at.project, name });
    const body = Buffer.concat([
      Buffer.from(`--b0b\r\nContent-Type: application/json\r\n\r\n${metadata}\r\n`),
      Buffer.from('--b0b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'),
      bytes,
      Buffer.from('\r\n--b0b--\r\n'),
    ]);
    const query = `alt=json&name=${encodeURIComponent(name)}&uploadType=multipart${more}`;
    return ask(this.#url, 'POST', `/upload/storage/v1/b/${at.project}/o?${query}`, {
      as: null,
      headers: { ...this.#bearer, 'content-type': 'multipart/related; boundary=b0b' },
      body,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function nameOf({ key, workspace }: Address, suffix: string): string {
  return `${key}/${workspace}.${suffix}`;
}

function generationIn({ text }: Answer): string {
  return (JSON.parse(text) as { generation: string }).generation;
}

function infoOf({ bytes }: Answer): LockInfo {
  const parsed = parseLockInfo(bytes);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.info;
}

function done<Type extends string>(type: Type, answer: Answer, status: number): Done<Type> {
  return answer.status === status ? { type } : refused(answer);
}

function refused({ status, text }: Answer): Refused {
  return { type: 'refused', because: becauseOf(status), says: `${status} ${text}` };
}

function becauseOf(status: number): Refused['because'] {
  if (status >= 500) return 'fault';
  if (status === 401 || status === 403) return 'credential';
  if (status === 409) return 'locked';
  return status === 412 || status === 404 ? 'conflict' : 'other';
}
