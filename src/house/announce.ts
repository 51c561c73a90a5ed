import type { AddressCommand, CommandOf, CommandType } from '../core/command.ts';
import type { Held, Outcome, OutcomeOf, Released, Result } from '../core/outcome.ts';
import type { Holder } from '../core/world.ts';
import type { Signal, SignalEvent } from '../ports/signals.ts';

/** What is told of a lock ID, which may be as long as a lock info. */
const LOCK_ID_LENGTH_MAX = 200;

type EventFacts = Pick<Signal, 'event' | 'facts'>;

/** What those who watch are told of a command and what came of it; null for nothing. */
export function signalOf(command: AddressCommand, { outcome, handovers }: Result): Signal | null {
  const told = tell(command, outcome);
  if (told === null && handovers.length === 0) return null;
  const { subject, door } = command.actor;
  return {
    address: command.address,
    subject,
    door,
    event: told?.event ?? null,
    facts: told?.facts ?? {},
    handovers: handovers.map(({ seat, holder }) => ({
      seat,
      lockId: brief(holder.lockId),
      subject: holder.subject,
      door: holder.door,
      operation: brief(holder.operation),
      fence: holder.fence,
    })),
  };
}

/** What is told of each command, by what came of it: null for nothing. */
const TELL: {
  readonly [T in CommandType]: (outcome: OutcomeOf[T], command: CommandOf[T]) => EventFacts | null;
} = {
  lock: (outcome, { waiter }) => {
    if (outcome.type === 'granted') return outcome.again ? null : granted(outcome.holder);
    return outcome.type === 'held' ? waits(waiter, outcome) : null;
  },
  'park-over': (outcome, { waiter }) => (outcome.type === 'held' ? waits(waiter, outcome) : null),
  // The lock that a parked request takes up was told of when it was handed over.
  accept: () => null,
  leave: (outcome, { waiter }) => {
    if (outcome.type === 'left') return event('waiter-left', { waiter: brief(waiter) });
    return outcome.type === 'released' ? released(outcome) : null;
  },
  unlock: (outcome) => (outcome.type === 'released' ? released(outcome) : null),
  // A hold that goes on is no news; what ended by itself is told by those who look.
  renew: () => null,
  describe: () => null,
  expire: () => null,
  write: (outcome, { restore }) => {
    if (outcome.type !== 'stored' || outcome.repeat) return null;
    const { number, serial } = outcome.version;
    return event('version-stored', {
      version: number,
      serial: serial.toString(),
      restored: restore !== null,
    });
  },
  delete: (outcome) =>
    outcome.type === 'deleted' && !outcome.repeat
      ? event('state-deleted', { version: outcome.version.number })
      : null,
  undelete: (outcome) =>
    outcome.type === 'undeleted' ? event('state-undeleted', { version: outcome.version.number }) : null,
  prune: (outcome) =>
    outcome.type === 'pruned' && outcome.versions.length > 0
      ? event('versions-pruned', { versions: outcome.versions.length })
      : null,
  retain: (outcome, { version }) =>
    outcome.type === 'retention-set' ? event('retention-changed', { version: version.number }) : null,
  purge: (outcome) => (outcome.type === 'purged' ? event('state-purged', {}) : null),
};

/** @param result of this very command, so that its outcome is one of the command's own */
function tell<T extends CommandType>(
  command: CommandOf[T] & { readonly type: T },
  outcome: Outcome,
): EventFacts | null {
  const factsOf: (outcome: OutcomeOf[T], command: CommandOf[T]) => EventFacts | null = TELL[command.type];
  return factsOf(outcome as OutcomeOf[T], command);
}

function granted({ lockId, operation, fence, shared }: Holder): EventFacts {
  return event('lock-granted', { lock: brief(lockId), operation: brief(operation), fence, shared });
}

function released({ broken, lockIds }: Released): EventFacts {
  const lock = brief(lockIds[0] ?? '');
  return event(broken ? 'lock-broken' : 'lock-released', { lock, locks: lockIds.length });
}

function waits(name: string, { position, waiting, parkFor }: Held): EventFacts | null {
  if (position === null) return null;
  const waiter = brief(name);
  return event(parkFor === null ? 'waiter-asleep' : 'waiter-parked', { waiter, position, waiting });
}

function event(name: SignalEvent, facts: Signal['facts']): EventFacts {
  return { event: name, facts };
}

function brief(text: string): string {
  return text.slice(0, LOCK_ID_LENGTH_MAX);
}
