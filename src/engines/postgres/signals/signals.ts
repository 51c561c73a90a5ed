import { randomUUID } from 'node:crypto';
import type { Client, Notification } from 'pg';
import type { Milliseconds } from '../../../core/instant.ts';
import { Listeners } from '../../../ports/listeners.ts';
import type { Log } from '../../../ports/log.ts';
import type { MessageSealer } from '../../../ports/sealer.ts';
import type { Signal, Signals } from '../../../ports/signals.ts';
import { connectAlone } from '../connection.ts';
import { DatabaseTime } from './database-time.ts';
import { Dropped } from './dropped.ts';
import { Envelopes, HANDOVERS_MAX, SIGNALS_BYTES_MAX } from './envelopes.ts';
import type { PostgresOptions } from '../session/options.ts';
import { databaseClock } from '../world.ts';

/** Signals that nobody waits for are gathered so long; a hand-over goes at once. */
const GATHER_MS: Milliseconds = 50;
/** Signals kept for sending. What is beyond is dropped: who waits also looks now and then. */
const QUEUE_MAX = 2_000;
/** The longest that a connection may take to say good-bye. */
const END_MS_MAX: Milliseconds = 1_000;
const RECONNECT_MS_MIN: Milliseconds = 100;
const RECONNECT_MS_MAX: Milliseconds = 5_000;
/** How often a node sends a word to itself, and how long that may take to be heard. */
const ECHO_MS: Milliseconds = 5_000;
const ECHO_LATE_MS: Milliseconds = 1_000;

/** What a node needs to be understood by the others, and by nobody else. */
export interface PostgresSignalsOptions {
  readonly sealer: MessageSealer;
  readonly log: Log;
}

/**
 * Signals between nodes by LISTEN and NOTIFY, over a connection of its own.
 *
 * NOTIFY is sent after the commit and not inside the transaction: there it would have all committing transactions of the
 * server take turns. A signal that is lost on the way costs a waiter a moment, because every node also looks for grants to
 * its own seats; {@link prompt} says how soon it should.
 *
 * Any role of the database may LISTEN and NOTIFY here, so what is said is sealed, and what is heard is believed only if a node
 * of this house has said it just now ({@link Envelopes}).
 */
export class PostgresSignals implements Signals {
  readonly #me: string = randomUUID();
  readonly #options: PostgresOptions;
  readonly #channel: string;
  readonly #envelopes: Envelopes;
  readonly #dropped: Dropped;
  readonly #time = new DatabaseTime(() => performance.now());
  readonly #listeners: Listeners<[Signal]>;
  readonly #echoListeners = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #queue: Signal[] = [];
  #gathering = false;
  #client: Client | null = null;
  #heard = false;
  #pause = RECONNECT_MS_MIN;
  #closed = false;

  private constructor(options: PostgresOptions, { sealer, log }: PostgresSignalsOptions) {
    this.#options = options;
    this.#channel = options.schema;
    this.#envelopes = new Envelopes({ me: this.#me, channel: this.#channel, sealer });
    this.#dropped = new Dropped(log, () => performance.now());
    this.#listeners = new Listeners('signal', log);
  }

  /** Begins to listen. A database that cannot be reached now is tried again and again. */
  static async open(place: PostgresOptions, options: PostgresSignalsOptions): Promise<PostgresSignals> {
    const signals = new PostgresSignals(place, options);
    await signals.#connect();
    return signals;
  }

  /** Whether what other nodes say is heard: not while the connection is down, nor behind a pooler that drops LISTEN. */
  get prompt(): boolean {
    return this.#client !== null && this.#heard;
  }

