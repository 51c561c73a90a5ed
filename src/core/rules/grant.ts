import type { Actor } from '../command.ts';
import type { Holder, QueueEntry } from '../world.ts';
import type { Draft } from './draft.ts';

/** What a grant is made from: a request, or a place in line. */
type Asker = Omit<QueueEntry, 'ticket' | 'firstAsk' | 'lastAsk' | 'asks' | 'until' | 'origin'> &
  Pick<Holder, 'accepted'> &
  Pick<Actor, 'origin'>;

/** Who stands in line, as who asks for what comes next. */
export function askerIn({ origin, ...place }: QueueEntry): Asker {
  return { ...place, accepted: false, ...(origin === null ? {} : { origin }) };
}

/** The holder that an asker would be, with the next fence. */
export function holderOf(draft: Draft, asker: Asker): Holder {
  return {
    lockId: asker.lockId,
    waiter: asker.waiter,
    subject: asker.subject,
    door: asker.door,
    operation: asker.operation,
    shared: asker.shared,
    fence: draft.record.fence + 1,
    since: draft.at,
    until: asker.lease === null ? null : draft.at + asker.lease,
    delay: asker.delay,
    info: asker.info,
    aliases: [asker.alias],
    seat: asker.seat,
    accepted: asker.accepted,
    answers: asker.seat === null ? [] : [{ seat: asker.seat, alias: asker.alias }],
  };
}

/** Gives the lock. The caller has seen that it is free. */
export function grant(draft: Draft, asker: Asker): Holder {
  const holder = holderOf(draft, asker);
  draft.change({ fence: holder.fence, freeAt: null, keptFor: null });
  draft.putHolder(holder);
  draft.note(asker, 'lock', {
    lock: holder.lockId,
    fence: holder.fence,
    operation: holder.operation,
    shared: holder.shared,
    ...(holder.accepted ? {} : { handedOver: true }),
  });
  return holder;
}
