import type { RequestListener } from 'node:http';
import type { Milliseconds } from '../../../src/core/instant.ts';
import { House } from '../../../src/house/house.ts';
import { LocalSignals } from '../../../src/house/local-signals.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Engine } from '../../../src/ports/engine.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { Sealer } from '../../../src/ports/sealer.ts';
import type { Signals } from '../../../src/ports/signals.ts';
import { callIdOf, isResent } from '../../../src/protocols/aws/attempt.ts';
import { LockObjects } from '../../../src/protocols/lock-object/lock-objects.ts';
import { DEFAULTS } from '../../../src/server/configuration.ts';
import { Deliveries, type Connection } from '../../../src/server/deliveries.ts';
import { dispatch } from '../../../src/server/dispatch.ts';
import { DOORS } from '../../../src/server/doors.ts';
import { Traffic } from '../../../src/server/traffic.ts';
import { ServerSocket, type ServerSide } from '../network/server-side.ts';
import { entropyOf, type Dice } from '../time/dice.ts';
import type { Trace } from '../time/trace.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import { DatabaseEngine, type Database, type DatabaseFaults } from './database-engine.ts';
import type { Store } from './engine.ts';
import { FileEngine, type DiskFaults } from './file-engine.ts';
import { Process } from './process.ts';
import type { SignalNetwork } from './signals.ts';

/** An upload of which nothing came for so long is dropped: sooner than usual, so that a simulation comes to see it. */
export const UPLOAD_IDLE: Milliseconds = 120_000;

/** A simulated node does not close: it is killed. */
const NEVER: AbortSignal = new AbortController().signal;

/** What a node keeps its house in. */
export type Storage =
  | { readonly kind: 'file'; readonly store: Store; readonly faults: DiskFaults }
  | {
      readonly kind: 'database';
      readonly database: Database;
      readonly faults: DatabaseFaults;
      readonly signals: SignalNetwork;
    };

/** Why a process ended. */
export type Death = 'kill' | 'fatal';

export interface NodeParts {
  readonly name: string;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly storage: Storage;
  readonly sealer: Sealer;
  /** How far the clock of its machine is off. */
  readonly skew: () => Milliseconds;
  /** Told what should never be logged. */
  readonly onBug: (what: string) => void;
  /** Told that its process has ended. */
  readonly onDeath: () => void;
}

/** Faults that the simulation itself makes say so. */
const SIMULATED = /simulated:/;
/** Flipped bits are found out by the house, which says so. */
const FLIPPED = /SealError: the encrypted bytes cannot be decrypted/;

/** A node of a simulated house: the real house, doors and dispatch, in a process that can be killed, frozen and started again. */
export class LabNode {
  readonly name: string;
  readonly #parts: NodeParts;
  readonly #open = new Set<ServerSide>();
  #process = new Process();
  #file: FileEngine | null = null;
  #house: House | null = null;
  #handler: RequestListener | null = null;
  #deaths = 0;