  publish(signal: Signal): void {
    this.#listeners.tell(signal);
    if (this.#queue.length >= QUEUE_MAX) return;
    this.#queue.push(...piecesOf(signal));
    if (signal.handovers.length > 0) {
      this.#send();
    } else if (!this.#gathering) {
      this.#gathering = true;
      this.#later(GATHER_MS, () => this.#send());
    }
  }

  subscribe(listener: (signal: Signal) => void): () => void {
    return this.#listeners.add(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#send();
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#listeners.clear();
    // A node that shuts down says its last hand-overs before it goes: end() waits for what was sent.
    if (this.#client !== null) await endSoon(this.#client);
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const client = await connectAlone(this.#options).catch(() => null);
    if (client === null) {
      this.#retry();
      return;
    }
    client.on('notification', (notification) => this.#receive(notification));
    try {
      await client.query(`LISTEN ${this.#channel}`);
      this.#time.forget();
      await this.#askTime(client);
    } catch {
      await endSoon(client);
      this.#retry();
      return;
    }
    client.once('end', () => this.#lost(client));
    this.#client = client;
    this.#envelopes.listeningSince(this.#time.now ?? Number.POSITIVE_INFINITY);
    this.#pause = RECONNECT_MS_MIN;
    this.#echo(client);
    await this.#untilHeard();
  }

  #lost(client: Client): void {
    if (this.#client === client) this.#client = null;
    this.#heard = false;
    this.#retry();
  }

  #retry(): void {
    this.#later(this.#pause, () => void this.#connect());
    this.#pause = Math.min(2 * this.#pause, RECONNECT_MS_MAX);
  }

  /** Sends a word to itself now and then: only what comes back proves that NOTIFY gets through. */
  #echo(client: Client): void {
    if (this.#client !== client || this.#closed) return;
    let came = false;
    const off = this.#onEcho(() => {
      came = true;
    });
    this.#notify([]);
    // A connection that breaks meanwhile is made anew, and asked then.
    this.#askTime(client).catch(() => undefined);
    this.#later(ECHO_LATE_MS, () => {
      off();
      this.#heard = came;
    });
    this.#later(ECHO_MS, () => this.#echo(client));
  }

  #onEcho(listener: () => void): () => void {
    this.#echoListeners.add(listener);
    return () => void this.#echoListeners.delete(listener);
  }

  async #untilHeard(): Promise<void> {
    await new Promise<void>((resolve) => {
      const off = this.#onEcho(resolve);
      this.#later(ECHO_LATE_MS, () => {
        off();
        resolve();
      });
    });
  }

  #send(): void {
    this.#gathering = false;
    const queue = this.#queue;
    this.#queue = [];
    let some: Signal[] = [];
    let size = 0;
    for (const signal of queue) {
      const bytes = Buffer.byteLength(JSON.stringify(signal)) + 1;
      if (size + bytes > SIGNALS_BYTES_MAX && some.length > 0) {
        this.#notify(some);
        some = [];
        size = 0;
      }
      some.push(signal);
      size += bytes;
    }
    if (some.length > 0) this.#notify(some);
  }

  #notify(signals: readonly Signal[]): void {
    const { now } = this.#time;
    if (this.#client === null || now === null) return;
    const payload = this.#envelopes.seal(signals, now);
    if (payload === null) return;
    this.#client.query('SELECT pg_notify($1, $2)', [this.#channel, payload]).catch(() => undefined);
  }

  async #askTime(client: Client): Promise<void> {
    await this.#time.ask(async () => {
      const { rows } = await client.query<{ now: string }>(`SELECT ${databaseClock()} AS now`);
      return Number(rows[0]?.now);
    });
  }

  #receive({ payload = '' }: Notification): void {
    const { now } = this.#time;
    // Until the time is known nothing can be told from a copy; what is missed is looked for.
    if (now === null) return;
    const opened = this.#envelopes.open(payload, now);
    if (typeof opened === 'string') {
      this.#dropped.add(opened);
      return;
    }
    if (opened.misshapen > 0) this.#dropped.add('misshapen', opened.misshapen);
    if (opened.from === this.#me) {
      this.#heard = true;
      for (const heard of this.#echoListeners) heard();
      return;
    }
    for (const signal of opened.signals) this.#listeners.tell(signal);
  }

  #later(delay: Milliseconds, callback: () => void): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delay);
    this.#timers.add(timer);
  }
}

/** A signal that is small enough to be sent: with many hand-overs it becomes several, of which the first tells the event. */
function piecesOf(signal: Signal): Signal[] {
  const { handovers } = signal;
  if (handovers.length <= HANDOVERS_MAX) return [signal];
  const pieces: Signal[] = [];
  for (let from = 0; from < handovers.length; from += HANDOVERS_MAX) {
    const some = handovers.slice(from, from + HANDOVERS_MAX);
    pieces.push(
      from === 0 ? { ...signal, handovers: some } : { ...signal, event: null, facts: {}, handovers: some },
    );
  }
  return pieces;
}

/** Says good-bye to the server, and does not wait long for one that is not there any more. */
async function endSoon(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, END_MS_MAX);
  });
  await Promise.race([client.end().catch(() => undefined), late]);
  clearTimeout(timer);
}
