import { formatAddress, type Address } from '../core/address.ts';
import type { AuditNote } from '../core/effect.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';

/** What is to be noted, and where. */
export interface Deed {
  readonly address: Address | null;
  readonly note: AuditNote;
}

/** So long the same deed of the same client is counted and not noted again. */
const WINDOW_MS: Milliseconds = 60_000;
/** Records of one client in that time: a subject at one network address. */
const OF_CLIENT_MAX = 60;
/** Records of one subject in that time, wherever it asks from. Those who are not known share one subject. */
const OF_SUBJECT_MAX = 240;
/** Records, clients and subjects in all in that time. */
const ALL_MAX = 1_000;
/** The action of a record that counts what was not noted one by one. */
const MORE_ACTION = 'more';

interface Counted {
  readonly deed: Deed;
  /** How often it came again. */
  more: number;
}

/**
 * Notes what a client can cause without end, such as refusals: the first of a kind at once; how many more there were like
 * it, and how many of other kinds were beyond its share, after a minute. So nobody can fill the disk by being refused.
 */
export class Repeats {
  readonly #clock: Clock;
  readonly #write: (deed: Deed) => void;
  readonly #noted = new Map<string, Counted>();
  readonly #beyond = new Map<string, Counted>();
  readonly #shares = new Map<string, number>();
  #cancel: (() => void) | null = null;

  constructor({ clock, write }: { clock: Clock; write: (deed: Deed) => void }) {
    this.#clock = clock;
    this.#write = write;
  }

  note(deed: Deed): void {
    this.#cancel ??= this.#clock.after(WINDOW_MS, () => this.end());
    const kind = kindOf(deed);
    const known = this.#noted.get(kind);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    if (!this.#mayNote(deed)) {
      this.#count(deed);
      return;
    }
    this.#noted.set(kind, { deed, more: 0 });
    this.#write(deed);
  }

  /** Notes how many more there were, and begins anew. */
  end(): void {
    this.#cancel?.();
    this.#cancel = null;
    for (const { deed, more } of [...this.#noted.values(), ...this.#beyond.values()]) {
      if (more === 0) continue;
      const { address, note } = deed;
      this.#write({ address, note: { ...note, detail: { ...note.detail, more } } });
    }
    this.#noted.clear();
    this.#beyond.clear();
    this.#shares.clear();
  }

  #mayNote({ note }: Deed): boolean {
    const shares = [
      [clientOf(note), OF_CLIENT_MAX],
      [note.subject, OF_SUBJECT_MAX],
    ] as const;
    if (this.#noted.size >= ALL_MAX) return false;
    if (shares.some(([name, max]) => (this.#shares.get(name) ?? 0) >= max)) return false;
    for (const [name] of shares) this.#shares.set(name, (this.#shares.get(name) ?? 0) + 1);
    return true;
  }

  #count({ note }: Deed): void {
    const own = clientOf(note);
    const client = this.#beyond.has(own) || this.#beyond.size < ALL_MAX ? own : '';
    const counted = this.#beyond.get(client) ?? { deed: beyond(note, client !== ''), more: 0 };
    counted.more += 1;
    this.#beyond.set(client, counted);
  }
}

/** A record for what is beyond a client's share: of that client, or of all for whom there is no place any more. */
function beyond({ subject, door, origin }: AuditNote, isOwn: boolean): Deed {
  if (!isOwn) return { address: null, note: { action: MORE_ACTION, subject: 'others', door, detail: {} } };
  const { peer, credential } = origin ?? {};
  const from = {
    ...(credential === undefined ? {} : { credential }),
    ...(peer === undefined ? {} : { peer }),
  };
  return { address: null, note: { action: MORE_ACTION, subject, door, detail: {}, origin: from } };
}

function clientOf({ subject, origin }: AuditNote): string {
  return `${subject}\n${origin?.peer ?? ''}`;
}

function kindOf({ address, note }: Deed): string {
  const { action, refused = '', door, origin } = note;
  const place = address === null ? '' : formatAddress(address);
  return [clientOf(note), origin?.credential ?? '', door, action, refused, place].join('\n');
}
