import { Client } from 'pg';
import { FIRST_SERIAL, stateOf, stepsOf, type Protocol, type Step } from './protocols.ts';
import { RawClient } from './raw-client.ts';

/** What the clients are told, as JSON, in the first argument. */
export interface CyclesOrder {
  readonly port: number;
  /** By default the http backend's. */
  readonly protocol?: Protocol;
  /** A header, a signature or the URL of a database, as the protocol has it. */
  readonly authorization: string;
  readonly clients: number;
  readonly stateBytes: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Keeps the addresses of one run apart from another's. */
  readonly run: string;
  /** Consul's, one for each client. */
  readonly sessions?: readonly string[];
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

const DIGITS_AFTER = ['lock-', '"serial": '] as const;

/** One terraform after another on one address: lock, read, write, unlock. */
interface Cycle {
  run(): Promise<void>;
  close(): Promise<void>;
}

class RequestCycle implements Cycle {
  readonly #port: number;
  readonly #steps: readonly Step[];
  readonly #digits: readonly (readonly [Buffer, number])[];
  #client: RawClient;
  #serial = FIRST_SERIAL;

  private constructor(client: RawClient, port: number, steps: readonly Step[]) {
    this.#client = client;
    this.#port = port;
    this.#steps = steps;
    this.#digits = steps.flatMap(({ request }) => digitsIn(request).map((at) => [request, at] as const));
  }

  static async open(port: number, steps: readonly Step[]): Promise<RequestCycle> {
    return new RequestCycle(await RawClient.open(port), port, steps);
  }

  async run(): Promise<void> {
    const serial = String(this.#serial);
    this.#serial += 1;
    for (const [request, at] of this.#digits) request.write(serial, at, 'latin1');
    for (const { what, request, taken } of this.#steps) {
      // moto closes the connection after every answer.
      if (this.#client.ends) {
        this.#client.close();
        this.#client = await RawClient.open(this.#port);
      }
      const answered = await this.#client.send(request);
      if (!taken.includes(answered)) throw new Error(`${what} was answered ${answered}`);
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

/** As Terraform's `pg` backend does it, without its first look for a workspace: a row's own lock, the row, the row again. */
class SqlCycle implements Cycle {
  readonly #client: Client;
  readonly #name: string;
  readonly #state: Buffer;
  readonly #digits: readonly number[];
  readonly #id: string;
  #serial = FIRST_SERIAL;

  private constructor(client: Client, { name, state, id }: { name: string; state: string; id: string }) {
    this.#client = client;
    this.#name = name;
    this.#state = Buffer.from(state);
    this.#digits = digitsIn(this.#state);
    this.#id = id;
  }

  static async open(order: CyclesOrder, index: number): Promise<SqlCycle> {
    const client = new Client({ connectionString: order.authorization });
    await client.connect();
    const name = `${order.run}-${index}`;
    const insert = `INSERT INTO states (name, data) VALUES ($1, '') ON CONFLICT (name) DO UPDATE SET name = $1 RETURNING id`;
    const { rows } = await client.query<{ id: string }>(insert, [name]);
    return new SqlCycle(client, { name, state: stateOf(order, name), id: rows[0]?.id ?? '' });
  }

  async run(): Promise<void> {
    for (const at of this.#digits) this.#state.write(String(this.#serial), at, 'latin1');
    this.#serial += 1;
    const ask = async (text: string, ...values: readonly string[]): Promise<void> => {
      await this.#client.query({ name: text, text, values: [...values] });
    };
    await ask('SELECT pg_try_advisory_lock($1)', this.#id);
    await ask('SELECT data FROM states WHERE name = $1', this.#name);
    const write =
      'INSERT INTO states (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = $2 WHERE states.name = $1';
    await ask(write, this.#name, this.#state.toString());
    await ask('SELECT pg_advisory_unlock($1)', this.#id);
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}

/** Where the digits stand that differ from one cycle to the next: of the lock's ID and of the serial. */
function digitsIn(bytes: Buffer): readonly number[] {
  return DIGITS_AFTER.flatMap((mark) => {
    const found: number[] = [];
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1))
      found.push(at + mark.length);
    return found;
  });
}

function open(order: CyclesOrder, index: number): Promise<Cycle> {
  const { protocol = 'http' } = order;
  if (protocol === 'pg') return SqlCycle.open(order, index);
  return RequestCycle.open(order.port, stepsOf(protocol, order, index));
}

async function main(order: CyclesOrder): Promise<CyclesResult> {
  const cycles = await Promise.all(Array.from({ length: order.clients }, (_, index) => open(order, index)));
  const took: number[] = [];
  const now = { measuring: false, running: true };
  const work = cycles.map(async (cycle) => {
    while (now.running) {
      const began = performance.now();
      await cycle.run();
      if (now.measuring) took.push(performance.now() - began);
    }
  });
  const failed = Promise.all(work);
  await Promise.race([pause(order.warmMs), failed]);
  now.measuring = true;
  const began = performance.now();
  const cpu = process.cpuUsage();
  await Promise.race([pause(order.measureMs), failed]);
  now.measuring = false;
  now.running = false;
  const elapsed = performance.now() - began;
  const used = process.cpuUsage(cpu);
  await failed;
  for (const cycle of cycles) await cycle.close();
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
