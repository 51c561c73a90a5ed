import type { Action } from '../core/access.ts';
import type { Identity } from '../core/grant.ts';
import type { Address } from '../core/address.ts';
import type { Actor } from '../core/command.ts';
import { noteOf, type AuditNote } from '../core/effect.ts';
import type { Origin } from '../core/origin.ts';
import type { Expired } from '../core/outcome.ts';

/** Who asks, and by which door. Everything that the house does, it does for a caller. */
export interface Caller {
  readonly identity: Identity;
  readonly door: string;
  /** The network address that the request came from, where there is one. */
  readonly peer?: string;
  /** What the audit log says of where the request came from. */
  readonly origin?: Origin;
  /** The lock that the request says it is made under, as in `Actor.lent`. */
  readonly lent?: string;
}

/** The caller is known and may not do this. */
export interface Forbidden {
  readonly type: 'forbidden';
  readonly subject: string;
  readonly action: Action;
  readonly address: Address | null;
}

/** The caller's credential was revoked since its request began. */
export interface Revoked {
  readonly type: 'revoked';
}

/** Why somebody may not do something, as the gate says it. */
export type Shut = Forbidden | Expired | Revoked;

/** The house cannot take this on now; it can be asked again after a moment. */
export interface Busy {
  readonly type: 'busy';
  /** What there is no more room for; absent for the bodies that are coming in. */
  readonly full?: 'uploads';
  readonly retryAfterSeconds: number;
}

/** The rules' view of a caller. */
export function actorOf({ identity: { subject, expiry }, door, origin, lent }: Caller): Actor {
  return {
    subject,
    door,
    ...(expiry === undefined ? {} : { expiry }),
    ...(origin === undefined ? {} : { origin }),
    ...(lent === undefined ? {} : { lent }),
  };
}

/** What is noted of a caller's deed. */
export function noteBy(caller: Caller, action: string, detail: AuditNote['detail'] = {}): AuditNote {
  return noteOf(actorOf(caller), action, detail);
}
