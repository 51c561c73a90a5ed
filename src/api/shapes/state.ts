import type { Version } from '../../core/world.ts';

/** One version of a state, as the API shows it. */
export interface VersionShape extends Omit<Version, 'number' | 'serial' | 'at' | 'bodyId'> {
  readonly version: number;
  readonly serial: string;
  readonly at: string;
}

/** Who holds the lock of a state, in short: the oldest holder, and how many there are. */
export interface LockSummaryShape {
  readonly lockId: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly since: string;
  readonly holders: number;
  readonly waiting: number;
}

export interface StateShape {
  readonly address: string;
  readonly project: string;
  readonly key: string;
  readonly workspace: string;
  readonly newest: VersionShape | null;
  readonly deletedAt: string | null;
  readonly lock: LockSummaryShape | null;
}

/** A state that is not there yet, and may come from a run. */
export interface AnnouncedShape {
  readonly address: string;
  readonly until: string;
}
