import { z } from 'zod';
import type { Page } from '../../../api/shapes/page.ts';
import type {
  AnnouncedShape,
  VersionShape,
  LockSummaryShape,
  StateShape,
} from '../../../api/shapes/state.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { count, instant, objectOf, pageOf, text } from './plain.ts';

export const VERSION: z.ZodType<VersionShape> = objectOf<VersionShape>({
  version: count('The number of the version, from 1 up per address.'),
  serial: text('The serial of the state. A string, because serials go beyond what a JSON number carries.'),
  lineage: text('The lineage of the state.'),
  terraformVersion: text('What wrote it; empty where encryption hides it.'),
  encrypted: z.boolean().describe("Whether this is OpenTofu's encrypted envelope."),
  size: count('Bytes.'),
  sha256: text('Of the bytes, in lower-case hex.'),
  md5: text('Of the bytes, in lower-case hex.'),
  at: instant('When it was written.'),
  subject: text('Who wrote it, as authenticated.'),
  door: text('The door that it came through.'),
  lockId: z.string().nullable().describe('The lock that it was written under; null when none was held.'),
  fence: z.int().nullable().describe('The fence of that lock.'),
  operation: z.string().nullable().describe('The operation that the lock was taken for.'),
  forced: z.boolean().describe('The serial or lineage broke the usual rules, under a lock that allowed it.'),
  restoredFrom: z.int().nullable().describe('The version whose content a restore brought back.'),
}).meta({ id: 'Version' });

const LOCK_SUMMARY: z.ZodType<LockSummaryShape> = objectOf<LockSummaryShape>({
  lockId: text('The ID of the lock; of the oldest one where plans hold it together.'),
  subject: text('Who holds it, as authenticated.'),
  door: text('The door that it was taken through.'),
  operation: text('What it was taken for.'),
  since: instant('When it was granted.'),
  holders: count('How many hold the lock together.'),
  waiting: count('How many wait for it.'),
}).meta({ id: 'LockSummary' });

export const STATE: z.ZodType<StateShape> = objectOf<StateShape>({
  address: text('`project/key` or `project/key@workspace`: what every `address` parameter takes.'),
  project: z.string(),
  key: z.string(),
  workspace: z.string(),
  newest: VERSION.nullable().describe('null for an address that is locked and has no state yet.'),
  deletedAt: z.string().nullable().describe('Set while the state is deleted; its versions are still there.'),
  lock: LOCK_SUMMARY.nullable().describe('null while the lock is free.'),
}).meta({ id: 'State' });

export const STATES: z.ZodType<Page<'states', StateShape>> = pageOf('states', STATE).meta({ id: 'States' });
export const VERSIONS: z.ZodType<Page<'versions', VersionShape>> = pageOf('versions', VERSION).meta({
  id: 'Versions',
});

export function toVersionShape(version: Version): VersionShape {
  const { number, serial, bodyId: _bodyId, at, ...same } = version;
  return { version: number, serial: serial.toString(), at: new Date(at).toISOString(), ...same };
}

export function toStateShape({ address, world: { record, holders, line } }: StateSummary): StateShape {
  const [holder] = holders;
  const { head, deletedAt } = record;
  return {
    address: formatAddress(address),
    ...address,
    newest: head === null ? null : toVersionShape(head),
    deletedAt: deletedAt === null ? null : new Date(deletedAt).toISOString(),
    lock:
      holder === undefined
        ? null
        : {
            lockId: holder.lockId,
            subject: holder.subject,
            door: holder.door,
            operation: holder.operation,
            since: new Date(holder.since).toISOString(),
            holders: holders.length,
            waiting: line.length,
          },
  };
}

export const ANNOUNCED: z.ZodType<AnnouncedShape> = objectOf<AnnouncedShape>({
  address: text('`project/key@workspace`'),
  until: instant('Until when a run may make its first version.'),
}).meta({ id: 'AnnouncedState' });
