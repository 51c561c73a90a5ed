import type { AddressCommand } from '../../../../src/core/command.ts';
import type { Decision } from '../../../../src/core/decide.ts';
import { isPlace } from '../../../../src/core/rules/queue.ts';
import { liveHead, type Holder, type QueueEntry, type World } from '../../../../src/core/world.ts';
import { lockIdOf, type Move, type Party, type Situation } from './model.ts';

type Decide = (command: AddressCommand, world: World, at: number) => Decision;

/** A request that was held open so long past its time has lost its node. */
const NODE_GRACE = 30_000;

/** One step of an exploration. */
export interface Step {
  readonly before: Situation;
  readonly move: Move;
  readonly command: AddressCommand;
  readonly decision: Decision;
  readonly after: Situation;
}

/** What must hold in every situation, and after every step: each returns what is wrong, or null. */
export const INVARIANTS: Readonly<Record<string, (step: Step, decide: Decide) => string | null>> = {
  'an apply holds the lock alone': ({ after }) => {
    const holders = after.world.holders.map(({ lockId }) => partyOf(after, lockId)?.player);
    return holders.length > 1 && holders.some((player) => player?.shared !== true)
      ? `${holders.map((player) => player?.lockId).join(' and ')} hold the lock`
      : null;
  },

  'every grant has a greater fence than all before it': ({ before, decision, after }) => {
    const known = new Set(before.world.holders.map(({ lockId, fence }) => `${lockId} ${fence}`));
    // One that is taken back in the same step was a grant as well.
    const granted = decision.effects.flatMap((effect) =>
      effect.type === 'put-holder' ? [effect.holder] : [],
    );
    const fences = [
      ...new Set(granted.filter((h) => !known.has(`${h.lockId} ${h.fence}`)).map((h) => h.fence)),
    ];
    const grow = fences.every((fence, i) => fence > (fences[i - 1] ?? before.world.record.fence));
    return grow && after.world.record.fence === (fences.at(-1) ?? before.world.record.fence)
      ? null
      : `fence ${before.world.record.fence} was followed by ${fences.join(', ')}`;
  },

  'no version comes from a holder whose grant is over': ({ before, move, command, decision }) => {
    if (command.type !== 'write' || !storesVersion(decision)) return null;
    const holders = before.world.holders.filter(isRunning(before.at));
    if (holders.length === 0) return command.claim.kind === 'named' ? 'a named lock was not held' : null;
    const writer = before.parties[move.by];
    const [holder] = holders;
    const holds = holder?.lockId === (writer && lockIdOf(writer)) && holder?.fence === writer?.fence;
    return holders.length === 1 && holds
      ? null
      : `${move.name} while ${holders.map((each) => each.lockId).join(' and ')} held the lock`;
  },

  'only its holder changes a locked state': ({ before, move, after }) => {
    const holder = before.world.holders.find(isRunning(before.at));
    const changed =
      before.world.record.head !== after.world.record.head ||
      before.world.record.deletedAt !== after.world.record.deletedAt;
    const by = before.parties[move.by];
    return changed && holder !== undefined && (by && lockIdOf(by)) !== holder.lockId
      ? `${move.name} while ${holder.lockId} held the lock`
      : null;
  },

  'a serial never falls, nor a version number': ({ before, after }) => {
    const [old, next] = [liveHead(before.world.record), liveHead(after.world.record)];
    if (next === null || next === old) return null;
    if (next === before.world.record.head) return null;
    if (next.number !== before.world.record.lastVersion + 1) return `version ${next.number} is not the next`;
    return old !== null && next.serial <= old.serial && !next.forced
      ? `serial ${old.serial} was followed by ${next.serial}`
      : null;
  },

  'a parked waiter never waits for a free lock': ({ after: { world } }) => {
    const first = parked(world)[0];
    if (first === undefined || world.record.freeAt !== null) return null;
    // Plans that hold the lock together let no plan in that stands behind an apply.
    const isBarred = world.line.some(
      (place) => isPlace(place) && !place.shared && place.ticket < first.ticket,
    );
    const free = first.shared && world.holders.every(({ shared }) => shared) && !isBarred;
    return world.holders.length === 0 || free ? `${first.waiter} is parked before a free lock` : null;
  },

  'the lock goes to whoever of the parked asked first': ({ before, command, decision, after }) => {
    const tickets = new Map(before.world.line.map(({ waiter, ticket }) => [waiter, ticket]));
    // Holds end, and those who are parked then are served, before whoever asks in this step is parked.
    const first = hasEnds(before) ? parked(before.world).map(({ waiter }) => waiter) : null;
    const waiting = parked(after.world).filter(({ waiter }) => first === null || first.includes(waiter));
    const served = decision.handovers.map(({ waiter }) => waiter);
    if (command.type === 'lock' && decision.outcome.type === 'granted' && !isAgain(decision)) {
      served.push(command.waiter);
    }
    const late = served.find((waiter) =>
      waiting.some((place) => place.ticket < (tickets.get(waiter) ?? Infinity)),
    );
    return late === undefined ? null : `${late} was served before ${waiting[0]?.waiter}`;
  },

  'a lock is handed only to a request that is open': ({ before, decision }) => {
    const deaf = decision.handovers.find(({ waiter, seat }) => partyOf(before, waiter)?.open !== seat);
    return deaf === undefined ? null : `${deaf.waiter} was granted the lock at ${deaf.seat}, which is closed`;
  },

  'a request that was replaced has no say': ({ before, move, command, decision, after }) => {
    const stale = before.parties[move.by]?.stale;
    const ends = command.type === 'park-over' || command.type === 'leave' || command.type === 'accept';
    const isSilent = decision.outcome.type === 'gone' || decision.outcome.type === 'not-locked';
    return ends &&
      command.seat === stale &&
      (!isSilent || after.world.holders.length < before.world.holders.filter(isRunning(before.at)).length)
      ? `an old request was answered ${decision.outcome.type}`
      : null;
  },

  'who hangs up is out': ({ move, command, after: { world, parties } }) => {
    if (command.type !== 'leave' || command.unheard === true) return null;
    if (parties[move.by]?.open !== null) return null;
    const waits = world.line.some(({ seat }) => seat === command.seat);
    const holds = world.holders.some(
      ({ answers, fence }) =>
        world.record.head?.fence !== fence && answers.some(({ seat }) => seat === command.seat),
    );
    return waits || holds ? 'a closed request still has its place' : null;
  },

  'who is dead does not stay in line': ({ command, decision, after: { world, at } }) => {
    const dead = world.line.find(({ until }) => at > until + NODE_GRACE);
    const { type } = decision.outcome;
    const looked = command.type === 'lock' && (type === 'held' || (type === 'granted' && !isAgain(decision)));
    return looked && dead !== undefined ? `${dead.waiter} is still in line` : null;
  },

  'a node that is thought dead loses nothing that it has answered': ({ before, command, after }) => {
    if (command.type !== 'leave' || command.unheard !== true) return null;
    const lost = before.world.holders.find(
      ({ lockId, fence, until }) =>
        (until === null || before.at < until) &&
        partyOf(before, lockId)?.fence === fence &&
        !after.world.holders.some((holder) => holder.fence === fence),
    );
    return lost === undefined ? null : `${lost.lockId} was told of a grant that was taken back`;
  },

  'a hold is over at its end, and not before it unless it is released or broken': ({
    before,
    command,
    decision,
    after,
  }) => {
    const over = after.world.holders.find(({ until }) => until !== null && after.at >= until);
    if (over !== undefined) return `${over.lockId} holds the lock after its end`;
    const ends = decision.effects.filter(
      (effect) => effect.type === 'audit' && effect.note.action === 'lock-ended',
    ).length;
    const due = before.world.holders.filter(({ until }) => until !== null && before.at >= until).length;
    return ends === due ? null : `${ends} holds ended of the ${due} that were due (${command.type})`;
  },

  'nobody is granted the lock while the delay of a hold that ended lasts': ({ before, after }) => {
    const known = new Set(before.world.holders.map(({ fence }) => fence));
    const granted = after.world.holders.find(({ fence }) => !known.has(fence));
    const delayed = before.world.holders.find(
      ({ until, delay }) => until !== null && before.at >= until && before.at < until + delay,
    );
    const { freeAt, keptFor } = before.world.record;
    const waits = delayed !== undefined || (freeAt !== null && before.at < freeAt && keptFor === null);
    return granted !== undefined && waits ? `${granted.lockId} was granted the lock within the delay` : null;
  },

  'a lock that is kept goes to nobody who stands behind': ({ before, after }) => {
    const { freeAt, keptFor } = before.world.record;
    const kept = before.world.line.find(({ waiter }) => waiter === keptFor);
    if (kept === undefined || freeAt === null || before.at >= freeAt) return null;
    // Plans that stand together are let in together, and keep no plan out that comes back.
    if (after.world.holders.some(({ waiter }) => waiter === kept.waiter)) return null;
    if (kept.shared && after.world.holders.every(({ shared }) => shared)) return null;
    const tickets = new Map(before.world.line.map(({ waiter, ticket }) => [waiter, ticket]));
    const late = after.world.holders.find(({ waiter }) => (tickets.get(waiter) ?? Infinity) > kept.ticket);
    return late === undefined ? null : `${late.waiter} was granted the lock that was kept for ${kept.waiter}`;
  },

  'a lock is kept for half a usual hold and a second at the most': ({ after: { world, at } }) => {
    const { freeAt, keptFor, typicalHold } = world.record;
    if (keptFor === null) return null;
    const time = (freeAt ?? Infinity) - at;
    return typicalHold !== null && time <= typicalHold / 2 + 1_000 && world.holders.length === 0
      ? null
      : `the lock is kept for ${keptFor} for ${time} ms`;
  },

  'no plan comes in past an apply that has a place': ({ before, after }) => {
    const known = new Set(before.world.holders.map(({ fence }) => fence));
    const stays = after.world.holders.some(({ fence }) => known.has(fence));
    const tickets = new Map(before.world.line.map(({ waiter, ticket }) => [waiter, ticket]));
    const late = after.world.holders.find(
      ({ waiter, fence }) =>
        !known.has(fence) &&
        after.world.line.some(
          (place) => isPlace(place) && !place.shared && place.ticket < (tickets.get(waiter) ?? Infinity),
        ),
    );
    return stays && late !== undefined ? `${late.waiter} came in past an apply` : null;
  },

  'a grant that was heard is not taken back by the death of another request': ({
    before,
    command,
    after,
  }) => {
    if (command.type !== 'leave') return null;
    const lost = before.world.holders.find(({ lockId, fence, until }) => {
      if (until !== null && before.at >= until) return false;
      const party = partyOf(before, lockId);
      const kept = after.world.holders.some((holder) => holder.fence === fence);
      return party?.heard === true && party.fence === fence && !kept;
    });
    return lost === undefined ? null : `${lost.lockId} lost the lock that it had heard of`;
  },

  'a lock ID that was released is not granted again': ({ before, after }) => {
    const granted = after.world.holders.find(
      ({ lockId, fence }) =>
        before.parties.some(({ spent }) => spent?.lockId === lockId) &&
        !before.world.holders.some((holder) => holder.fence === fence),
    );
    return granted === undefined ? null : `${granted.lockId} was granted again`;
  },

  'the line is in order, each waiter once, none twice seated': ({ after: { world, parties } }) => {
    const { line, record } = world;
    const ordered = line.every(({ ticket }, i) => ticket > (line[i - 1]?.ticket ?? 0));
    const waiters = new Set(line.map(({ waiter }) => waiter));
    const bounded = line.length <= parties.length && waiters.size === line.length;
    const ends = line.every(({ ticket }) => ticket <= record.lastTicket);
    const both = world.holders.find(({ waiter }) => waiters.has(waiter));
    if (both !== undefined) return `${both.waiter} holds the lock and waits for it`;
    return ordered && bounded && ends ? null : `the line is ${line.map(({ waiter }) => waiter).join(', ')}`;
  },

  'an answer agrees with the rows': ({ command, decision: { outcome }, after: { world } }) => {
    if (outcome.type === 'granted') {
      return world.holders.includes(outcome.holder) ? null : 'a grant was answered that is not kept';
    }
    if (outcome.type === 'held' && command.type === 'lock') {
      const place = world.line.find(({ waiter }) => waiter === command.waiter);
      const seat = outcome.parkFor === null ? null : command.seat;
      return place !== undefined && place.seat === seat ? null : 'the asker does not stand as it was told';
    }
    if (outcome.type === 'stored')
      return liveHead(world.record) === outcome.version ? null : 'stored, not shown';
    return null;
  },

  'every grant, release, write and removal is in the audit log': ({ before, decision, after }) => {
    const deeds = decision.effects.filter(({ type }) => type === 'audit').length;
    const known = new Set(before.world.holders.map(({ fence }) => fence));
    const granted = new Set(
      decision.effects.flatMap((effect) => (effect.type === 'put-holder' ? [effect.holder.fence] : [])),
    );
    const changes =
      [...granted].filter((fence) => !known.has(fence)).length +
      decision.effects.filter(({ type }) => type === 'drop-holder' || type === 'put-version').length;
    const shown = before.world.record.deletedAt !== after.world.record.deletedAt && !storesVersion(decision);
    return deeds >= changes + (shown ? 1 : 0) ? null : 'a deed is missing in the audit log';
  },

  'a command that is sent again is answered in kind, and changes nothing more': (
    { move, command, decision, after },
    decide,
  ) => {
    if (!isRepeatable(command, decision)) return null;
    const again = decide(command, after.world, after.at);
    if (again.outcome.type !== decision.outcome.type) {
      return `${move.name}: ${decision.outcome.type}, and then ${again.outcome.type}`;
    }
    const harm = again.effects.find(
      ({ type }) => type === 'put-version' || type === 'drop-holder' || type === 'audit',
    );
    return harm === undefined ? null : `${move.name} twice: ${harm.type}`;
  },

  'what was answered stays answered': ({ before, move, command, decision }) => {
    const party = before.parties[move.by];
    if (command.type === 'unlock' && party?.unlocked === true) {
      return decision.outcome.type === 'released' ? null : `a release sent again is ${decision.outcome.type}`;
    }
    const kept = liveHead(before.world.record);
    if (command === party?.written && kept?.sha256 === party.written.sha256) {
      return decision.outcome.type === 'stored' ? null : `a write sent again is ${decision.outcome.type}`;
    }
    return null;
  },
};

