/** Durations in short; null where there were none. */
export interface DurationsShape {
  readonly count: number;
  /** About how long half of them lasted at most, in milliseconds. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** What happened in one hour. */
export interface HourShape {
  readonly at: string;
  /** Locks that were granted for anything but a plan. */
  readonly applies: number;
  readonly plans: number;
  readonly writes: number;
  readonly refused: number;
}

export interface BusyStateShape {
  readonly address: string;
  readonly applies: number;
  readonly plans: number;
  readonly writes: number;
  readonly refused: number;
  readonly waits: DurationsShape;
  readonly holds: DurationsShape;
}

export interface StorageShape {
  readonly project: string;
  readonly states: number;
  readonly versions: number;
  readonly bytes: number;
}

/** How much happened, as far as the caller may know. */
export interface NumbersShape {
  readonly since: string;
  /** Those in which something happened. */
  readonly hours: readonly HourShape[];
  readonly waits: DurationsShape;
  readonly holds: DurationsShape;
  /** The most frequent first. */
  readonly refusals: readonly { readonly cause: string; readonly count: number }[];
  readonly busiest: readonly BusyStateShape[];
  /** The largest first. */
  readonly storage: readonly StorageShape[];
}
