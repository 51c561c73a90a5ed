import { createHash } from 'node:crypto';
import { formatLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Pair } from '../../support/test-admin.ts';
import type { History } from '../watch/history.ts';
import type { Input } from '../watch/specification.ts';
import {
  readState,
  type Backend,
  type ClientState,
  type LockOutcome,
  type ReadOutcome,
  type WriteOutcome,
} from './backend.ts';
import type { Client } from './client.ts';
import { retryableHttp } from './retries.ts';
import { OPERATION_PLAN } from '../../../src/core/lock-info.ts';

/** Where the state of every simulation is, by this door. */
const PATH = '/http/acme/net/terraform.tfstate';

/** Terraform's `backend "http"`: `internal/backend/remote-state/http/client.go`. */
export class HttpBackend implements Backend {
  readonly name = 'http';
  readonly #client: Client;
  readonly #history: History;
  readonly #authorization: string;

  constructor(client: Client, credential: Pair, history: History) {
    this.#client = client;
    this.#history = history;
    const pair = Buffer.from(`${credential.id}:${credential.secret}`).toString('base64');
    this.#authorization = `Basic ${pair}`;
  }

  async lock(info: LockInfo): Promise<LockOutcome> {
    const { id, operation } = info;
    const input = { type: 'lock', lockId: id, shared: operation === OPERATION_PLAN } as const;
    const reply = await this.#ask('LOCK', PATH, formatLockInfo(info), input, (send) =>
      this.#history.lock(input, send, isSuccess),
    );
    if (reply?.status === 200) return 'locked';
    return reply?.status === 423 || reply?.status === 409 ? 'held' : 'failed';
  }

  async read(): Promise<ReadOutcome> {
    const reply = await this.#ask('GET', PATH, '', { type: 'read' }, (send) =>
      this.#history.read(send, ({ status, body }) =>
        status === 200 ? Buffer.from(body).toString() : status === 404 ? null : undefined,
      ),
    );
    if (reply?.status === 404) return 'absent';
    return reply?.status === 200 ? readState(reply.body) : 'failed';
  }

  async write({ text }: ClientState, lockId: string | null): Promise<WriteOutcome> {
    const target = lockId === null ? PATH : `${PATH}?ID=${lockId}`;
    const claim = lockId === null ? ({ kind: 'none' } as const) : ({ kind: 'named', lockId } as const);
    const input = { type: 'write', claim, text } as const;
    const reply = await this.#ask('POST', target, text, input, (send) =>
      this.#history.write(input, send, isSuccess),
    );
    if (reply === null || reply.status >= 500) return 'failed';
    return isSuccess(reply) ? 'stored' : 'refused';
  }

  async unlock(info: LockInfo): Promise<'released' | 'refused' | 'failed'> {
    const input = { type: 'unlock', lockId: info.id } as const;
    const reply = await this.#ask('UNLOCK', PATH, formatLockInfo(info), input, (send) =>
      this.#history.unlock(input, send, isSuccess),
    );
    if (reply === null || reply.status >= 500) return 'failed';
    return isSuccess(reply) ? 'released' : 'refused';
  }

  #ask(
    method: string,
    target: string,
    body: string,
    input: Input,
    noted: (send: () => Promise<WireReply | null>) => Promise<WireReply | null>,
  ): Promise<WireReply | null> {
    const bytes = Buffer.from(body);
    const headers = {
      host: 'house',
      authorization: this.#authorization,
      'user-agent': 'Go-http-client/1.1',
      'content-type': 'application/json',
      'content-md5': createHash('md5').update(bytes).digest('base64'),
    };
    const request = { method, target, headers, body: bytes, input };
    return retryableHttp(
      () => noted(() => this.#client.send(request)),
      (time) => this.#client.sleep(time),
    );
  }
}

function isSuccess({ status }: WireReply): boolean {
  return status === 200;
}
