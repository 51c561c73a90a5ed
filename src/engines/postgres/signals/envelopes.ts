import type { Instant } from '../../../core/instant.ts';
import type { MessageSealer } from '../../../ports/sealer.ts';
import type { Signal } from '../../../ports/signals.ts';
import { Replays, type Stamp } from './replays.ts';
import { readSignal } from './signal-shape.ts';

/** NOTIFY carries less than 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_900;
/** `s1 <sender> <base64url of the sealed message>`. */
const PAYLOAD = /^s1 ([0-9a-f-]{36}) ([A-Za-z0-9_-]+)$/;
/** What sealing adds to a message, at most. */
const SEAL_BYTES = 64;
const HEAD_BYTES = 's1  '.length + 36;
/** What a message says besides its signals, at most. */
const STAMP_BYTES = 100;
/** The bytes of signals, as JSON with commas, that fit into one payload. */
export const SIGNALS_BYTES_MAX: number =
  Math.floor(((PAYLOAD_BYTES_MAX - HEAD_BYTES) * 3) / 4) - SEAL_BYTES - STAMP_BYTES;
/** Signals of one payload: the smallest has about 100 bytes. */
const SIGNALS_MAX = 100;
/** Hand-overs of one signal, so that it fits into a payload: each has at most about a kilobyte. */
export const HANDOVERS_MAX = 3;

/** Why nothing was made of a payload. */
export type Refusal =
  /** No node that has our master key said this. */
  | 'foreign'
  /** It was heard before, or was said too long ago. */
  | 'repeated'
  /** A node said it, perhaps of another version, and it is not what this one understands. */
  | 'misshapen';

/** What was in a payload. */
export interface Opened {
  /** The start of a node that said it. */
  readonly from: string;
  readonly signals: readonly Signal[];
  /** How many signals were left out because they are not of a shape that is known here. */
  readonly misshapen: number;
}

interface Message extends Stamp {
  readonly signals: readonly unknown[];
}

/**
 * Puts signals into payloads and takes them out again. Any role of the database may listen and notify on any channel, so a
 * payload tells nothing to whom has not the master key, and whoever has not the master key can say nothing in it. It names its
 * sender, which cannot be another's, and its number and time, so that a copy that is sent again later is not believed.
 */
export class Envelopes {
  readonly #me: string;
  readonly #channel: string;
  readonly #sealer: MessageSealer;
  readonly #replays = new Replays();
  #count = 0;

  constructor(options: { me: string; channel: string; sealer: MessageSealer }) {
    this.#me = options.me;
    this.#channel = options.channel;
    this.#sealer = options.sealer;
  }

  /** Nothing that was said before is believed. */
  listeningSince(now: Instant): void {
    this.#replays.listeningSince(now);
  }

  /**
   * @param now by the database's clock
   * @returns null when they are too many for one payload
   */
  seal(signals: readonly Signal[], now: Instant): string | null {
    const message: Message = { number: ++this.#count, at: Math.ceil(now), signals };
    const sealed = this.#sealer.seal(Buffer.from(JSON.stringify(message)), this.#context(this.#me));
    const payload = `s1 ${this.#me} ${Buffer.from(sealed).toString('base64url')}`;
    return payload.length > PAYLOAD_BYTES_MAX ? null : payload;
  }

  /** @param now by the database's clock */
  open(payload: string, now: Instant): Opened | Refusal {
    if (payload.length > PAYLOAD_BYTES_MAX) return 'foreign';
    const [, from = '', text = ''] = PAYLOAD.exec(payload) ?? [];
    const plain = from === '' ? null : this.#unseal(text, from);
    if (plain === null) return 'foreign';
    const message = readMessage(plain);
    if (message === null) return 'misshapen';
    if (!this.#replays.isNew(from, message, now)) return 'repeated';
    const read = message.signals.map((signal) => readSignal(signal, HANDOVERS_MAX));
    const signals = read.filter((signal) => signal !== null);
    return { from, signals, misshapen: read.length - signals.length };
  }

  #unseal(text: string, from: string): string | null {
    try {
      const plain = this.#sealer.open(Buffer.from(text, 'base64url'), this.#context(from));
      return Buffer.from(plain).toString();
    } catch {
      // Whoever it was that sealed this, it was no node of this house.
      return null;
    }
  }

  #context(sender: string): string {
    return `signals ${this.#channel} ${sender}`;
  }
}

function readMessage(text: string): Message | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { number, at, signals } = value as Partial<Record<keyof Message, unknown>>;
  if (!isCount(number) || !isCount(at)) return null;
  return Array.isArray(signals) && signals.length <= SIGNALS_MAX ? { number, at, signals } : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
