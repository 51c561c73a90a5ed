/** Randomness, fit for keys. */
export interface Entropy {
  bytes(length: number): Uint8Array;
  uuid(): string;
}