function isRepeatable(command: AddressCommand, { outcome }: Decision): boolean {
  switch (command.type) {
    case 'lock':
      return outcome.type === 'granted';
    case 'unlock':
      return outcome.type === 'released';
    case 'write':
      return outcome.type === 'stored';
    case 'delete':
      return outcome.type === 'deleted';
    case 'accept':
      return outcome.type === 'granted';
    default:
      return false;
  }
}

/** Whether holds, or the delay after one, have come to their end and nothing was done about it yet. */
function hasEnds({ world, at }: Situation): boolean {
  const { freeAt } = world.record;
  return (freeAt !== null && at >= freeAt) || world.holders.some((holder) => !isRunning(at)(holder));
}

/** Whether a hold has not come to its end by itself. */
function isRunning(at: number): (holder: Holder) => boolean {
  return ({ until }) => until === null || at < until;
}

function partyOf({ parties }: Situation, lockId: string): Party | undefined {
  return parties.find((party) => lockIdOf(party) === lockId);
}

function isAgain({ outcome }: Decision): boolean {
  return outcome.type === 'granted' && outcome.again;
}

function storesVersion({ effects }: Decision): boolean {
  return effects.some(({ type }) => type === 'put-version');
}

function parked(world: World): readonly QueueEntry[] {
  return world.line.filter(({ seat }) => seat !== null);
}
