import { createHash } from 'node:crypto';
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
import { workspaceId, workspaceName } from '../../../src/protocols/hcp/layout.ts';
import { ask, type Answer } from '../../support/request.ts';

/**
 * The hcp door, spoken to as go-tfe does for terraform (internal/cloud/state.go), but for the reason of a lock, which is the lock
 * info: as our own client gives it. Each lock is taken by a run of its own, with connections of its own.
 */
export const HCP: DoorUnderTest = {
  name: 'hcp',
  traits: { workspaces: true, tellsHolder: true, means: ['hcp'], unnamedWrites: 'hcp' },
  client: (url, as) => new HcpClient(url, as),
};

interface Document {
  readonly data: { readonly id: string; readonly attributes: Readonly<Record<string, unknown>> };
}
interface Errors {
  readonly errors: readonly {
    readonly code?: string;
    readonly meta?: { readonly locks?: readonly string[] };
  }[];
}

class HcpClient implements DoorClient {
  readonly #url: string;
  readonly #token: string;
  /** By lock ID. */
  readonly #runs = new Map<string, Agent>();

  constructor(url: string, { id, secret }: DoorCredential) {
    this.#url = url;
    this.#token = `${id}.${secret}`;
  }

  async lock(at: Address, info: LockInfo, signal?: AbortSignal): ReturnType<DoorClient['lock']> {
    const run = this.#run(info);
    const there = await this.#ensure(at, run);
    if (there !== null) return there;
    const body = document({ reason: formatLockInfo(info) });
    const taken = await this.#send('POST', `${placeOf(at)}/actions/lock`, { body, run, signal });
    if (taken.status === 200) return { type: 'granted' };
    const [error] = errorsOf(taken);
    if (error?.code !== 'held') return refused(taken);
    return { type: 'held', holder: { id: error.meta?.locks?.[0] ?? '' } };
  }

  unlock(at: Address, info: LockInfo): Promise<Done<'released'>> {
    return this.unlockAgain(at, info);
  }

  async unlockAgain(at: Address, info: LockInfo): Promise<Done<'released'>> {
    const run = this.#run(info);
    return released(await this.#send('POST', `${placeOf(at)}/actions/unlock`, { run }));
  }

  async breakLock(at: Address, lockId: string): Promise<Done<'released'>> {
    const body = document({ 'lock-id': lockId });
    return released(await this.#send('POST', `${placeOf(at)}/actions/force-unlock`, { body }));
  }

  async look(at: Address): ReturnType<DoorClient['look']> {
    const answer = await this.#send('GET', placeOf(at));
    if (answer.status === 404) return { type: 'free' };
    if (answer.status !== 200) return refused(answer);
    const { attributes } = documentOf(answer);
    if (attributes['locked'] !== true) return { type: 'free' };
    const parsed = parseLockInfo(Buffer.from(String(attributes['lock-info'])));
    if ('problem' in parsed) throw new Error(parsed.problem);
    return { type: 'locked', info: parsed.info };
  }

  async read(at: Address): ReturnType<DoorClient['read']> {
    const current = await this.#send('GET', `${placeOf(at)}/current-state-version`);
    if (current.status === 404) return { type: 'absent' };
    if (current.status !== 200) return refused(current);
    const url = String(documentOf(current).attributes['hosted-state-download-url']);
    const answer = await this.#sendTo(url);
    return answer.status === 200 ? { type: 'state', bytes: answer.bytes } : refused(answer);
  }

  async write(at: Address, bytes: Uint8Array, lock: LockInfo | null): ReturnType<DoorClient['write']> {
    const run = lock === null ? undefined : this.#run(lock);
    const there = await this.#ensure(at, run);
    if (there !== null) return there;
    const { serial, lineage } = headerOf(bytes);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const path = `${placeOf(at)}/state-versions`;
    const announced = { serial, lineage, md5, force: false };
    const made = await this.#send('POST', path, { body: document(announced), run });
    if (made.status === 201) {
      const url = String(documentOf(made).attributes['hosted-state-upload-url']);
      const { pathname, origin } = new URL(url);
      const put = await ask(origin, 'PUT', pathname, {
        as: null,
        body: bytes,
        ...(run === undefined ? {} : { agent: run }),
      });
      return put.status === 200 ? { type: 'stored' } : refused(put);
    }
    if (!made.text.includes('param is missing or the value is empty: state')) return refused(made);
    const body = document({ ...announced, state: Buffer.from(bytes).toString('base64') });
    const inline = await this.#send('POST', path, { body, run });
    return inline.status === 201 ? { type: 'stored' } : refused(inline);
  }

  async delete(at: Address, lock: LockInfo | null): ReturnType<DoorClient['delete']> {
    const run = lock === null ? undefined : this.#run(lock);
    const { project } = at;
    const path = `organizations/${project}/workspaces/${workspaceName(at)}`;
    const answer = await this.#send('DELETE', path, { run });
    return answer.status === 204 || answer.status === 404 ? { type: 'deleted' } : refused(answer);
  }

  close(): void {
    for (const run of this.#runs.values()) run.destroy();
  }

  /** Terraform makes the workspace when a folder is initialised. */
  async #ensure(at: Address, run?: Agent): Promise<Refused | null> {
    const found = await this.#send('GET', placeOf(at), { run });
    if (found.status === 200) return null;
    if (found.status !== 404) return refused(found);
    const body = document({ name: workspaceName(at) });
    const made = await this.#send('POST', `organizations/${at.project}/workspaces`, { body, run });
    return made.status === 201 || made.status === 422 ? null : refused(made);
  }

  #run({ id }: LockInfo): Agent {
    const known = this.#runs.get(id) ?? new Agent({ keepAlive: true });
    this.#runs.set(id, known);
    return known;
  }

  #sendTo(url: string): Promise<Answer> {
    const { pathname, origin } = new URL(url);
    return ask(origin, 'GET', pathname, { as: null, headers: { authorization: `Bearer ${this.#token}` } });
  }

