import { z } from 'zod';
import type { FreezeShape } from '../../../api/shapes/freeze.ts';
import type { Freeze } from '../../../house/freezes.ts';
import { instant, objectOf, text } from './plain.ts';

export const FREEZE: z.ZodType<FreezeShape> = objectOf<FreezeShape>({
  pattern: text('`project/key@workspace`, where `*` is any text.'),
  reason: text('What those who are refused are told.'),
  until: instant('When it ends by itself.'),
  by: text('Who froze it, as authenticated.'),
  since: instant('When.'),
}).meta({ id: 'Freeze' });

export const FREEZES: z.ZodType<{ readonly freezes: readonly FreezeShape[] }> = z
  .strictObject({ freezes: z.array(FREEZE) })
  .meta({ id: 'Freezes' });

export const LIFTED: z.ZodType<{ readonly unfrozen: string }> = z
  .strictObject({ unfrozen: text('The pattern of the freeze that has ended.') })
  .meta({ id: 'Unfrozen' });

export function toFreezeShape({ pattern, reason, until, by, since }: Freeze): FreezeShape {
  return {
    pattern,
    reason,
    until: new Date(until).toISOString(),
    by,
    since: new Date(since).toISOString(),
  };
}
