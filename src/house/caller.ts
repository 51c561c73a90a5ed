import { mayActInProject, mayActOn, mayActOnHouse, mayActSomewhere, type Action } from '../core/access.ts';
import type { Identity } from '../core/grant.ts';
import type { Address } from '../core/address.ts';
import type { Actor } from '../core/command.ts';
import { noteOf, type AuditNote } from '../core/effect.ts';
import type { Origin } from '../core/origin.ts';
import type { Expired } from '../core/outcome.ts';
import type { World } from '../core/world.ts';
import type { Engine } from '../ports/engine.ts';

/** Who asks, and by which door. Everything that the house does, it does for a caller. */
export interface Caller {
  readonly identity: Identity;
  readonly door: string;
  /** The network address that the request came from, where there is one. */
  readonly peer?: string;
  /** What the audit log says of where the request came from. */
  readonly origin?: Origin;
}

/** The caller is known and may not do this. */
export interface Forbidden {
  readonly type: 'forbidden';
  readonly subject: string;
  readonly action: Action;
  readonly address: Address | null;
}

/** The house cannot take this on now; it can be asked again after a moment. */
export interface Busy {
  readonly type: 'busy';
  readonly retryAfterSeconds: number;
}

/** The rules' view of a caller. */
export function actorOf(caller: Caller): Actor {
  const { identity, door, origin } = caller;
  return {
    subject: identity.subject,
    door,
    expired: identity.expired,
    ...(origin === undefined ? {} : { origin }),
  };
}

/** What is noted of a caller's deed. */
export function noteBy(caller: Caller, action: string, detail: AuditNote['detail'] = {}): AuditNote {
  return noteOf(actorOf(caller), action, detail);
}

/** null if the caller may, else the refusal. */
export function refuseOn(caller: Caller, action: Action, address: Address): Forbidden | null {
  if (mayActOn(caller.identity.grants, action, address)) return null;
  return { type: 'forbidden', subject: caller.identity.subject, action, address };
}

/** Past its expiry a caller may look only at what it holds the lock of. */
export function isShutOut({ identity }: Caller, { holders }: Pick<World, 'holders'>): boolean {
  return identity.expired && !holders.some(({ subject }) => subject === identity.subject);
}

/**
 * Whether a caller is past its expiry and holds no lock here: asked before a body is read, so that nobody sends a state in
 * vain. The rules ask again when the body has come.
 */
export async function isShutOutOf(
  engine: Pick<Engine, 'world'>,
  caller: Caller,
  address: Address,
): Promise<boolean> {
  return caller.identity.expired && isShutOut(caller, await engine.world(address));
}

/** null if the caller may do this to the house as a whole, else the refusal. */
export function refuseInHouse(caller: Caller, action: Action): Forbidden | null {
  if (!caller.identity.expired && mayActOnHouse(caller.identity.grants, action)) return null;
  return { type: 'forbidden', subject: caller.identity.subject, action, address: null };
}

/** null if the caller may do this at some address of the project, else the refusal. */
export function refuseInProject(caller: Caller, action: Action, project: string): Forbidden | Expired | null {
  const { expired, grants, subject } = caller.identity;
  if (expired) return { type: 'expired' };
  if (mayActInProject(grants, action, project)) return null;
  return { type: 'forbidden', subject, action, address: { project, key: '*', workspace: '*' } };
}

/** null if the caller may do this at some address, else the refusal. */
export function refuseEverywhere(caller: Caller, action: Action): Forbidden | Expired | null {
  const { expired, grants, subject } = caller.identity;
  if (expired) return { type: 'expired' };
  return mayActSomewhere(grants, action) ? null : { type: 'forbidden', subject, action, address: null };
}
