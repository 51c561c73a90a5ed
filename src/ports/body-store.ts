import type { Instant } from '../core/instant.ts';

/** What is in a store of objects under one name. */
export interface StoredObject {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** When it was put, by the clock of the store. */
  readonly at: Instant;
}

/** An object that no body is in any more. */
export interface GoneObject {
  readonly name: string;
  /** Since when, by the clock of the database. */
  readonly at: Instant;
}

/** Some of many objects. */
export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  /** What to go on with; null where these were the last. */
  readonly next: string | null;
  /** What time it is by the clock of the store. */
  readonly now: Instant;
}

/**
 * Keeps the bodies of large states as objects beside the database. It learns nothing of them: they come sealed. An object is
 * put once under a name that no other has, and never changed.
 *
 * Every method throws an `EngineFault` when it cannot know the answer, busy where the same may go well a little later; each has an
 * end of its own within minutes, however slow the store is.
 */
export interface BodyStore {
  /** The store as the operator named it, for logs and refusals. */
  readonly place: string;
  /** Resolves once the object is durable. @param pieces its bytes, in their order */
  put(name: string, pieces: readonly Uint8Array[]): Promise<void>;
  /** Some bytes of an object: fewer at its end, none after it; null when there is no such object. */
  get(name: string, from: number, length: number): Promise<Uint8Array | null>;
  /** Does nothing where there is no such object. */
  delete(name: string): Promise<void>;
  /** All objects by name, byte by byte. @param from `next` of the page before; null to begin */
  list(from: string | null): Promise<ObjectPage>;
}
