import { createHash } from 'node:crypto';
import { formatLockInfo, parseLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Pair } from '../../support/test-admin.ts';
import type { Dice } from '../time/dice.ts';
import type { History } from '../watch/history.ts';
import { AwsCalls, type AwsRequest } from './aws-calls.ts';
import {
  readState,
  type Backend,
  type ClientState,
  type LockOutcome,
  type ReadOutcome,
  type WriteOutcome,
} from './backend.ts';
import type { Client } from './client.ts';

/** Where the state of every simulation is, by this door. */
const PATH = '/acme/net/terraform.tfstate';
const ITEM = 'acme/net/terraform.tfstate';
const TABLE = 'terraform-locks';
/** A PUT or DELETE at S3 names no lock. */
const UNNAMED = { kind: 'unnamed' } as const;

/** That the lock is held, at S3 and at DynamoDB. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 412]);

/** By what terraform's s3 backend locks: `use_lockfile`, or `dynamodb_table`. */
export type LockMeans = 'lock-file' | 'item';

/** Terraform's `backend "s3"`: `internal/backend/remote-state/s3/client.go`. */
export class AwsBackend implements Backend {
  readonly name: string;
  readonly #calls: AwsCalls;
  readonly #history: History;
  readonly #means: LockMeans;
  readonly #saidNothing: (lockId: string) => void;

  /** @param parts.saidNothing told where it was refused for the lock, and then shown by the first answer that nobody has it */
  constructor(
    client: Client,
    credential: Pair,
    parts: { history: History; dice: Dice; means: LockMeans; saidNothing: (lockId: string) => void },
  ) {
    this.name = `s3 with ${parts.means}`;
    this.#calls = new AwsCalls(client, credential, parts.dice);
    this.#history = parts.history;
    this.#means = parts.means;
    this.#saidNothing = parts.saidNothing;
  }

  async lock(info: LockInfo): Promise<LockOutcome> {
    const text = formatLockInfo(info);
    const put = this.#means === 'item' ? putItem({ Info: { S: text } }) : putFile(text);
    const input = { type: 'lock', lockId: info.id, shared: false } as const;
    const reply = await this.#calls.ask(put, input, (send) => this.#history.lock(input, send, isSuccess));
    if (reply !== null && isSuccess(reply)) return 'locked';
    // Whatever went wrong, the lock is read; a run waits only where it finds a holder.
    const { lock, looks } = await this.#look();
    if (lock !== null) return 'held';
    if (reply !== null && REFUSALS.has(reply.status) && looks === 1) this.#saidNothing(info.id);
    return 'failed';
  }

  async read(): Promise<ReadOutcome> {
    const get = { service: 's3', method: 'GET', path: PATH, query: 'x-id=GetObject', headers: {}, body: '' };
    const reply = await this.#calls.ask(get, { type: 'read' }, (send) =>
      this.#history.read(send, ({ status, body }) =>
        status === 200 ? Buffer.from(body).toString() : status === 404 ? null : undefined,
      ),
    );
    if (reply?.status === 404) return 'absent';
    return reply?.status === 200 ? readState(reply.body) : 'failed';
  }

  async write({ text }: ClientState): Promise<WriteOutcome> {
    const put = {
      service: 's3',
      method: 'PUT',
      path: PATH,
      query: 'x-id=PutObject',
      headers: {},
      body: text,
    };
    const input = { type: 'write', claim: UNNAMED, text } as const;
    const reply = await this.#calls.ask(put, input, (send) => this.#history.write(input, send, isSuccess));
    if (reply === null || reply.status >= 500) return 'failed';
    if (!isSuccess(reply)) return 'refused';
    if (this.#means === 'item') {
      const Digest = { S: createHash('md5').update(text).digest('hex') };
      // A failure is only a line in terraform's log.
      await this.#calls.ask(
        dynamo('PutItem', { TableName: TABLE, Item: { LockID: { S: `${ITEM}-md5` }, Digest } }),
      );
    }
    return 'stored';
  }

  async unlock(info: LockInfo): Promise<'released' | 'failed'> {
    const { lock: held } = await this.#look();
    if (held?.id !== info.id) return 'failed';
    const drop =
      this.#means === 'item'
        ? dynamo('DeleteItem', { TableName: TABLE, Key: { LockID: { S: ITEM } } })
        : {
            service: 's3',
            method: 'DELETE',
            path: `${PATH}.tflock`,
            query: 'x-id=DeleteObject',
            headers: {},
            body: '',
          };
    const input = { type: 'unlock', lockId: info.id } as const;
    const reply = await this.#calls.ask(drop, input, (send) => this.#history.unlock(input, send, isSuccess));
    return reply !== null && isSuccess(reply) ? 'released' : 'failed';
  }

  /** @returns the lock that it is shown, and how often it had to ask for it */
  async #look(): Promise<{ readonly lock: LockInfo | null; readonly looks: number }> {
    let looks = 0;
    const get =
      this.#means === 'item'
        ? dynamo('GetItem', { TableName: TABLE, Key: { LockID: { S: ITEM } }, ConsistentRead: true })
        : {
            service: 's3',
            method: 'GET',
            path: `${PATH}.tflock`,
            query: 'x-id=GetObject',
            headers: {},
            body: '',
          };
    const reply = await this.#calls.ask(get, null, (send) => {
      looks += 1;
      return send();
    });
    if (reply?.status !== 200) return { lock: null, looks };
    const text = Buffer.from(reply.body).toString();
    const info = this.#means === 'item' ? infoIn(text) : text;
    const parsed = parseLockInfo(Buffer.from(info));
    return { lock: 'info' in parsed ? parsed.info : null, looks };
  }
}

function dynamo(operation: string, content: object): AwsRequest {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
  };
  return {
    service: 'dynamodb',
    method: 'POST',
    path: '/',
    query: '',
    headers,
    body: JSON.stringify(content),
  };
}

function putItem(attributes: object): AwsRequest {
  return dynamo('PutItem', {
    TableName: TABLE,
    Item: { LockID: { S: ITEM }, ...attributes },
    ConditionExpression: 'attribute_not_exists(LockID)',
  });
}

function putFile(text: string): AwsRequest {
  const headers = { 'if-none-match': '*' };
  return {
    service: 's3',
    method: 'PUT',
    path: `${PATH}.tflock`,
    query: 'x-id=PutObject',
    headers,
    body: text,
  };
}

function infoIn(text: string): string {
  const { Item } = JSON.parse(text) as { Item?: { Info?: { S?: string } } };
  return Item?.Info?.S ?? '';
}

function isSuccess({ status }: WireReply): boolean {
  return status >= 200 && status < 300;
}