  #send(
    method: string,
    path: string,
    { body, run, signal }: { body?: string; run?: Agent | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<Answer> {
    return ask(this.#url, method, `/api/v2/${path}`, {
      as: null,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/vnd.api+json',
        ...(body === undefined ? { 'content-length': '0' } : {}),
      },
      ...(body === undefined ? {} : { body }),
      ...(run === undefined ? {} : { agent: run }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function placeOf(at: Address): string {
  return `workspaces/${workspaceId(at)}`;
}

function document(attributes: object): string {
  return JSON.stringify({ data: { type: '', attributes } });
}

function documentOf({ text }: Answer): Document['data'] {
  return (JSON.parse(text) as Document).data;
}

function headerOf(bytes: Uint8Array): { readonly serial: number; readonly lineage: string } {
  const text = Buffer.from(bytes).toString();
  const [, serial = '0'] = /"serial":\s*(\d+)/.exec(text) ?? [];
  const [, lineage = ''] = /"lineage":\s*"([^"]*)"/.exec(text) ?? [];
  return { serial: Number(serial), lineage };
}

function errorsOf({ text }: Answer): Errors['errors'] {
  return text === '' ? [] : (JSON.parse(text) as Errors).errors;
}

function released(answer: Answer): Done<'released'> {
  return answer.status === 200 ? { type: 'released' } : refused(answer);
}

function refused(answer: Answer): Refused {
  return { type: 'refused', because: becauseOf(answer), says: `${answer.status} ${answer.text}` };
}

function becauseOf(answer: Answer): Refused['because'] {
  const { status } = answer;
  if (status >= 500) return 'fault';
  const [error] = errorsOf(answer);
  if (error?.code === 'not-holder' || error?.code === 'held') return 'locked';
  if (error?.code === 'fenced') return (error.meta?.locks ?? []).length > 0 ? 'locked' : 'conflict';
  if (status === 401 || status === 403) return 'credential';
  return ['stale', 'not-locked', 'released-before', 'shared-hold'].includes(error?.code ?? '')
    ? 'conflict'
    : 'other';
}
