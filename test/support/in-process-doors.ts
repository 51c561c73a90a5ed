import { buildHouse, type BuiltHouse } from '../../src/server/build.ts';
import { EventHub } from '../../src/server/api/events/hub.ts';
import { ExploredCsv } from '../../src/server/api/explored-csv.ts';
import { SnapshotWorker } from '../../src/server/api/content/snapshot-worker.ts';
import { DEFAULTS, toldOf } from '../../src/server/configuration.ts';
import { DoorTable } from '../../src/server/door-table.ts';
import { openDoors } from '../../src/server/doors.ts';
import { ensureAdmin } from '../../src/server/first-start.ts';
import { machineOf } from '../../src/server/machine.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { KeyRotation } from '../../src/server/rotate-key.ts';
import type { DoorReply, DoorRequest } from '../../src/protocols/door.ts';
import { TEST_ADMIN } from './test-admin.ts';

/** One request, as the wire would have it. */
export interface InProcessRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** All doors of a house in memory, asked without a port. */
export class InProcessDoors implements AsyncDisposable {
  readonly #built: BuiltHouse;
  readonly #doors: DoorTable;
  readonly #worker: SnapshotWorker;
  readonly #closing: AbortController;

  private constructor(built: BuiltHouse, doors: DoorTable, worker: SnapshotWorker, closing: AbortController) {
    this.#built = built;
    this.#doors = doors;
    this.#worker = worker;
    this.#closing = closing;
  }

  static async open(): Promise<InProcessDoors> {
    const configuration = { ...DEFAULTS, store: { kind: 'memory' }, logLevel: 'silent' } as const;
    const built = await buildHouse(configuration);
    const { house, keyring, keys, log } = built;
    await house.join();
    await ensureAdmin(house, { ...configuration, adminCredential: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` });
    const closing = new AbortController();
    const worker = new SnapshotWorker();
    const doors = await openDoors({
      house,
      bodies: null,
      metrics: new Metrics(house, null),
      clock: built.clock,
      domain: null,
      s3: configuration.s3,
      runs: null,
      closing: closing.signal,
      api: {
        house,
        runs: null,
        log,
        snapshotWorker: worker,
        machine: machineOf(configuration, null),
        exploredCsv: new ExploredCsv(house),
        events: new EventHub(house, closing.signal, log),
        rotation: new KeyRotation({ house, keyring, source: keys }),
        wholeFile: built.wholeFile,
        about: { version: '0', retention: configuration.retention, ...toldOf(configuration) },
      },
    });
    return new InProcessDoors(built, new DoorTable(doors), worker, closing);
  }

  /**
   * Asks, and reads the answer to its end unless it has none. The client leaves after so many milliseconds.
   * @returns null where no door has such a request
   * @throws what the door throws
   */
  async ask(asked: InProcessRequest, leavesAfterMs = 50): Promise<{ reply: DoorReply; text: string } | null> {
    const gone = new AbortController();
    const request = toDoorRequest(asked, gone.signal);
    const door = this.#doors.find(request);
    if (door === undefined) return null;
    const timer = setTimeout(() => gone.abort(), leavesAfterMs);
    try {
      const reply = await door.answer(request);
      const parts: Uint8Array[] = [];
      if (reply.body instanceof Uint8Array) parts.push(reply.body);
      else if (reply.body !== null && reply.live === undefined) {
        for await (const part of reply.body) parts.push(part);
      }
      return { reply, text: Buffer.concat(parts).toString() };
    } finally {
      clearTimeout(timer);
      gone.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#worker[Symbol.asyncDispose]();
    await this.#built.close();
  }
}

function toDoorRequest({ method, target, headers, body }: InProcessRequest, gone: AbortSignal): DoorRequest {
  const mark = target.indexOf('?');
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method,
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    rawHeaders: Object.entries(headers).flat(),
    header: (name) => values.get(name),
    body: oneChunk(body),
    contentLength: body.length,
    peer: '127.0.0.1',
    peerPort: 1,
    remoteAddress: '127.0.0.1',
    keep: () => true,
    admit: () => null,
    secure: false,
    clientSecure: false,
    origin: null,
    certificateNames: [],
    id: '00000000-0000-4000-8000-000000000000',
    gone,
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
