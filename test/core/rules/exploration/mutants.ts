import type { AddressCommand } from '../../../../src/core/command.ts';
import { decide, type Decision } from '../../../../src/core/decide.ts';
import { LINE_RULE } from '../../../../src/core/rules/estimate.ts';
import type { Effect } from '../../../../src/core/effect.ts';
import type { World } from '../../../../src/core/world.ts';

type Decide = (command: AddressCommand, world: World, at: number) => Decision;

/** Rules that are broken on purpose: an exploration that finds nothing wrong with them is blind. */
export const MUTANTS: Readonly<Record<string, Decide>> = {
  'a lock that does not see its holders': (command, world, at) =>
    decide(command, command.type === 'lock' ? { ...world, holders: [] } : world, at),

  'an apply that shares as plans do': (command, world, at) =>
    decide(command.type === 'lock' ? { ...command, shared: true } : command, world, at),

  'a fence that stands still': (command, world, at) =>
    changed(decide(command, world, at), (effect) =>
      effect.type === 'put-record'
        ? { ...effect, record: { ...effect.record, fence: world.record.fence } }
        : effect,
    ),

  'a write that a broken lock lets through': (command, world, at) =>
    command.type === 'write' && world.holders.length === 0
      ? decide({ ...command, claim: { kind: 'none' } }, world, at)
      : decide(command, world, at),

  'a write beside the holder': (command, world, at) =>
    decide(command, command.type === 'write' ? { ...world, holders: [] } : world, at),

  'a stale write that is taken': (command, world, at) =>
    command.type === 'write'
      ? decide(command, { ...world, record: { ...world.record, head: null } }, at)
      : decide(command, world, at),

  'a repeated write that makes a second version': (command, world, at) => {
    const { head } = world.record;
    const unknown = head === null ? head : { ...head, sha256: 'unknown', serial: head.serial - 1n };
    return command.type === 'write'
      ? decide(command, { ...world, record: { ...world.record, head: unknown } }, at)
      : decide(command, world, at);
  },

  'a repeated lock that is refused': (command, world, at) =>
    decide(command.type === 'lock' ? { ...command, lockId: `${command.lockId}.` } : command, world, at),

  'a repeated release that is refused': (command, world, at) =>
    decide(command, command.type === 'unlock' ? { ...world, releases: [] } : world, at),

  'a released lock ID that is granted again to whoever asks late': (command, world, at) =>
    decide(command, command.type === 'lock' ? { ...world, releases: [] } : world, at),

  'a late copy that takes the lock along when it dies': (command, world, at) =>
    command.type === 'leave'
      ? decide(
          command,
          {
            ...world,
            holders: world.holders.map((holder) => ({
              ...holder,
              answers: holder.answers.filter(({ seat }) => seat === command.seat),
            })),
          },
          at,
        )
      : decide(command, world, at),

  'a hold that goes on after its end': (command, world, at) =>
    decide(command, { ...world, holders: world.holders.map((holder) => ({ ...holder, until: null })) }, at),

  'a hold that ends too early': (command, world, at) => decide(command, world, at + 1_000),

  'a delay that nobody keeps': (command, world, at) =>
    decide(
      command,
      {
        ...world,
        record: { ...world.record, freeAt: null },
        holders: world.holders.map((holder) => ({ ...holder, delay: 0 })),
      },
      at,
    ),

  'a renewal that forgets the hold': (command, world, at) =>
    command.type === 'renew' ? decide(command, { ...world, holders: [] }, at) : decide(command, world, at),

  'a release that does not hand on': (command, world, at) =>
    decide(command, command.type === 'unlock' ? { ...world, line: [] } : world, at),

  'a line that is served from its end': (command, world, at) =>
    decide(command, { ...world, line: [...world.line].reverse() }, at),

  'a client that hangs up and keeps its place': (command, world, at) =>
    command.type === 'leave'
      ? { outcome: { type: 'left' }, effects: [], handovers: [] }
      : decide(command, world, at),

  'a request that is sent away and keeps its seat': (command, world, at) => {
    const decision = decide(command, world, at);
    return command.type === 'park-over'
      ? changed(decision, (effect) =>
          effect.type === 'put-place'
            ? { ...effect, place: { ...effect.place, seat: command.seat } }
            : effect,
        )
      : decision;
  },

  'an old request that takes up the grant of a new one': (command, world, at) =>
    command.type === 'accept' || command.type === 'leave'
      ? decide({ ...command, seat: seatOf(world, command.waiter) ?? command.seat }, world, at)
      : decide(command, world, at),

  'a grant that is taken back although it was answered': (command, world, at) =>
    decide(command.type === 'leave' ? { ...command, unheard: false } : command, world, at),

  'a dead node whose waiters block the line': (command, world, at) =>
    decide(command, { ...world, line: world.line.map((place) => ({ ...place, until: Infinity })) }, at),

  'a plan that overtakes the apply that waits': (command, world, at) =>
    command.type === 'lock' && command.shared
      ? decide(
          command,
          { ...world, line: world.line.filter(({ shared, until }) => shared || until < at) },
          at,
        )
      : decide(command, world, at),

  'a plan that comes in while the apply before it sleeps': (command, world, at) =>
    command.type === 'lock' && command.shared
      ? decide(
          command,
          { ...world, line: world.line.filter(({ shared, seat }) => shared || seat !== null) },
          at,
        )
      : decide(command, world, at),

  'a lock that is kept for nobody': (command, world, at) =>
    world.record.keptFor === null
      ? decide(command, world, at)
      : decide(command, { ...world, record: { ...world.record, freeAt: null, keptFor: null } }, at, {
          ...LINE_RULE,
          keepFor: () => -1,
        }),

  'a lock that is kept for too long': (command, world, at) =>
    decide(command, world, at, { ...LINE_RULE, keepFor: () => 16_000 }),

  'a state that comes back under a holder': (command, world, at) =>
    decide(command, command.type === 'undelete' ? { ...world, holders: [] } : world, at),

  'a deed that is not in the audit log': (command, world, at) => {
    const decision = decide(command, world, at);
    return { ...decision, effects: decision.effects.filter(({ type }) => type !== 'audit') };
  },
};

function changed(decision: Decision, change: (effect: Effect) => Effect): Decision {
  return { ...decision, effects: decision.effects.map(change) };
}

function seatOf({ holders }: World, waiter: string): string | null {
  return holders.find((holder) => holder.waiter === waiter)?.seat ?? null;
}
