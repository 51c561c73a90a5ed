import { Agent } from 'node:http';
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
 * The consul door, spoken to as Go's client does for terraform (internal/backend/remote-state/consul/client.go): a session takes
 * the lock, and tells who it is afterwards. Each lock is taken by a run of its own, with connections of its own.
 */
export const CONSUL: DoorUnderTest = {
  name: 'consul',
  traits: { workspaces: true, tellsHolder: true, means: ['consul'], unnamedWrites: 'consul' },
  client: (url, as) => new ConsulClient(url, as),
};

const FLAGS = 'flags=3304740253564472344';

class ConsulClient implements DoorClient {
  readonly #url: string;
  readonly #token: Readonly<Record<string, string>>;
  /** By lock ID. */
  readonly #runs = new Map<string, Agent>();

  constructor(url: string, { id, secret }: DoorCredential) {
    this.#url = url;
    this.#token = { 'x-consul-token': `${id}.${secret}` };
  }

  async lock(at: Address, info: LockInfo, signal?: AbortSignal): ReturnType<DoorClient['lock']> {
    const run = this.#run(info.id);
    const session = await this.#session(info.id, run);
    if (typeof session !== 'string') return session;
    const lock = keyOf(at, '/.lock');
    // Go's client looks first, and asks if it sees no holder.
    await this.#send('GET', `${lock}?wait=1000ms`, { run });
    const taken = await this.#send('PUT', `${lock}?acquire=${session}&${FLAGS}`, { body: '', run, signal });
    if (taken.status !== 200) return refused(taken);
    if (taken.text !== 'true') return this.#held(at, run);
    const told = await this.#send('PUT', keyOf(at, '/.lockinfo'), { body: formatLockInfo(info), run });
    return told.status === 200 ? { type: 'granted' } : refused(told);
  }

  async unlock(at: Address, info: LockInfo): Promise<Done<'released'>> {
    const run = this.#run(info.id);
    const forgot = await this.#send('DELETE', keyOf(at, '/.lockinfo'), { run });
    return forgot.status === 200 ? this.unlockAgain(at, info) : refused(forgot);
  }

  async unlockAgain(at: Address, { id }: LockInfo): Promise<Done<'released'>> {
    const query = `release=${id}&${FLAGS}`;
    return released(
      await this.#send('PUT', `${keyOf(at, '/.lock')}?${query}`, { body: '', run: this.#run(id) }),
    );
  }

  /** Terraform's `force-unlock` destroys the session whose ID is that of the lock. */
  async breakLock(at: Address, lockId: string): Promise<Done<'released'>> {
    const destroyed = await this.#send('PUT', `/v1/session/destroy/${lockId}`);
    if (destroyed.status !== 200) return refused(destroyed);
    await this.#send('DELETE', keyOf(at, '/.lock'));
    await this.#send('DELETE', keyOf(at, '/.lockinfo'));
    return { type: 'released' };
  }

  async look(at: Address): ReturnType<DoorClient['look']> {
    const answer = await this.#send('GET', keyOf(at, '/.lockinfo'));
    if (answer.status === 404) return { type: 'free' };
    return answer.status === 200 ? { type: 'locked', info: infoOf(answer) } : refused(answer);
  }

  async read(at: Address): ReturnType<DoorClient['read']> {
    const answer = await this.#send('GET', keyOf(at));
    if (answer.status === 404) return { type: 'absent' };
    return answer.status === 200 ? { type: 'state', bytes: valueOf(answer) } : refused(answer);
  }

  async write(at: Address, bytes: Uint8Array): ReturnType<DoorClient['write']> {
    const Value = Buffer.from(bytes).toString('base64');
    const KV = {
      Verb: 'set',
      Key: nameOf(at),
      Value,
      Flags: 0,
      Index: 0,
      Session: '',
    };
    const body = JSON.stringify([{ KV, Node: null, Service: null, Check: null }]);
    const answer = await this.#send('PUT', '/v1/txn', { body });
    return answer.status === 200 ? { type: 'stored' } : refused(answer);
  }

  async delete(at: Address): ReturnType<DoorClient['delete']> {
    const answer = await this.#send('DELETE', keyOf(at));
    return answer.status === 200 ? { type: 'deleted' } : refused(answer);
  }

  close(): void {
    for (const run of this.#runs.values()) run.destroy();
  }

  /** Makes a session whose ID is the lock's, or any other where somebody else has that one. */
  async #session(lockId: string, run: Agent): Promise<string | Refused> {
    const settings = { Name: 'Consul API Lock', TTL: '15s', LockDelay: '5000ms' };
    const make = (body: object): Promise<Answer> =>
      this.#send('PUT', '/v1/session/create', { body: JSON.stringify(body), run });
    const named = await make({ ID: lockId, ...settings });
    const made = named.status === 400 ? await make(settings) : named;
    return made.status === 200 ? (JSON.parse(made.text) as { ID: string }).ID : refused(made);
  }

  /** Who is refused reads who holds the lock. */
  async #held(at: Address, run: Agent): ReturnType<DoorClient['lock']> {
    await this.#send('GET', `${keyOf(at, '/.lock')}?wait=1000ms`, { run });
    const answer = await this.#send('GET', keyOf(at, '/.lockinfo'), { run });
    if (answer.status === 404) return { type: 'held', holder: null };
    return answer.status === 200 ? { type: 'held', holder: infoOf(answer) } : refused(answer);
  }

  #run(lockId: string): Agent {
    const known = this.#runs.get(lockId) ?? new Agent({ keepAlive: true });
    this.#runs.set(lockId, known);
    return known;
  }

  #send(
    method: string,
    path: string,
    { body, run, signal }: { body?: string; run?: Agent; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer> {
    return ask(this.#url, method, path, {
      as: null,
      headers: this.#token,
      ...(body === undefined ? {} : { body }),
      ...(run === undefined ? {} : { agent: run }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function nameOf({ project, key, workspace }: Address): string {
  return `${project}/${key}${workspace === 'default' ? '' : `-env:${workspace}`}`;
}

function keyOf(at: Address, suffix = ''): string {
  return `/v1/kv/${nameOf(at).split('/').map(encodeURIComponent).join('/')}${suffix}`;
}

function valueOf({ text }: Answer): Buffer {
  const [pair] = JSON.parse(text) as readonly { Value: string }[];
  return Buffer.from(pair?.Value ?? '', 'base64');
}

function infoOf(answer: Answer): LockInfo {
  const parsed = parseLockInfo(valueOf(answer));
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.info;
}

function released(answer: Answer): Done<'released'> {
  if (answer.status !== 200) return refused(answer);
  return answer.text === 'true'
    ? { type: 'released' }
    : { type: 'refused', because: 'conflict', says: answer.text };
}

function refused({ status, text }: Answer): Refused {
  return { type: 'refused', because: becauseOf(status, text), says: `${status} ${text}` };
}

function becauseOf(status: number, text: string): Refused['because'] {
  if (status >= 500) return 'fault';
  if (status === 403) return 'credential';
  if (status === 404) return 'conflict';
  if (status !== 409) return 'other';
  return text.includes('is locked') ? 'locked' : 'conflict';
}
