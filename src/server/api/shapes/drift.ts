import { z } from 'zod';
import type { DriftDetailShape, DriftShape } from '../../../api/shapes/drift.ts';
import type { Page } from '../../../api/shapes/page.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Instant } from '../../../core/instant.ts';
import type { DriftDetail, DriftView } from '../../../runs/drift/drift.ts';
import { DRIFT_ACTIONS } from '../../../runs/drift/records.ts';
import { count, instant, objectOf, text } from './plain.ts';

const FIELDS = {
  address: text('`project/key@workspace`.'),
  drifted: z.boolean().describe('What is there is not as the state says.'),
  count: count('Resources that have drifted; 0 where outputs alone have.'),
  checkedAt: instant('When the last check that found it out began; null where none has.').nullable(),
  run: z.string().nullable().describe('The run of that check.'),
  problem: z.string().nullable().describe('Why the check after it found nothing out; null where it did.'),
};

const DRIFT: z.ZodType<DriftShape> = objectOf<DriftShape>(FIELDS).meta({ id: 'Drift' });

export const DRIFTS: z.ZodType<Page<'states', DriftShape>> = z
  .strictObject({ states: z.array(DRIFT), next: z.string().nullable() })
  .meta({ id: 'Drifts' });

export const DRIFT_DETAIL: z.ZodType<DriftDetailShape> = objectOf<DriftDetailShape>({
  ...FIELDS,
  schedule: z.string().nullable().describe('`every 24h` or `daily at 03:00`, in UTC; null for never.'),
  dueAt: instant('When it is looked at next; null for never.').nullable(),
  outdated: z.boolean().describe('The state was written since it was looked at.'),
  resources: z
    .array(
      z.strictObject({
        address: text('The resource, as `aws_instance.web[0]`.'),
        action: z.enum(DRIFT_ACTIONS).describe('What was done to it.'),
      }),
    )
    .describe('Up to 1,000 of those that have drifted, without their values.'),
}).meta({ id: 'DriftDetail' });

export function toDriftShape({ address, record }: DriftView): DriftShape {
  const found = record?.found ?? null;
  return {
    address: formatAddress(address),
    drifted: found?.drifted ?? false,
    count: found?.count ?? 0,
    checkedAt: momentOf(found?.at ?? null),
    run: found?.run ?? null,
    problem: record?.problem ?? null,
  };
}

export function toDriftDetailShape(detail: DriftDetail): DriftDetailShape {
  const { schedule, dueAt, isOutdated, resources } = detail;
  return {
    ...toDriftShape(detail),
    schedule,
    dueAt: momentOf(dueAt),
    outdated: isOutdated,
    resources: resources.map(({ address, action }) => ({ address, action })),
  };
}

function momentOf(at: Instant | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
