import { setImmediate } from 'node:timers/promises';
import type { Identity } from '../../../core/grant.ts';
import { formatAddress, type Address } from '../../../core/address.ts';
import type { Following } from '../../../house/feed.ts';
import { Budget, sharesOf } from '../../../house/budget.ts';
import type { House } from '../../../house/house.ts';
import type { ChangeRecord } from '../../../ports/engine.ts';
import type { Log } from '../../../ports/log.ts';
import type { Signal } from '../../../ports/signals.ts';
import { EventClient } from './client.ts';
import { eventOfChange, eventOfSignal, type HouseEvent } from './event.ts';

/** How many events a client that comes back is sent of what it missed, and how many changes of the house are looked through for them. */
const MISSED_MAX = 1_000;
const LOOKED_THROUGH_MAX = 10_000;
const PAGE = 500;
/** How many clients may listen at a time. */
const CLIENTS_MAX = 1_000;
/** Events that are stored nowhere and wait for the stored ones before them; more are not told. */
const LIVE_WAITING_MAX = 1_000;
/** How often it is looked whether a client may still listen, and whether it still reads. */
const TICK_MS = 2_000;
const HEARTBEAT_MS = 15_000;

/** What a client asks for. */
export interface Listening {
  /** Who it is now; null once its credential is revoked. */
  readonly authenticate: () => Promise<Identity | null>;
  readonly identity: Identity;
  /** The network address that it came from. */
  readonly peer?: string;
  readonly project: string | null;
  readonly address: Address | null;
  /** The id of the last event that it has seen. */
  readonly after: string | null;
}

interface Listener {
  readonly client: EventClient;
  /** Its place among those who may listen at a time. */
  readonly place: ReturnType<Budget['begin']>;
  readonly listening: Listening;
  /** Who it was when that was last looked at. */
  identity: Identity;
  /** All up to here was told or missed for good; null until it was greeted. */
  position: number | null;
}

/**
 * Tells clients what happens in the house, as it happens. What is stored has the position in the feed of changes as its id,
 * on every node the same, so that a client that comes back is told what it missed; what happens in lines has none.
 */
export class EventHub {
  readonly #house: Pick<House, 'signals' | 'feed' | 'states' | 'gate'>;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  readonly #places = new Budget(sharesOf(CLIENTS_MAX));
  readonly #unsubscribe: () => void;
  #following: Following | null = null;
  /** How far those who listen have been told. */
  #told = 0;
  #liveWaiting = 0;
  /** Clients that come back take turns, so that a crowd of them is no crowd of reads. */
  #turn: Promise<void> = Promise.resolve();
  #tick: NodeJS.Timeout | null = null;

