import { z } from 'zod';
import type { RunTriggerShape } from '../../../api/shapes/run-trigger.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Trigger } from '../../../runs/triggers/triggers.ts';
import { instant, objectOf, text } from './plain.ts';

export const RUN_TRIGGER: z.ZodType<RunTriggerShape> = objectOf<RunTriggerShape>({
  id: text('Its ID, `rt-…`.'),
  address: text('The state whose runs are made: `project/key@workspace`.'),
  after: text('The state whose applies count.'),
  createdAt: instant('When it was made.'),
  createdBy: text('Who made it, as authenticated.'),
}).meta({ id: 'RunTrigger' });

export const RUN_TRIGGERS: z.ZodType<{ readonly triggers: readonly RunTriggerShape[] }> = z
  .strictObject({ triggers: z.array(RUN_TRIGGER) })
  .meta({ id: 'RunTriggers' });

export function toTriggerShape({ id, source, target, createdAt, createdBy }: Trigger): RunTriggerShape {
  return {
    id,
    address: formatAddress(target),
    after: formatAddress(source),
    createdAt: new Date(createdAt).toISOString(),
    createdBy,
  };
}
