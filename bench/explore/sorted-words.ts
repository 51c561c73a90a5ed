import { INDEX_WORD_BYTES } from '../../src/ports/state-index.ts';

/** A place of its own for every first byte, each of which is brought into order alone. */
const PLACES = 256;
/** Bits of a word after its first byte, and of a number within its place: together what a float holds exactly. */
const WORD_BITS = 27;
const COUNT_BITS = 26;

/**
 * Collects words of numbered states and gives them back in the order of a B-tree, all but a few: so that an index is filled
 * from one end to the other, and no page of it is written twice.
 */
export class SortedWords {
  readonly #words: Buffer;
  readonly #states: Uint32Array;
  #count = 0;

  /** @param most how many words there will be at the most */
  constructor(most: number) {
    this.#words = Buffer.alloc(most * INDEX_WORD_BYTES);
    this.#states = new Uint32Array(most);
  }

  get count(): number {
    return this.#count;
  }

  add(word: Uint8Array, state: number): void {
    this.#words.set(word, this.#count * INDEX_WORD_BYTES);
    this.#states[this.#count] = state;
    this.#count += 1;
  }

  *inOrder(): Generator<{ readonly word: Buffer; readonly state: number }> {
    for (const place of this.#byFirstByte()) {
      const keys = Float64Array.from(place, (at, index) => {
        const begins = this.#words.readUInt32BE(at * INDEX_WORD_BYTES + 1) >>> (32 - WORD_BITS);
        return begins * 2 ** COUNT_BITS + index;
      }).sort();
      for (const key of keys) {
        const at = place[key % 2 ** COUNT_BITS] ?? 0;
        const from = at * INDEX_WORD_BYTES;
        yield {
          word: this.#words.subarray(from, from + INDEX_WORD_BYTES),
          state: this.#states[at] ?? 0,
        };
      }
    }
  }

  #byFirstByte(): readonly Uint32Array[] {
    const counts = new Uint32Array(PLACES);
    for (let at = 0; at < this.#count; at += 1) {
      const first = this.#words[at * INDEX_WORD_BYTES] ?? 0;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    const places = Array.from(counts, (count) => new Uint32Array(count));
    counts.fill(0);
    for (let at = 0; at < this.#count; at += 1) {
      const first = this.#words[at * INDEX_WORD_BYTES] ?? 0;
      const next = counts[first] ?? 0;
      const place = places[first];
      if (place !== undefined) place[next] = at;
      counts[first] = next + 1;
    }
    return places;
  }
}