  constructor(house: Pick<House, 'signals' | 'feed' | 'states' | 'gate'>, closing: AbortSignal, log: Log) {
    this.#house = house;
    this.#log = log;
    this.#unsubscribe = house.signals.subscribe((signal) => this.#tellLive(signal));
    closing.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** @returns null when too many clients follow the events already, of all or of this subject or peer: try again later */
  listen(listening: Listening): EventClient | null {
    const place = this.#places.begin(listening);
    if (!place.take(1)) {
      place.release();
      return null;
    }
    let unwatch: () => void = () => undefined;
    const client = new EventClient((gone) => {
      unwatch();
      this.#forget(gone);
    });
    const listener = { client, place, listening, identity: listening.identity, position: null };
    this.#listeners.add(listener);
    this.#tick ??= setInterval(() => this.#look(), TICK_MS).unref();
    this.#following ??= this.#house.feed.follow(null, (records, position, pruned) => {
      if (pruned) this.#resetAll(position);
      else this.#tell(records, position);
    });
    // Looked at as well: a credential may expire, and its grants be others.
    unwatch = this.#house.gate.watch(listening.identity, () => client.cut());
    this.#greet(listener, this.#following).catch((fault: unknown) => this.#letGo(listener, fault));
    return client;
  }

  async #greet(listener: Listener, following: Following): Promise<void> {
    const { after } = listener.listening;
    await following.caughtUp();
    if (after === null) {
      this.#open(listener, 'ready', this.#told);
      return;
    }
    const seen = positionIn(after);
    // A greater one is of another house, or of one that was restored since.
    if (seen === null || seen > this.#told) {
      this.#open(listener, 'reset', this.#told);
      return;
    }
    const mine = this.#turn.then(() => this.#catchUp(listener, seen));
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  /** Sends what came since, or says that it cannot be told. */
  async #catchUp(listener: Listener, seen: number): Promise<void> {
    const missed: string[] = [];
    let looked = 0;
    let position = seen;
    let isPruned = false;
    // Nothing is awaited between the last look at what the others were told and the greeting, so nothing falls between.
    while (position < this.#told) {
      if (!this.#listeners.has(listener)) return;
      if (isPruned || looked >= LOOKED_THROUGH_MAX || missed.length > MISSED_MAX) break;
      const page = await this.#house.feed.read(position, PAGE);
      looked += page.records.length;
      position = page.position;
      isPruned = page.pruned === true;
      for (const record of page.records)
        missed.push(...this.#textOf(listener, eventOfChange(record), record.id));
      await setImmediate();
    }
    if (isPruned || position < this.#told || missed.length > MISSED_MAX) {
      this.#open(listener, 'reset', this.#told);
      return;
    }
    // Whoever goes before what it missed has come must be able to ask for it again.
    this.#open(listener, 'ready', position, seen);
    if (missed.length > 0) listener.client.push(missed.join(''));
  }

  #open(listener: Listener, name: 'ready' | 'reset', position: number, id: number = position): void {
    listener.position = position;
    listener.client.push(`retry: 2000\nid: ${id}\nevent: ${name}\ndata: {}\n\n`);
  }

  /** Changes were forgotten before anybody was told of them: all must read anew. */
  #resetAll(position: number): void {
    this.#told = position;
    for (const listener of this.#listeners)
      if (listener.position !== null) this.#open(listener, 'reset', position);
  }

  #tell(records: readonly ChangeRecord[], position: number): void {
    for (const record of records) {
      const event = eventOfChange(record);
      if (event !== null) this.#tellAll(event, record.id);
    }
    this.#told = position;
  }

  /** Tells what is stored nowhere, after all that was stored before it. */
  #tellLive(signal: Signal): void {
    const event = eventOfSignal(signal, new Date());
    if (event === null || this.#following === null || this.#liveWaiting >= LIVE_WAITING_MAX) return;
    this.#liveWaiting += 1;
    const tell = (): void => {
      this.#liveWaiting -= 1;
      this.#tellAll(event, null);
    };
    // Where the feed cannot be read now, what happens in the line is told all the same.
    this.#following.caughtUp().then(tell, tell);
  }

  /** A client that cannot be told is let go: it comes back, and is told from where it was. */
  #tellAll(event: HouseEvent, id: number | null): void {
    for (const listener of this.#listeners) {
      const { position } = listener;
      if (position === null || (id !== null && id <= position)) continue;
      try {
        for (const text of this.#textOf(listener, event, id)) listener.client.push(text);
      } catch (fault) {
        this.#letGo(listener, fault);
      }
    }
  }

  /** An event as it is sent to a client; nothing where it did not ask for it or may not see it. */
  #textOf({ listening, identity }: Listener, event: HouseEvent | null, id: number | null): string[] {
    if (event === null) return [];
    const { project, address } = listening;
    if (project !== null && event.address.project !== project) return [];
    const name = formatAddress(event.address);
    if (address !== null && formatAddress(address) !== name) return [];
    if (!this.#house.states.maySee(identity, event.address)) return [];
    const data = JSON.stringify({ ...event.data, address: name });
    return [`${id === null ? '' : `id: ${id}\n`}event: ${event.name}\ndata: ${data}\n\n`];
  }

  #letGo({ client }: Listener, fault: unknown): void {
    this.#log.error('a client of the event stream could not be told', { fault: String(fault) });
    client.cut();
  }

  #look(): void {
    for (const listener of this.#listeners) {
      const { client, position } = listener;
      // The id goes along, so that a client of whom nothing was told for long need not miss much when it comes back.
      const id = position === null ? '' : `id: ${Math.max(position, this.#told)}\n`;
      if (client.silentMs() >= HEARTBEAT_MS) client.push(`: still here\n${id}\n`);
      void this.#check(listener);
    }
  }

  /** A client whose credential is revoked or has expired hears no more. */
  async #check(listener: Listener): Promise<void> {
    const identity = await listener.listening.authenticate().catch(() => listener.listening.identity);
    if (identity === null || this.#house.gate.known(identity) !== null) listener.client.cut();
    else listener.identity = identity;
  }

  #forget(client: EventClient): void {
    for (const listener of this.#listeners) {
      if (listener.client !== client) continue;
      this.#listeners.delete(listener);
      listener.place.release();
    }
    if (this.#listeners.size > 0) return;
    this.#following?.close();
    this.#following = null;
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#tick = null;
  }

  #close(): void {
    this.#unsubscribe();
    for (const { client } of this.#listeners) client.end();
  }
}

/** The position that an event's id is; null for one that is none. */
function positionIn(id: string): number | null {
  return /^\d{1,15}$/.test(id) ? Number(id) : null;
}
