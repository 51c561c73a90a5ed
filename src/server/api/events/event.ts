import type { Address } from '../../../core/address.ts';
import type { ChangeRecord } from '../../../ports/engine.ts';
import { isLiveEvent, type Signal, type SignalEvent } from '../../../ports/signals.ts';

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

type Facts = ChangeRecord['note']['detail'];

interface FilledEvent {
  readonly name: SignalEvent;
  readonly facts: readonly string[];
  /** Facts that the action itself says. */
  readonly more?: Facts;
}

/** What is told of each action that is stored, and which of its facts. */
const FILLED_EVENTS: ReadonlyMap<string, FilledEvent> = new Map<string, FilledEvent>([
  ['lock', { name: 'lock-granted', facts: ['lock', 'operation', 'fence', 'shared', 'handedOver'] }],
  // A holder that goes on under another ID, as a lease that is changed.
  ['renew', { name: 'lock-granted', facts: ['lock', 'before', 'fence'] }],
  ['unlock', { name: 'lock-released', facts: ['lock', 'fence'] }],
  ['lock-taken-back', { name: 'lock-released', facts: ['lock', 'fence'] }],
  ['lock-ended', { name: 'lock-released', facts: ['lock', 'fence'], more: { ended: true } }],
  ['force-unlock', { name: 'lock-broken', facts: ['lock', 'fence'] }],
  ['write', { name: 'version-stored', facts: ['version', 'serial'], more: { restored: false } }],
  ['restore', { name: 'version-stored', facts: ['version', 'serial'], more: { restored: true } }],
  ['prune', { name: 'versions-pruned', facts: ['versions'] }],
  ['retain', { name: 'retention-changed', facts: ['version', 'mode', 'until', 'legalHold', 'dropped'] }],
  ['delete', { name: 'state-deleted', facts: ['version'] }],
  ['undelete', { name: 'state-undeleted', facts: ['version'] }],
  ['purge', { name: 'state-purged', facts: [] }],
]);

/** What is told of a text, which may be as long as a lock info. */
const TEXT_LENGTH_MAX = 200;

/** The event that a change is; null where it is none. */
export function eventOfChange({ at, address, note }: ChangeRecord): HouseEvent | null {
  const { action, subject, door, detail } = note;
  const told = FILLED_EVENTS.get(action);
  if (told === undefined) return null;
  const facts = told.facts.flatMap((name) => {
    const fact = detail[name];
    return fact === undefined
      ? []
      : [[name, typeof fact === 'string' ? fact.slice(0, TEXT_LENGTH_MAX) : fact]];
  });
  const data = {
    at: new Date(at).toISOString(),
    subject,
    door,
    facts: { ...(Object.fromEntries(facts) as Facts), ...told.more },
  };
  return { name: told.name, address, data };
}

/** The event that a signal is which is stored nowhere; null where what it tells is stored. */
export function eventOfSignal(
  { address, event, subject, door, facts }: Signal,
  now: Date,
): HouseEvent | null {
  if (event === null || !isLiveEvent(event)) return null;
  return { name: event, address, data: { at: now.toISOString(), subject, door, facts } };
}
