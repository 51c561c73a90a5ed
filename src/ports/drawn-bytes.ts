/** So many are drawn at once: the system takes as long for a few as for all of them. */
const DRAWN_BYTES = 4_096;

/** Random bytes that were never given before, for nonces and data keys, which are far shorter than {@link DRAWN_BYTES}. */
export class DrawnBytes {
  readonly #draw: (length: number) => Uint8Array;
  #drawn: Uint8Array = new Uint8Array();
  #used = 0;

  /** @param draw asks the system for so many random bytes */
  constructor(draw: (length: number) => Uint8Array) {
    this.#draw = draw;
  }

  take(length: number): Uint8Array {
    if (this.#used + length > this.#drawn.length) {
      // The former ones may still be in use, so they are left alone.
      this.#drawn = this.#draw(DRAWN_BYTES);
      this.#used = 0;
    }
    this.#used += length;
    return this.#drawn.subarray(this.#used - length, this.#used);
  }
}
