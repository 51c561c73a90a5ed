import { z } from 'zod';
import type { RefusedWriteShape } from '../../../api/shapes/refused.ts';
import { formatAddress } from '../../../core/address.ts';
import type { RefusedWrite } from '../../../house/states/refused-records.ts';
import { count, instant, objectOf, text } from './plain.ts';

const REFUSED_WRITE: z.ZodType<RefusedWriteShape> = objectOf<RefusedWriteShape>({
  id: text('What it is asked for by.'),
  address: text('The state that it was to be written to.'),
  at: instant('When it was refused.'),
  until: instant('When it is dropped.'),
  subject: text('Who sent it, as authenticated.'),
  door: text('The door that it came through.'),
  refused: text('Why it was refused: the word of the refusal, such as `stale` or `fenced`.'),
  reason: z.string().nullable().describe('What of that, for `stale`.'),
  lockId: z.string().nullable().describe('The lock that the writer named; null where it named none.'),
  newest: objectOf<NonNullable<RefusedWriteShape['newest']>>({
    version: count('Its number.'),
    serial: text('Its serial.'),
    lineage: text('Its lineage.'),
  })
    .nullable()
    .describe('The newest version when it was refused; null where there was none.'),
  serial: text('The serial of the state. A string, because serials go beyond what a JSON number carries.'),
  lineage: text('The lineage of the state.'),
  terraformVersion: text('What wrote it; empty where encryption hides it.'),
  encrypted: z.boolean().describe("Whether this is OpenTofu's encrypted envelope."),
  size: count('Bytes.'),
  sha256: text('Of the bytes, in lower-case hex.'),
}).meta({ id: 'RefusedWrite' });

export const REFUSED_WRITES: z.ZodType<{ readonly writes: readonly RefusedWriteShape[] }> = z
  .strictObject({ writes: z.array(REFUSED_WRITE) })
  .meta({ id: 'RefusedWrites' }) as unknown as z.ZodType<{ readonly writes: readonly RefusedWriteShape[] }>;

export const DROPPED: z.ZodType<{ readonly dropped: string }> = z
  .strictObject({ dropped: text('The ID of what was dropped.') })
  .meta({ id: 'Dropped' });

export function toRefusedShape(write: RefusedWrite): RefusedWriteShape {
  const { id, address, at, until, subject, door, outcome, reason, lockId, head } = write;
  const { serial, lineage, terraformVersion, encrypted, size, sha256 } = write;
  return {
    id,
    address: formatAddress(address),
    at: new Date(at).toISOString(),
    until: new Date(until).toISOString(),
    subject,
    door,
    refused: outcome,
    reason,
    lockId,
    newest: head === null ? null : { ...head, serial: head.serial.toString() },
    serial: serial.toString(),
    lineage,
    terraformVersion,
    encrypted,
    size,
    sha256,
  };
}
