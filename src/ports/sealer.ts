/**
 * Seals what one node sends to another, and opens it again, under keys that follow from the master keys. The context is
 * authenticated.
 */
export interface MessageSealer {
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** @throws {SealError} when nobody with a master key that is open here sealed these bytes in this context */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

/** Encrypts what is kept, and opens it again. The context is authenticated, so that nothing sealed can be moved. */
export interface Sealer {
  /** The id of the master key that seals now. */
  readonly keyId: string;
  /** How often this process has sealed under that key. */
  readonly seals: number;
  /** Seals something small under the master key; the key's id is part of what is returned. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** @throws {SealError} when the key is unknown or the bytes were changed */
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** The id of the master key that something was sealed under. */
  keyIdOf(sealed: Uint8Array): string;
  /** A new data key for one body, and that key wrapped. */
  newDataKey(context: string): DataKey & { readonly wrappedKey: Uint8Array };
  openDataKey(wrappedKey: Uint8Array, context: string): DataKey;
  /** The same data key, wrapped under the master key that seals now. */
  resealDataKey(wrappedKey: Uint8Array, context: string): Uint8Array;
}

/** The key of one body. Segments are sealed in order, the last one marked, so that none can be dropped or swapped. */
export interface DataKey {
  sealSegment(plain: Uint8Array, index: number, last: boolean): Uint8Array;
  openSegment(sealed: Uint8Array, index: number, last: boolean): Uint8Array;
}

/** Sealed bytes that do not open: another master key, or damage. */
export class SealError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SealError';
  }
}
