import type { Identity } from '../../../core/grant.ts';
import { formatAddress, type Address } from '../../../core/address.ts';
import type { House } from '../../../house/house.ts';
import type { Log } from '../../../ports/log.ts';
import type { Signal } from '../../../ports/signals.ts';
import { EventClient } from './client.ts';
import { toEvents, type HouseEvent } from './event.ts';

/** How many events are remembered for clients that come back. */
const REMEMBERED_MAX = 1_000;
/** How many clients may listen at a time. */
const CLIENTS_MAX = 1_000;
/** How often it is looked whether a client may still listen, and whether it still reads. */
const TICK_MS = 2_000;
const HEARTBEAT_MS = 15_000;

/** What a client asks for. */
export interface Listening {
  /** Who it is now; null once its credential is revoked. */
  readonly authenticate: () => Promise<Identity | null>;
  readonly identity: Identity;
  readonly project: string | null;
  readonly address: Address | null;
  /** The id of the last event that it has seen. */
  readonly after: string | null;
}

interface Numbered {
  readonly number: number;
  readonly event: HouseEvent;
}

interface Listener {
  readonly client: EventClient;
  readonly listening: Listening;
  /** Who it was when it was last looked. */
  identity: Identity;
}

/** Tells clients what happens in the house, as it happens. Nothing is kept: who missed something is told so, and reads anew. */
export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #remembered: Numbered[] = [];
  readonly #states: House['states'];
  readonly #node: string;
  readonly #log: Log;
  readonly #unsubscribe: () => void;
  #count = 0;
  #tick: NodeJS.Timeout | null = null;

  constructor(house: Pick<House, 'signals' | 'node' | 'states'>, closing: AbortSignal, log: Log) {
    this.#log = log;
    this.#states = house.states;
    // Ids name this start of this node: on another one they mean nothing.
    this.#node = house.node.slice(0, 8);
    this.#unsubscribe = house.signals.subscribe((signal) => this.#tell(signal));
    closing.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** @returns null when too many listen already */
  listen(listening: Listening): EventClient | null {
    if (this.#listeners.size >= CLIENTS_MAX) return null;
    const client = new EventClient((gone) => this.#forget(gone));
    const listener = { client, listening, identity: listening.identity };
    this.#listeners.add(listener);
    this.#tick ??= setInterval(() => this.#look(), TICK_MS).unref();
    this.#greet(listener);
    return client;
  }

  #greet(listener: Listener): void {
    const { client, listening } = listener;
    const missed = listening.after === null ? [] : this.#since(listening.after);
    const name = missed === null ? 'reset' : 'ready';
    // Whoever goes before what it missed has come must be able to ask for it again.
    const seen = this.#count - (missed?.length ?? 0);
    client.push(`retry: 2000\nid: ${this.#id(seen)}\nevent: ${name}\ndata: {}\n\n`);
    for (const numbered of missed ?? []) this.#send(listener, numbered);
  }

  /** What came after an event; null when that can no longer be said. */
  #since(id: string): readonly Numbered[] | null {
    const [node, text = ''] = id.split('-');
    const number = Number(text);
    const oldest = this.#count - this.#remembered.length;
    if (node !== this.#node || !/^\d+$/.test(text) || number < oldest || number > this.#count) return null;
    return this.#remembered.filter((numbered) => numbered.number > number);
  }

  #tell(signal: Signal): void {
    for (const event of toEvents(signal, new Date())) {
      const numbered = { number: ++this.#count, event };
      this.#remembered.push(numbered);
      if (this.#remembered.length > REMEMBERED_MAX) this.#remembered.shift();
      for (const listener of this.#listeners) this.#tellOne(listener, numbered);
    }
  }

  /** A client that cannot be told is let go: it comes back, and is told from where it was. */
  #tellOne(listener: Listener, numbered: Numbered): void {
    try {
      this.#send(listener, numbered);
    } catch (fault) {
      this.#log.error('a client of the event stream could not be told', { fault: String(fault) });
      listener.client.cut();
    }
  }

  #send({ client, listening, identity }: Listener, { number, event }: Numbered): void {
    const { project, address } = listening;
    if (project !== null && event.address.project !== project) return;
    const name = formatAddress(event.address);
    if (address !== null && formatAddress(address) !== name) return;
    if (!this.#states.maySee(identity, event.address)) return;
    const data = JSON.stringify({ ...event.data, address: name });
    client.push(`id: ${this.#id(number)}\nevent: ${event.name}\ndata: ${data}\n\n`);
  }

  #look(): void {
    for (const listener of this.#listeners) {
      if (listener.client.silentMs() >= HEARTBEAT_MS) listener.client.push(': still here\n\n');
      void this.#check(listener);
    }
  }

  /** A client whose credential is revoked or has expired hears no more. */
  async #check(listener: Listener): Promise<void> {
    const identity = await listener.listening.authenticate().catch(() => listener.listening.identity);
    if (identity === null || identity.expired) listener.client.cut();
    else listener.identity = identity;
  }

  #forget(client: EventClient): void {
    for (const listener of this.#listeners) {
      if (listener.client === client) this.#listeners.delete(listener);
    }
    if (this.#listeners.size > 0 || this.#tick === null) return;
    clearInterval(this.#tick);
    this.#tick = null;
  }

  #close(): void {
    this.#unsubscribe();
    for (const { client } of this.#listeners) client.end();
  }

  #id(number: number): string {
    return `${this.#node}-${number}`;
  }
}
