import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { unacknowledged } from './unacknowledged.ts';

/** Between two looks: what a living client has not acknowledged by the first is lost on the way, and sent again. */
const LOOK_MS = 3_000;
/** A client whose system has acknowledged nothing for so long is gone; as long as an idle connection is probed. */
const SILENT_MS_MAX = 15_000;
const NONE: ReadonlySet<Connection> = new Set();

/** The part of a connection that is looked at. */
export type Connection = Pick<
  Socket,
  | 'localPort'
  | 'remoteAddress'
  | 'remotePort'
  | 'bytesRead'
  | 'destroyed'
  | 'errored'
  | 'readableEnded'
  | 'destroy'
>;

/** An answer that its client must hear of, and that was given to the system to be sent. */
interface Sent {
  readonly connection: Connection;
  /** What had come over the connection by then. */
  readonly bytesRead: number;
  readonly at: number;
  readonly undelivered: () => void;
  readonly unheard: (isUnheard: boolean) => void;
  /** Whether a look has found it unacknowledged. */
  isOpen: boolean;
}

/**
 * Watches grants from when they were sent until the client's system has acknowledged them. A client that lost its power or its
 * network closes no connection: the system sends the bytes again and again for a quarter of an hour, and so long nobody would
 * get the lock. Where the system does not tell, nothing is found.
 */
export class Deliveries implements Disposable {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #unacknowledged: typeof unacknowledged<Connection>;
  readonly #sent = new Set<Sent>();
  #cancel: (() => void) | null = null;

  /** @param options what tells what is not acknowledged is by default the system's own tables */
  constructor(options: { clock: Clock; log: Log; look?: typeof unacknowledged<Connection> }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#unacknowledged = options.look ?? unacknowledged;
  }

  /**
   * @param undelivered called once, if the client is found to be gone before it can have heard
   * @param unheard told that a look found the answer unacknowledged, and then that this was settled either way
   */
  watch(
    connection: Connection,
    undelivered: () => void,
    unheard: (isUnheard: boolean) => void = () => undefined,
  ): void {
    const { bytesRead } = connection;
    const at = this.#clock.now();
    this.#sent.add({ connection, bytesRead, at, undelivered, unheard, isOpen: false });
    this.#lookLater();
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#sent.clear();
    this.#cancel?.();
  }

  #lookLater(): void {
    if (this.#cancel !== null || this.#sent.size === 0) return;
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      void this.#look().finally(() => {
        this.#cancel = null;
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const due = [...this.#sent].filter(({ at }) => this.#clock.now() - at >= LOOK_MS);
    // Most have shown by themselves that they live, and the system's tables are dear to look through.
    const silent = due.filter((sent) => !isAlive(sent)).map(({ connection }) => connection);
    const open = silent.length === 0 ? NONE : await this.#unacknowledged(silent.filter(isThere));
    for (const sent of due) {
      if (!this.#sent.has(sent)) continue;
      const found = open === null ? 'heard' : this.#judge(sent, open.has(sent.connection));
      if (found === 'in doubt') continue;
      this.#sent.delete(sent);
      if (found === 'lost') this.#lose(sent);
      if (sent.isOpen) sent.unheard(false);
    }
  }

  #judge(sent: Sent, isOpen: boolean): 'heard' | 'lost' | 'in doubt' {
    const { connection, at } = sent;
    if (isAlive(sent)) return 'heard';
    if (!isThere(connection)) return sent.isOpen && connection.errored !== null ? 'lost' : 'heard';
    if (!isOpen) return 'heard';
    if (!sent.isOpen) sent.unheard(true);
    sent.isOpen = true;
    return this.#clock.now() - at >= SILENT_MS_MAX ? 'lost' : 'in doubt';
  }

  #lose({ connection, undelivered }: Sent): void {
    this.#log.warn('a client that was granted a lock acknowledged nothing: the grant is taken back', {
      peer: connection.remoteAddress,
    });
    // It must not hear of the grant any more.
    connection.destroy();
    undelivered();
  }
}

/** Whatever it sends, or that it closes in order, shows that it lives. */
function isAlive({ connection, bytesRead }: Sent): boolean {
  return connection.bytesRead > bytesRead || connection.readableEnded;
}

function isThere({ destroyed }: Connection): boolean {
  return !destroyed;
}
