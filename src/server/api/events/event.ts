import type { Address } from '../../../core/address.ts';
import type { Signal, SignalEvent } from '../../../ports/signals.ts';

/** What is told of an event beside its address. */
export interface EventData {
  readonly at: string;
  readonly subject: string;
  readonly door: string;
  readonly facts: Signal['facts'];
}

/** One event of the stream. */
export interface HouseEvent {
  readonly name: SignalEvent;
  readonly address: Address;
  readonly data: EventData;
}

/** What a signal is to those who listen: what was done, and then each lock that was handed on by it. */
export function toEvents(
  { address, event, subject, door, facts, handovers }: Signal,
  now: Date,
): HouseEvent[] {
  const at = now.toISOString();
  const done = event === null ? [] : [{ name: event, address, data: { at, subject, door, facts } }];
  const handed = handovers.map((handover): HouseEvent => {
    const { lockId: lock, operation, fence } = handover;
    return {
      name: 'lock-granted',
      address,
      data: {
        at,
        subject: handover.subject,
        door: handover.door,
        facts: { lock, operation, fence, handedOver: true },
      },
    };
  });
  return [...done, ...handed];
}
