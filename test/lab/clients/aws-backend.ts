import { createHash } from 'node:crypto';
import { AwsSigner, type AwsCall } from '../../../bench/aws-signer.ts';
import { formatLockInfo, parseLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Pair } from '../../support/test-admin.ts';
import { entropyOf, type Dice } from '../time/dice.ts';
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
import { awsSdk } from './retries.ts';

/** Where the state of every simulation is, by this door. */
const PATH = '/acme/net/terraform.tfstate';
const ITEM = 'acme/net/terraform.tfstate';
const TABLE = 'terraform-locks';
const USER_AGENT = 'APN/1.0 HashiCorp/1.0 Terraform/1.11.4';
/** A PUT or DELETE at S3 names no lock. */
const UNNAMED = { kind: 'unnamed' } as const;

/** By what terraform's s3 backend locks: `use_lockfile`, or `dynamodb_table`. */
export type LockMeans = 'lock-file' | 'item';

/** Terraform's `backend "s3"`: `internal/backend/remote-state/s3/client.go`. */
export class AwsBackend implements Backend {
  readonly name: string;
  readonly #client: Client;
  readonly #history: History;
  readonly #dice: Dice;
  readonly #means: LockMeans;
  readonly #signer: AwsSigner;

  constructor(client: Client, credential: Pair, parts: { history: History; dice: Dice; means: LockMeans }) {
    this.name = `s3 with ${parts.means}`;
    this.#client = client;
    this.#history = parts.history;
    this.#dice = parts.dice;
    this.#means = parts.means;
    this.#signer = new AwsSigner(credential, () => client.time.instant);
  }

  async lock(info: LockInfo): Promise<LockOutcome> {
    const text = formatLockInfo(info);
    const put = this.#means === 'item' ? putItem({ Info: { S: text } }) : putFile(text);
    const input = { type: 'lock', lockId: info.id, shared: false } as const;
    const reply = await this.#ask(put, input, (send) => this.#history.lock(input, send, isSuccess));
    if (reply !== null && isSuccess(reply)) return 'locked';
    // Whatever went wrong, the lock is read; a run waits only where it finds a holder.
    return (await this.#look()) === null ? 'failed' : 'held';
  }

  async read(): Promise<ReadOutcome> {
    const get = { service: 's3', method: 'GET', path: PATH, query: 'x-id=GetObject', headers: {}, body: '' };
    const reply = await this.#ask(get, { type: 'read' }, (send) =>
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
    const reply = await this.#ask(put, input, (send) => this.#history.write(input, send, isSuccess));
    if (reply === null || reply.status >= 500) return 'failed';
    if (!isSuccess(reply)) return 'refused';
    if (this.#means === 'item') {
      const Digest = { S: createHash('md5').update(text).digest('hex') };
      // A failure is only a line in terraform's log.
      await this.#ask(
        dynamo('PutItem', { TableName: TABLE, Item: { LockID: { S: `${ITEM}-md5` }, Digest } }),
      );
    }
    return 'stored';
  }

  async unlock(info: LockInfo): Promise<'released' | 'failed'> {
    const held = await this.#look();
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
    const reply = await this.#ask(drop, input, (send) => this.#history.unlock(input, send, isSuccess));
    return reply !== null && isSuccess(reply) ? 'released' : 'failed';
  }

  async #look(): Promise<LockInfo | null> {
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
    const reply = await this.#ask(get);
    if (reply?.status !== 200) return null;
    const text = Buffer.from(reply.body).toString();
    const info = this.#means === 'item' ? infoIn(text) : text;
    const parsed = parseLockInfo(Buffer.from(info));
    return 'info' in parsed ? parsed.info : null;
  }

  #ask(
    call: Signable,
    input: Input | null = null,
    noted: (send: () => Promise<WireReply | null>) => Promise<WireReply | null> = (send) => send(),
  ): Promise<WireReply | null> {
    const callId = entropyOf(this.#dice).uuid();
    const named = { ...call, headers: { ...call.headers, 'amz-sdk-invocation-id': callId } };
    return awsSdk(
      (attempt) => noted(() => this.#client.send(this.#signed(named, attempt, input))),
      (time) => this.#client.sleep(time),
      this.#dice,
    );
  }

  #signed(call: Signable, attempt: number, input: Input | null): Parameters<Client['send']>[0] {
    const body = Buffer.from(call.body);
    const hash = createHash('sha256').update(body).digest('hex');
    const headers = {
      ...call.headers,
      ...(call.service === 's3' ? { 'x-amz-content-sha256': hash } : {}),
      'amz-sdk-request': `attempt=${attempt}; max=5`,
      'user-agent': USER_AGENT,
    };
    const signed = this.#signer.headersOf(call.service, { ...call, headers }, hash);
    const target = call.query === '' ? call.path : `${call.path}?${call.query}`;
    return { method: call.method, target, headers: signed, body, input };
  }
}

type Signable = Required<Omit<AwsCall, 'unsignedBody'>> & { readonly service: string };

function dynamo(operation: string, content: object): Signable {
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

function putItem(attributes: object): Signable {
  return dynamo('PutItem', {
    TableName: TABLE,
    Item: { LockID: { S: ITEM }, ...attributes },
    ConditionExpression: 'attribute_not_exists(LockID)',
  });
}

function putFile(text: string): Signable {
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
