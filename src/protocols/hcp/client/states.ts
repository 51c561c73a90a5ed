import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStateHeader, readStateHeader } from '../../../core/state-header.ts';
import { BackendFault, type StateVersion } from '../../../ports/state-client.ts';
import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';
import { errorsIn, refusal, type HcpReply, type HcpRequests } from './request.ts';
import type { FoundWorkspace } from './workspaces.ts';

/** The words with which an old service asks for the state in the document (go-tfe, `state_version.go`). */
const WANTS_STATE = 'param is missing or the value is empty: state';
/** A state that was sent is worked on for some seconds at the most. */
const SETTLE_MS_MAX = 60_000;
const SETTLE_LOOK_MS = 500;
const VERSION_ID = /^sv-[\w-]+$/;

/** Under which lock a state is written. */
export interface WriteTerms {
  readonly lockId: string | null;
}

/** States of workspaces, as versions that the service keeps. */
export class States {
  readonly #requests: HcpRequests;

  constructor(requests: HcpRequests) {
    this.#requests = requests;
  }

  /** The newest state's bytes; null where there is none. */
  async read({ id, attributes }: FoundWorkspace): Promise<Uint8Array | null> {
    const reply = await this.#requests.send({
      method: 'GET',
      path: `workspaces/${id}/current-state-version`,
    });
    if (reply.status === 200) return this.#download(reply);
    if (reply.status !== 404) throw refusal(reply, 'tell which state is the newest');
    // The service says of what may not be seen that it is absent.
    if (fieldOf(fieldOf(attributes, 'permissions'), 'can-read-state-versions') === false)
      throw new BackendFault('denied', 'the token may not read the state of this workspace');
    return null;
  }

  /** One version's bytes; null where this workspace has none of that ID. */
  async readVersion(workspace: FoundWorkspace, id: string): Promise<Uint8Array | null> {
    if (!VERSION_ID.test(id)) return null;
    const reply = await this.#requests.send({ method: 'GET', path: `state-versions/${id}` });
    if (reply.status === 404) return null;
    if (reply.status !== 200) throw refusal(reply, `find the state version ${id}`);
    const relation = fieldOf(fieldOf(parseJson(reply.body), 'data'), 'relationships');
    const owner = textOf(fieldOf(fieldOf(relation, 'workspace'), 'data'), 'id');
    return owner === workspace.id || owner === null ? this.#download(reply) : null;
  }

  /** The newest first. */
  async versions(organization: string, name: string, limit: number): Promise<readonly StateVersion[]> {
    const query = [
      ['filter[organization][name]', organization],
      ['filter[workspace][name]', name],
    ] as const;
    const found: StateVersion[] = [];
    const size = Math.min(100, Math.max(1, limit));
    for await (const item of this.#requests.list('state-versions', query, 'list the states', size)) {
      const attributes = fieldOf(item, 'attributes');
      const at = new Date(textOf(attributes, 'created-at') ?? 0);
      const bytes = fieldOf(attributes, 'size');
      const size = typeof bytes === 'number' ? bytes : null;
      found.push({ id: textOf(item, 'id') ?? '', at, size, deleted: false });
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Announces a state, uploads it, and waits until it is the newest one. */
  async write(workspace: FoundWorkspace, bytes: Uint8Array, { lockId }: WriteTerms): Promise<void> {
    const header = readStateHeader(bytes);
    if (!isStateHeader(header)) throw new BackendFault('refused', `invalid state: ${header.problem}`);
    const { serial, lineage } = header;
    const md5 = createHash('md5').update(bytes).digest('hex');
    const more = workspace.isHouse
      ? // The server knows by this which lock is meant, and by its operation what may be written.
        { 'lock-id': lockId }
      : // Serial and lineage are the caller's business.
        { force: lockId !== null };
    const announce = (state: Readonly<Record<string, string>>): Promise<HcpReply> =>
      this.#requests.send({
        method: 'POST',
        path: `workspaces/${workspace.id}/state-versions`,
        document: withSerial(serial, { md5, lineage, ...more, ...state }),
      });
    let reply = await announce({});
    if (reply.status === 422 && errorsIn(reply).title.includes(WANTS_STATE))
      reply = await announce({ state: Buffer.from(bytes).toString('base64') });
    if (reply.status !== 201 && reply.status !== 200) {
      if (reply.resent && (await this.#isNewest(workspace, bytes))) return;
      throw refusal(reply, 'take the state');
    }
    const data = fieldOf(parseJson(reply.body), 'data');
    const place = textOf(fieldOf(data, 'attributes'), 'hosted-state-upload-url');
    if (place !== null) await this.#upload(place, bytes);
    await this.#settled(textOf(data, 'id') ?? '');
  }

  async #upload(place: string, bytes: Uint8Array): Promise<void> {
    const path = new URL(place, await this.#requests.api());
    // The address is all that a sender shows there.
    const reply = await this.#requests.send({ method: 'PUT', path, bytes, withToken: false });
    if (reply.status < 200 || reply.status > 299) throw refusal(reply, 'take the bytes of the state');
  }

  /** The lock cannot be released before that. */
  async #settled(id: string): Promise<void> {
    const since = performance.now();
    for (;;) {
      const reply = await this.#requests.send({
        method: 'GET',
        path: `state-versions/${encodeURIComponent(id)}`,
      });
      const status = textOf(fieldOf(fieldOf(parseJson(reply.body), 'data'), 'attributes'), 'status');
      if (reply.status !== 200 || status !== 'pending') return;
      if (performance.now() - since > SETTLE_MS_MAX)
        throw new BackendFault(
          'other',
          `the server still works on the state after ${SETTLE_MS_MAX / 1_000} s`,
        );
      await sleep(SETTLE_LOOK_MS);
    }
  }

  async #isNewest(workspace: FoundWorkspace, bytes: Uint8Array): Promise<boolean> {
    const now = await this.read(workspace);
    return now !== null && Buffer.from(now).equals(bytes);
  }

  async #download(version: HcpReply): Promise<Uint8Array | null> {
    const attributes = fieldOf(fieldOf(parseJson(version.body), 'data'), 'attributes');
    const place = textOf(attributes, 'hosted-state-download-url');
    if (place === null)
      throw new BackendFault('other', 'the server does not tell where the state can be read');
    const reply = await this.#requests.send({
      method: 'GET',
      path: new URL(place, await this.#requests.api()),
    });
    if (reply.status === 404 || reply.status === 204) return null;
    if (reply.status !== 200) throw refusal(reply, 'send the state');
    return reply.body.length === 0 ? null : reply.body;
  }
}

/** A document whose serial is written digit for digit: it may have more than a number of JavaScript keeps. */
function withSerial(serial: bigint, attributes: Readonly<Record<string, string | boolean | null>>): string {
  const others = JSON.stringify(attributes).slice(1);
  return `{"data":{"type":"state-versions","attributes":{"serial":${serial},${others}}}`;
}
