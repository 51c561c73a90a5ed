import type { Instant } from '../core/instant.ts';

/** A state in the index: of which version, and when that was written. */
export interface IndexMark {
  /** The address in its text form. */
  readonly name: string;
  readonly version: number;
  readonly at: Instant;
}

/** The same with what the house has sealed of it. */
export interface IndexRow extends IndexMark {
  readonly sealed: Uint8Array;
}

/** Changes to the index. They are noted nowhere: all of it follows from the states, and can be made anew. */
export type IndexCommand =
  /** Puts a state under these words and no others, in the place of an older version of it; a newer one stays. */
  | { readonly type: 'put-index'; readonly row: IndexRow; readonly words: readonly Uint8Array[] }
  /** Takes states out of it; null for all. A purge of a state takes it out as well. */
  | { readonly type: 'drop-index'; readonly names: readonly string[] | null };

/** Which states are asked for. */
export interface IndexQuery {
  /** All of which a state must be under; the rarest first, if that is known. None for every state. */
  readonly words: readonly Uint8Array[];
  /** Only names that begin so. */
  readonly prefix?: string;
  /** Only names that come after this one. */
  readonly after?: string;
  /** Only what was written at this moment or later. */
  readonly since?: Instant;
  /** Only what was written before this moment. */
  readonly before?: Instant;
  readonly limit: number;
  /** So many names under the rarest word are looked at, and no more: {@link INDEX_WINDOW} unless given. */
  readonly window?: number;
}

/** What was found, by name, byte by byte, and how far was looked. */
export interface IndexPage {
  readonly marks: readonly IndexMark[];
  /** The name to go on after, even where nothing was found; null where there is no more. */
  readonly lookedTo: string | null;
}

/**
 * By which states are found: words that stand for what is in them. A word is some bytes that say nothing to whoever has no key
 * of the house, as is what is sealed. It is no more than a help to look: what it lacks is there all the same, and what it says
 * is verified by whoever opens it.
 */
export interface StateIndex {
  /** Looks at a bounded number of names, however few of them are found: what all states have and none has together takes turns. */
  indexed(query: IndexQuery): Promise<IndexPage>;
  /** The rows of these names, as far as they are there, by name. */
  indexRows(names: readonly string[]): Promise<readonly IndexRow[]>;
}

/** Names that are looked at in one go: some milliseconds of work. */
export const INDEX_WINDOW = 2_000;
/** Words are rare, or else one is as good as another: no more of the names under each are counted. */
export const INDEX_COUNTED_MAX = 1_000;

/** Bytes of a word. */
export const INDEX_WORD_BYTES = 8;
