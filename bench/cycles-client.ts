import { sampleLock, sampleState } from '../test/support/sample-state.ts';
import { RawClient } from './raw-client.ts';

/** What the clients are told, as JSON, in the first argument. */
export interface CyclesOrder {
  readonly port: number;
  readonly authorization: string;
  readonly clients: number;
  readonly stateBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Keeps the addresses of one run apart from another's. */
  readonly run: string;
}

/** What came of it, as JSON, on standard output. */
export interface CyclesResult {
  readonly cycles: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the clients, in seconds. */
  readonly cpuSeconds: number;
}

/** All serials have as many digits, so that only they are written anew for each state. */
const FIRST_SERIAL = 1_000_000_000;
const LOCK_DIGITS = '0000000000';

/** One terraform after another on one address: LOCK, GET, POST, UNLOCK. */
class Cycle {
  readonly #client: RawClient;
  readonly #lock: Buffer;
  readonly #get: Buffer;
  readonly #post: Buffer;
  readonly #unlock: Buffer;
  #serial = FIRST_SERIAL;

  constructor(client: RawClient, order: CyclesOrder, index: number) {
    this.#client = client;
    const target = `/http/bench/${order.run}-${index}`;
    const lockId = `lock-${LOCK_DIGITS}`;
    const info = sampleLock(lockId);
    const state = sampleState(FIRST_SERIAL, { lineage: target, size: order.stateBytes });
    const request = (method: string, path: string, body: string): Buffer =>
      Buffer.from(
        `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nAuthorization: ${order.authorization}\r\n` +
          `Content-Type: application/json\r\n\r\n${body}`,
      );
    this.#lock = request('LOCK', target, info);
    this.#get = request('GET', target, '');
    this.#post = request('POST', `${target}?ID=${lockId}`, state);
    this.#unlock = request('UNLOCK', target, info);
  }

  async run(): Promise<void> {
    const serial = String(this.#serial);
    const first = this.#serial === FIRST_SERIAL;
    this.#serial += 1;
    for (const request of [this.#lock, this.#post, this.#unlock]) putDigits(request, 'lock-', serial);
    putDigits(this.#post, '"serial": ', serial);
    await this.#expect('LOCK', this.#lock, 200);
    await this.#expect('GET', this.#get, first ? 404 : 200);
    await this.#expect('POST', this.#post, 200);
    await this.#expect('UNLOCK', this.#unlock, 200);
  }

  async #expect(what: string, request: Buffer, status: number): Promise<void> {
    const answered = await this.#client.send(request);
    // The server that keeps nothing has a state from the start.
    if (answered !== status && !(status === 404 && answered === 200)) {
      throw new Error(`${what} was answered ${answered}`);
    }
  }
}

/** Writes the digits behind every occurrence of the mark that is followed by as many. */
function putDigits(request: Buffer, mark: string, digits: string): void {
  let at = request.indexOf(mark);
  while (at !== -1) {
    request.write(digits, at + mark.length, 'latin1');
    at = request.indexOf(mark, at + mark.length + digits.length);
    // An ID stands once in the target and once in a body; a large state need not be searched to its end.
    if (mark !== 'lock-') return;
    if (at > 4_096) return;
  }
}

async function main(order: CyclesOrder): Promise<CyclesResult> {
  const clients = await Promise.all(Array.from({ length: order.clients }, () => RawClient.open(order.port)));
  const cycles = clients.map((client, index) => new Cycle(client, order, index));
  const took: number[] = [];
  const now = { measuring: false, running: true };
  const work = cycles.map(async (cycle) => {
    while (now.running) {
      const began = performance.now();
      await cycle.run();
      if (now.measuring) took.push(performance.now() - began);
    }
  });
  await pause(order.warmMs);
  now.measuring = true;
  const began = performance.now();
  const cpu = process.cpuUsage();
  await pause(order.measureMs);
  now.measuring = false;
  now.running = false;
  const elapsed = performance.now() - began;
  const used = process.cpuUsage(cpu);
  await Promise.all(work);
  for (const client of clients) client.close();
  took.sort((a, b) => a - b);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return {
    cycles: took.length,
    seconds: elapsed / 1_000,
    p50: at(0.5),
    p99: at(0.99),
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const order = JSON.parse(process.argv[2] ?? '{}') as CyclesOrder;
process.stdout.write(JSON.stringify(await main(order)));
