import { z } from 'zod';
import type { SessionShape, SignedOutShape } from '../../../api/shapes/session.ts';
import { ACTIONS, type Action } from '../../../core/action.ts';
import { instant, objectOf, text } from './plain.ts';
import { GRANT } from './house.ts';

const RIGHT: z.ZodType<Action> = z.enum(ACTIONS);

export const SESSION: z.ZodType<SessionShape> = objectOf<SessionShape>({
  subject: text('What locks, versions and the audit log call the caller.'),
  credential: z.string().nullable().describe('The id of its credential; null where it has none.'),
  grants: z.array(GRANT),
  onServer: z.array(RIGHT).describe('The rights that it has on the server as a whole.'),
  somewhere: z.array(RIGHT).describe('The rights that it has on some addresses at least.'),
  session: z
    .strictObject({
      since: instant('When it was begun.'),
      idleUntil: instant('If nothing is asked until then, it ends.'),
      until: instant('It ends then at the latest.'),
    })
    .nullable()
    .describe('null where the request came with a credential itself.'),
}).meta({ id: 'Session' });

export const SIGNED_OUT: z.ZodType<SignedOutShape> = objectOf<SignedOutShape>({
  ended: z.boolean().describe('Whether there was a session to end.'),
}).meta({ id: 'SignedOut' });
