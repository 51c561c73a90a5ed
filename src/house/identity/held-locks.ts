import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { Milliseconds } from '../../core/instant.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Holder } from '../../core/world.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Caller } from '../caller.ts';
import type { Locks } from '../locks/locks.ts';

const PAGE = 500;
/** How far the engine's clock and this node's may differ, and how late another node may still grant a lock to a revoked one. */
const LATE: Milliseconds = 5_000;

/** A lock that a credential holds. */
export interface HeldLock {
  readonly address: Address;
  readonly lockId: string;
}

/** The locks that each credential holds, by its id. A name may have been given to several credentials, one after the other. */
export async function locksHeldBy(
  engine: Pick<Engine, 'states'>,
  credentials: readonly Credential[],
): Promise<ReadonlyMap<string, readonly HeldLock[]>> {
  const bySubject = new Map<string, Credential[]>();
  for (const credential of credentials) {
    const subject = subjectOf('token', credential.name);
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), credential]);
  }
  const held = new Map<string, HeldLock[]>();
  let after: Address | null = null;
  do {
    const query = { locked: true, limit: PAGE };
    const page: Awaited<ReturnType<Engine['states']>> = await engine.states(
      after === null ? query : { ...query, after },
    );
    for (const { address, world } of page) {
      for (const holder of world.holders) {
        const credential = bySubject.get(holder.subject)?.find((one) => mayHaveTaken(one, holder));
        if (credential === undefined) continue;
        const locks = held.get(credential.id) ?? [];
        held.set(credential.id, [...locks, { address, lockId: holder.lockId }]);
      }
    }
    after = page.length < PAGE ? null : (page.at(-1)?.address ?? null);
  } while (after !== null);
  return held;
}

/** Breaks locks as an operator does, each with its note in the audit log. @returns those that were still held */
export async function breakLocks(
  locks: Pick<Locks, 'unlock'>,
  caller: Caller,
  held: readonly HeldLock[],
): Promise<readonly HeldLock[]> {
  const broken: HeldLock[] = [];
  for (const lock of held) {
    const answer = await locks.unlock(caller, lock.address, { lockId: lock.lockId, alias: null });
    if (answer.type === 'released') broken.push(lock);
  }
  return broken;
}

function mayHaveTaken({ createdAt, revokedAt }: Credential, { since }: Holder): boolean {
  return since >= createdAt - LATE && (revokedAt === null || since <= revokedAt + LATE);
}
