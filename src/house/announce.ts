import type { AddressCommand } from '../core/command.ts';
import type { Outcome, Result } from '../core/outcome.ts';
import type { Signal, SignalEvent } from '../ports/signals.ts';

/** What is told of a lock ID, which may be as long as a lock info. */
const LOCK_ID_LENGTH_MAX = 200;

type Told = Pick<Signal, 'event' | 'facts'>;

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

function tell(command: AddressCommand, outcome: Outcome): Told | null {
  switch (outcome.type) {
    case 'granted': {
      // A parked request that takes up its lock was told of when the lock was handed to it.
      if (command.type !== 'lock' || outcome.again) return null;
      const { lockId, operation, fence, shared } = outcome.holder;
      return event('lock-granted', { lock: brief(lockId), operation: brief(operation), fence, shared });
    }
    case 'released': {
      const lock = brief(outcome.lockIds[0] ?? '');
      return event(outcome.broken ? 'lock-broken' : 'lock-released', { lock, locks: outcome.lockIds.length });
    }
    case 'held': {
      const waits = command.type === 'lock' || command.type === 'park-over';
      if (!waits || outcome.position === null) return null;
      const { position, waiting, parkFor } = outcome;
      const waiter = brief(command.waiter);
      return event(parkFor === null ? 'waiter-asleep' : 'waiter-parked', { waiter, position, waiting });
    }
    case 'noted':
      return command.type === 'leave' ? event('waiter-left', { waiter: brief(command.waiter) }) : null;
    case 'stored': {
      const { number, serial } = outcome.version;
      return outcome.repeat
        ? null
        : event('version-stored', {
            version: number,
            serial: serial.toString(),
            restored: isRestore(command),
          });
    }
    case 'deleted':
      return outcome.repeat ? null : event('state-deleted', { version: outcome.version.number });
    case 'undeleted':
      return event('state-undeleted', { version: outcome.version.number });
    case 'pruned': {
      if (command.type === 'purge') return event('state-purged', {});
      const versions = outcome.versions.length;
      return versions === 0 ? null : event('versions-pruned', { versions });
    }
    default:
      return null;
  }
}

function isRestore(command: AddressCommand): boolean {
  return command.type === 'write' && command.restore !== null;
}

function event(name: SignalEvent, facts: Signal['facts']): Told {
  return { event: name, facts };
}

function brief(text: string): string {
  return text.slice(0, LOCK_ID_LENGTH_MAX);
}
