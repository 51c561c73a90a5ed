import { createHash } from 'node:crypto';
import { sampleLock, sampleState } from '../test/support/sample-state.ts';
import type { Pair } from '../test/support/test-admin.ts';
import { AwsSigner } from './aws-signer.ts';
import { RawClient } from './raw-client.ts';

/** How the lock is taken. */
export type Means = 'table' | 'lock-file';

/** What the clients are told, as JSON, in the first argument. */
export interface AwsOrder {
  readonly port: number;
  readonly credential: Pair;
  readonly means: Means;
  readonly clients: number;
  readonly stateBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

/** What came of it, as JSON, on standard output. */
export interface AwsResult {
  readonly cycles: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

const FIRST_SERIAL = 1_000_000_000;
const SERIAL = '"serial": ';

/** One terraform apply after another on one state, call by call as Terraform 1.11 makes them. */
class Cycle {
  readonly #port: number;
  #client: RawClient;
  readonly #signer: AwsSigner;
  readonly #means: Means;
  readonly #lockId: string;
  readonly #state: Buffer;
  readonly #put: Buffer;
  readonly #before: readonly (readonly [string, Buffer])[];
  readonly #after: readonly (readonly [string, Buffer])[];
  #serial = FIRST_SERIAL;

  constructor(client: RawClient, order: AwsOrder, index: number) {
    const { means } = order;
    const signer = new AwsSigner(order.credential);
    const path = `/bench/state-${means}-${index}`;
    const TableName = 'terraform-locks';
    this.#port = order.port;
    this.#client = client;
    this.#signer = signer;
    this.#means = means;
    this.#lockId = path.slice(1);
    const state = sampleState(FIRST_SERIAL, { lineage: path, size: order.stateBytes });
    this.#state = Buffer.from(state);
    this.#put = signer.s3({ method: 'PUT', path, body: state, unsignedBody: true });
    const info = sampleLock(`lock-${index}`);
    const key = (id: string): object => ({ LockID: { S: id } });
    const take =
      means === 'table'
        ? signer.dynamodb('PutItem', {
            TableName,
            Item: { ...key(this.#lockId), Info: { S: info } },
            ConditionExpression: 'attribute_not_exists(LockID)',
          })
        : signer.s3({ method: 'PUT', path: `${path}.tflock`, headers: { 'if-none-match': '*' }, body: info });
    const get = (id: string, wanted: string): Buffer =>
      signer.dynamodb('GetItem', {
        TableName,
        Key: key(id),
        ConsistentRead: true,
        ProjectionExpression: wanted,
      });
    const list = signer.s3({
      method: 'GET',
      path: '/bench',
      query: 'list-type=2&max-keys=1000&prefix=env%3A%2F',
    });
    this.#before = [
      ['LIST', list],
      ['lock', take],
      ['HEAD', signer.s3({ method: 'HEAD', path })],
      ['GET', signer.s3({ method: 'GET', path })],
      ...(means === 'table' ? [['GetItem', get(`${this.#lockId}-md5`, 'LockID, Digest')] as const] : []),
    ];
    this.#after =
      means === 'table'
        ? [
            ['GetItem', get(this.#lockId, 'LockID, Info')],
            ['unlock', signer.dynamodb('DeleteItem', { TableName, Key: key(this.#lockId) })],
          ]
        : [
            ['GET lock', signer.s3({ method: 'GET', path: `${path}.tflock` })],
            ['unlock', signer.s3({ method: 'DELETE', path: `${path}.tflock` })],
          ];
  }

  async run(): Promise<void> {
    const first = this.#serial === FIRST_SERIAL;
    const digits = String(this.#serial);
    this.#serial += 1;
    for (const [what, request] of this.#before) {
      const absent = first && (what === 'HEAD' || what === 'GET');
      await this.#expect(what, request, absent ? 404 : 200);
    }
    this.#state.write(digits, this.#state.indexOf(SERIAL) + SERIAL.length, 'latin1');
    this.#state.copy(this.#put, this.#put.length - this.#state.length);
    await this.#expect('PUT', this.#put, 200);
    if (this.#means === 'table') {
      const Digest = { S: createHash('md5').update(this.#state).digest('hex') };
      const Item = { LockID: { S: `${this.#lockId}-md5` }, Digest };
      await this.#expect(
        'PutItem',
        this.#signer.dynamodb('PutItem', { TableName: 'terraform-locks', Item }),
        200,
      );
    }
    for (const [what, request] of this.#after) await this.#expect(what, request, 200);
  }

  close(): void {
    this.#client.close();
  }

  async #expect(what: string, request: Buffer, status: number): Promise<void> {
    // moto closes the connection after every answer.
    if (this.#client.ends) {
      this.#client.close();
      this.#client = await RawClient.open(this.#port);
    }
    const answered = await this.#client.send(request);
    if (answered !== status && answered !== 204) throw new Error(`${what} was answered ${answered}`);
  }
}

async function main(order: AwsOrder): Promise<AwsResult> {
  const clients = await Promise.all(Array.from({ length: order.clients }, () => RawClient.open(order.port)));
  const took: number[] = [];
  const now = { measuring: false, running: true };
  const cycles = clients.map((client, index) => new Cycle(client, order, index));
  const work = cycles.map(async (cycle) => {
    while (now.running) {
      const began = performance.now();
      await cycle.run();
      if (now.measuring) took.push(performance.now() - began);
    }
  });
  const stopped = Promise.all(work);
  await Promise.race([pause(order.warmMs), stopped]);
  now.measuring = true;
  const began = performance.now();
  await Promise.race([pause(order.measureMs), stopped]);
  now.measuring = false;
  now.running = false;
  const elapsed = performance.now() - began;
  await stopped;
  for (const cycle of cycles) cycle.close();
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { cycles: took.length, seconds: elapsed / 1_000, p50: at(0.5), p99: at(0.99) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const order = JSON.parse(process.argv[2] ?? '{}') as AwsOrder;
process.stdout.write(JSON.stringify(await main(order)));