  constructor(parts: NodeParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  /** Whether it takes connections. */
  get isListening(): boolean {
    return this.#handler !== null;
  }

  get house(): House | null {
    return this.#house;
  }

  /** How often its process has ended. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Begins to serve, a moment later; a process that cannot ends. */
  start(): void {
    this.#serve().catch((fault: unknown) => {
      this.#parts.trace.note(this.name, `does not start: ${String(fault)}`);
      void this.die('fatal');
    });
  }

  async #serve(): Promise<void> {
    const { trace, sealer, time, dice, skew } = this.#parts;
    const process = new Process();
    this.#process = process;
    const log = this.#log(process);
    const { engine, signals } = this.#build(process, log);
    const entropy = entropyOf(dice);
    const clock: Clock = {
      now: () => time.instant + skew(),
      after: (delay, callback) => time.after(delay, () => process.run(callback)),
    };
    const options = { ...DEFAULTS, uploadIdle: UPLOAD_IDLE };
    const house = new House({ ...options, engine, sealer, signals, clock, entropy, log });
    const now = (): number => clock.now();
    const lockObjects = new LockObjects(house, { now, isResent, callIdOf });
    const doors = await Promise.all(
      DOORS.map(({ open }) =>
        open({ house, now, domain: null, s3: DEFAULTS.s3, lockObjects, runs: null, closing: NEVER }),
      ),
    );
    await house.credentials.refresh();
    await house.join();
    if (process.isDead) return;
    this.#house = house;
    this.#handler = dispatch({
      doors,
      log,
      metrics: { request: () => undefined, undelivered: () => undefined },
      entropy,
      traffic: new Traffic({ requestRate: 0, trustedProxies: [] }, { clock, log }),
      reach: { publicUrl: null, domain: null },
      deliveries: new Deliveries({ clock, log, look: (sockets) => Promise.resolve(unacknowledged(sockets)) }),
      fatal: () => void this.die('fatal'),
    });
    trace.note(this.name, 'listens');
  }

  /** An answer has arrived, or its connection is found to be dead. */
  settle(side: ServerSide, how: 'acknowledged' | 'reset'): void {
    const { socket } = side;
    this.#process.run(() => {
      if (how === 'acknowledged') socket.isAcknowledged = true;
      else if (!socket.destroyed) {
        socket.errored = new Error('ECONNRESET');
        socket.destroy();
      }
    });
  }

  /** Takes a request, at once or when the process goes on. A connection is refused where nobody listens. */
  take(side: ServerSide, refused: () => void): void {
    const handler = this.#handler;
    if (handler === null) {
      refused();
      return;
    }
    this.#open.add(side);
    this.#process.run(() => side.serve(handler));
  }

  /** A connection has become known to be dead. */
  hangUp(side: ServerSide): void {
    this.#open.delete(side);
    this.#process.run(() => side.hangUp());
  }

  done(side: ServerSide): void {
    this.#open.delete(side);
  }

  freeze(): void {
    this.#parts.trace.note(this.name, 'freezes');
    this.#process.freeze();
  }

  thaw(): void {
    this.#parts.trace.note(this.name, 'goes on');
    this.#process.thaw();
  }

  /** Ends at this very moment, whatever it was doing. Its connections break. */
  async die(death: Death): Promise<void> {
    if (this.#process.isDead) return;
    this.#parts.trace.note(this.name, `dies: ${death}`);
    this.#process.kill();
    this.#deaths += 1;
    this.#handler = null;
    this.#house = null;
    for (const side of this.#open) side.crash();
    this.#open.clear();
    this.#parts.onDeath();
    await this.#file?.cut();
  }

  #build(process: Process, log: Log): { engine: Engine; signals: Signals } {
    const { storage, time, dice } = this.#parts;
    if (storage.kind === 'file') {
      const { store, faults } = storage;
      const stopped = (): void => process.run(() => void this.die('fatal'));
      this.#file = new FileEngine({ store, process, time, dice, faults, stopped });
      return { engine: this.#file, signals: new LocalSignals(log) };
    }
    const { database, faults, signals } = storage;
    return {
      engine: new DatabaseEngine({ database, process, time, dice, faults }),
      signals: signals.join(process, log),
    };
  }

  #log(process: Process): Log {
    const { trace, onBug } = this.#parts;
    const note =
      (level: string) =>
      (message: string, fields: object = {}) => {
        if (process.isDead) return;
        trace.note(this.name, `${level}: ${message}`);
        const text = JSON.stringify(fields);
        const { storage } = this.#parts;
        const mayFlip = storage.kind === 'file' && storage.faults.flipped > 0;
        const isMeant = SIMULATED.test(text) || (mayFlip && FLIPPED.test(text));
        if (level === 'error' && !isMeant) onBug(`${message} ${text}`);
      };
    return { debug: () => undefined, info: () => undefined, warn: note('warn'), error: note('error') };
  }
}

/** What the system's tables would tell. */
function unacknowledged<E extends Connection>(sockets: readonly E[]): ReadonlySet<E> {
  return new Set(sockets.filter((socket) => socket instanceof ServerSocket && !socket.isAcknowledged));
}
