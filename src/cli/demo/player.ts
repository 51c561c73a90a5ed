/** One change to the shared state: a thing in it, and the number that it is to get. */
export interface ResourceChange {
  readonly thing: Thing;
  readonly to: number;
}

/** The two things that the demo's state is about, and both at once for the beginning. */
export const THINGS = ['web', 'db'] as const;
export type Thing = (typeof THINGS)[number];

export interface ApplyPlan {
  readonly changes: readonly ResourceChange[];
  /** Whether the lock is taken, and what to do while another holds it. */
  readonly lock: 'none' | 'at-once' | 'wait';
}

/** How an apply ended. */
export type ApplyEnd =
  | { readonly type: 'done' }
  /** Another holds the lock. */
  | { readonly type: 'lock-refused'; readonly words: string }
  /** The house did not take the new state; what was made is kept in a file. */
  | { readonly type: 'write-refused'; readonly words: string; readonly keptIn: string | null }
  | { readonly type: 'killed' }
  | { readonly type: 'failed'; readonly words: string };

/** An apply while it runs. */
export interface Apply {
  /** Resolves once it has read the state, holds the lock if it takes one, and works; or has ended before that. */
  readonly atWork: Promise<void>;
  readonly end: Promise<ApplyEnd>;
  /** Lets it finish its work, and write the state. */
  carryOn(): void;
  /** `kill -9`. */
  kill(): void;
}

/** One colleague at a terminal. */
export interface Player {
  readonly name: string;
  apply(plan: ApplyPlan): Apply;
  close(): Promise<void>;
}
