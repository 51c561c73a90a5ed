import type { Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { AuditRecord, Engine } from '../../ports/engine.ts';

/** Records of an address that are looked at, the newest: a cycle of a lock has four or five. */
const RECORDS_MAX = 200;
const HOLDS_MAX = 20;
const ENDS: ReadonlySet<string> = new Set(['unlock', 'force-unlock', 'lock-ended']);

/** A hold of a lock that has ended. */
export interface PastHold {
  readonly since: Instant;
  readonly held: Milliseconds;
  readonly operation: string;
  readonly shared: boolean;
  /** Somebody else ended it. */
  readonly broken: boolean;
}

/** The last holds of a lock, the oldest first. @throws EngineFault when the engine cannot be asked */
export async function pastHolds(
  engine: Pick<Engine, 'audit'>,
  address: Address,
): Promise<readonly PastHold[]> {
  return holdsIn(await engine.audit({ address, limit: RECORDS_MAX }));
}

/** The holds of which both the grant and the end are told, the oldest first. @param records the newest first */
function holdsIn(records: readonly Pick<AuditRecord, 'at' | 'note'>[]): readonly PastHold[] {
  const granted = new Map<unknown, (typeof records)[number]>();
  const holds: PastHold[] = [];
  for (const record of records.toReversed()) {
    const { action, detail, refused } = record.note;
    if (refused !== undefined) continue;
    const grant = granted.get(detail['fence']);
    if (action === 'lock') granted.set(detail['fence'], record);
    if (grant === undefined || !ENDS.has(action)) continue;
    granted.delete(detail['fence']);
    const { operation, shared } = grant.note.detail;
    holds.push({
      since: grant.at,
      held: Math.max(0, record.at - grant.at),
      operation: String(operation ?? ''),
      shared: shared === true,
      broken: action === 'force-unlock',
    });
  }
  return holds.slice(-HOLDS_MAX);
}
