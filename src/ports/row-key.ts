/** What an engine finds of the key of its rows when it opens. */
export interface FoundRowKey {
  /** The key as it is kept, sealed under a master key; null where there is none. */
  readonly sealed: Uint8Array | null;
  /** Whether anything is kept already. */
  readonly used: boolean;
}

/** What the sealing of the key is bound to. */
export const ROW_KEY_CONTEXT = 'row-key';

/** The key that rows are authenticated with, and as it is to be kept. */
export interface RowKey {
  /** 32 bytes. */
  readonly bytes: Uint8Array;
  /** Sealed under the master key. */
  readonly sealed: Uint8Array;
  /** Whether rows that were written before there was such a key are taken as they are. */
  readonly adopts: boolean;
}

/**
 * Opens the key of the rows, or makes one where nothing is kept yet.
 * @throws {UnauthenticatedRows} where there are rows and no key
 */
export type OpenRowKey = (found: FoundRowKey) => RowKey;

/** Rows without a key: written by an older program, or robbed of their key. */
export class UnauthenticatedRows extends Error {
  constructor() {
    super(
      'the data is not authenticated: a statehouse before 0.2 wrote it, or its integrity key was taken away. If you know ' +
        'that nothing has changed it, start "statehouse serve" once with --adopt-unauthenticated: it authenticates the data as it is',
    );
    this.name = 'UnauthenticatedRows';
  }
}
