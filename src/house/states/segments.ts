import type { SealedBody } from '../../core/command.ts';
import { EngineFault, type StoredBody } from '../../ports/engine.ts';
import type { DataKey, Sealer } from '../../ports/sealer.ts';

/** Bytes in one sealed segment: what a read holds in memory at a time. */
const SEGMENT_BYTES: number = 256 * 1024;

/** Packs one body: cuts it into segments and seals each one once it is known whether another follows. */
export class BodyPacker {
  readonly #id: string;
  readonly #sealer: Sealer;
  readonly #dataKey: DataKey & { readonly wrappedKey: Uint8Array };
  readonly #sealed: Uint8Array[] = [];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(id: string, sealer: Sealer) {
    this.#id = id;
    this.#sealer = sealer;
    this.#dataKey = sealer.newDataKey(id);
  }

  push(piece: Uint8Array): void {
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    while (this.#pendingBytes > SEGMENT_BYTES) {
      const all = Buffer.concat(this.#pending);
      this.#seal(all.subarray(0, SEGMENT_BYTES), false);
      this.#pending = [all.subarray(SEGMENT_BYTES)];
      this.#pendingBytes = all.length - SEGMENT_BYTES;
    }
  }

  /** The whole body. Its data key is wrapped under the master key of now, whichever it was when the body began to come. */
  finish(): SealedBody {
    this.#seal(Buffer.concat(this.#pending), true);
    const { keyId } = this.#sealer;
    const { wrappedKey } = this.#dataKey;
    const madeUnder = this.#sealer.keyIdOf(wrappedKey);
    const isCurrent = madeUnder === keyId;
    return {
      id: this.#id,
      keyId,
      ...(isCurrent ? {} : { madeUnder }),
      wrappedKey: isCurrent ? wrappedKey : this.#sealer.resealDataKey(wrappedKey, this.#id),
      segments: this.#sealed,
    };
  }

  #seal(plain: Uint8Array, last: boolean): void {
    this.#sealed.push(this.#dataKey.sealSegment(plain, this.#sealed.length, last));
  }
}

/**
 * The bytes of a body, segment by segment, as they were packed.
 * @param again reads the body once more, to go on with it where it was encrypted anew meanwhile: its segments say the same
 */
export async function* openSegments(
  stored: StoredBody,
  sealer: Sealer,
  again: (id: string) => Promise<StoredBody | null> = async () => null,
): AsyncGenerator<Uint8Array> {
  let [present, done] = [stored, 0];
  for (;;) {
    try {
      for await (const plain of segmentsFrom(present, sealer, done)) {
        done += 1;
        yield plain;
      }
      return;
    } catch (fault) {
      const now = await again(stored.id);
      if (now === null || Buffer.compare(now.wrappedKey, present.wrappedKey) === 0) throw fault;
      present = now;
    }
  }
}

/** @param from the number of the first segment that is opened */
async function* segmentsFrom(stored: StoredBody, sealer: Sealer, from: number): AsyncGenerator<Uint8Array> {
  const dataKey = sealer.openDataKey(stored.wrappedKey, stored.id);
  let index = 0;
  let waiting: Uint8Array | null = null;
  for await (const segment of stored.segments()) {
    if (waiting !== null) {
      if (index >= from) yield dataKey.openSegment(waiting, index, false);
      index += 1;
    }
    waiting = segment;
  }
  if (waiting === null) throw new EngineFault(withoutSegments(stored));
  if (index >= from) yield dataKey.openSegment(waiting, index, true);
}

function withoutSegments({ id, object }: StoredBody): string {
  return object === undefined
    ? `body ${id} has no segments: the database is damaged`
    : `body ${id} is in the object ${object}, outside the database: say with --bodies where objects are`;
}
