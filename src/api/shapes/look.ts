import type { Action } from '../../core/action.ts';
import type { Grant } from '../../core/grant.ts';

/** How much a version changed against the one before it that is kept. */
export interface VersionChangesShape {
  readonly version: number;
  /** The version that it is compared with; null where there is none: all of it is new. */
  readonly before: number | null;
  /** null where the contents cannot be compared: `problem` says why. */
  readonly counts: {
    readonly added: number;
    readonly changed: number;
    readonly removed: number;
    /** Outputs that differ. */
    readonly outputs: number;
    /** Managed objects that the version has. */
    readonly instances: number;
  } | null;
  /** The word of the refusal: `encrypted`, `too-large`, `unreadable`, `busy` …; null where there is none. */
  readonly problem: string | null;
}

/** What to copy so that terraform keeps this state here, by one backend. */
export interface BlockShape {
  readonly backend: string;
  readonly block: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** `ID` and `SECRET` stand for a credential's. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly notes: readonly string[];
}

/** What somebody may do at an address. */
export interface RightsShape {
  /** The id of the credential. */
  readonly credential: string | null;
  readonly subject: string;
  readonly actions: readonly Action[];
  /** The grants that say so. */
  readonly by: readonly Grant[];
}

/** How the server is, for who keeps it. */
export interface HouseShape {
  readonly version: string;
  readonly engine: string;
  readonly now: string;
  readonly stored: { readonly states: number; readonly versions: number; readonly bytes: number };
  /** null where the data is not in a directory of this machine. */
  readonly disk: { readonly free: number; readonly total: number } | null;
  readonly backup: { readonly possible: boolean; readonly last: string | null };
  readonly nodes: readonly { readonly node: string; readonly self: boolean }[];
  /** How long ago the database took this node's sign of life, in milliseconds; null for the embedded engine. */
  readonly lagMs: number | null;
  readonly certificateEnds: string | null;
  /** How often the master key has encrypted, at most; it is to be changed before 2^32. */
  readonly masterKeySeals: number;
  readonly parked: number;
  readonly reencrypting: boolean;
}
