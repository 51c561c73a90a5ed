import type { Action } from '../../core/action.ts';
import type { Grant } from '../../core/grant.ts';

/** Who asks, what it may do, and until when. */
export interface SessionShape {
  readonly subject: string;
  /** The id of the credential. */
  readonly credential: string | null;
  readonly grants: readonly Grant[];
  /** The rights that it has on the server as a whole. */
  readonly onServer: readonly Action[];
  /** The rights that it has on something at least. */
  readonly somewhere: readonly Action[];
  /** null where the credential itself was presented. */
  readonly session: {
    readonly since: string;
    /** Where nothing is asked until then, it ends. */
    readonly idleUntil: string;
    readonly until: string;
  } | null;
}

export interface SignedOutShape {
  /** Whether there was a session to end. */
  readonly ended: boolean;
}
