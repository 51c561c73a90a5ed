import type { StateContents } from '../core/snapshot/contents.ts';

/** What there is to look for in a state, or why nobody can say. */
export type ContentsRead =
  | {
      readonly type: 'contents';
      readonly contents: StateContents;
      /** The addresses of states here that data sources of this one read, as text. */
      readonly reads: readonly string[];
    }
  | { readonly type: 'unreadable'; readonly why: 'unreadable' | 'too-slow' };

/** Takes a state apart somewhere where nobody waits for it. */
export interface ContentReader extends AsyncDisposable {
  /** Bytes of the largest state that is taken apart. */
  readonly bytesMax: number;
  read(bytes: Uint8Array): Promise<ContentsRead>;
}
