import type { AddressCommand, LockCommand, WriteCommand } from '../../../../src/core/command.ts';
import type { Instant } from '../../../../src/core/instant.ts';
import { RELEASE_LIFE } from '../../../../src/core/rules/releases.ts';
import { liveHead, type World } from '../../../../src/core/world.ts';
import { actorOf, ADDRESS, apply, NO_INFO, writeOf } from '../one-address.ts';
import { lockIdOf, type Move, type Party, type Scope, type Situation } from './model.ts';

const OPERATOR = apply('operator');
const STRANGER = apply('stranger');

/** A little, past a sleeping waiter's patience, and past a dead node's. */
const STEPS = [1_000, 20_000, 60_000] as const;

type Named = readonly [name: string, command: AddressCommand];

/** All that may happen next. */
export function movesFrom({ at, world, parties }: Situation, { happenings }: Scope): readonly Move[] {
  const others: Named[] = [];
  if (happenings.includes('breaks')) others.push(...breakIns(world));
  if (happenings.includes('leases')) {
    const actor = actorOf(OPERATOR);
    others.push(['a node looks at the time', { type: 'expire', address: ADDRESS, actor }]);
  }
  if (happenings.includes('stranger')) others.push(...strangersDeeds(world));
  const time = happenings.includes('time') ? STEPS : [];
  return [
    ...parties.flatMap((party, by) => {
      const moves: Named[] = [
        ...asks(party, world, happenings.includes('reconnect')),
        ...requestEnds(party, world),
      ];
      if (happenings.includes('reconnect')) moves.push(...lateEnds(party));
      if (happenings.includes('writes')) moves.push(...writes(party, world));
      if (party.fence !== null || party.unlocked) moves.push(['releases', unlockOf(party)]);
      if (happenings.includes('leases')) moves.push(...leaseMoves(party));
      const { lockId } = party.player;
      const own = moves.map(([name, command]) => ({ ...NOTHING, name: `${lockId} ${name}`, command, by }));
      return happenings.includes('copies') ? [...own, ...copies(party, by, world, at)] : own;
    }),
    ...others.map(([name, command]) => ({ ...NOTHING, name, command })),
    ...time.map((wait) => ({ ...NOTHING, name: `${wait / 1_000} s pass`, wait })),
  ];
}

const NOTHING: Omit<Move, 'name'> = { command: null, copied: false, learnt: null, by: -1, wait: 0 };

/** Answers that arrive, copies of lock requests that come late, and the ends of those copies. */
function copies(party: Party, by: number, world: World, at: Instant): Move[] {
  const { lockId } = party.player;
  const moves: Move[] = [];
  const add = (name: string, move: Partial<Move>): void =>
    void moves.push({ ...NOTHING, by, name: `${lockId} ${name}`, ...move });
  if (party.answered !== null)
    add('hears of its grant', { learnt: { ...party, answered: null, heard: true } });
  if (party.copy !== null) {
    const gone = { ...from(party), waiter: lockIdOf(party), seat: party.copy };
    add("'s copy is found dead", { command: { type: 'leave', ...gone }, copied: true });
    add("'s copy is answered to nobody", { learnt: { ...party, copy: null } });
    return moves;
  }
  if (party.fence !== null || party.unlocked) {
    add('is copied, and the copy comes late', {
      command: askOf(party, world, lockIdOf(party)),
      copied: true,
    });
  }
  if (party.spent !== null && party.spent.lockId !== lockIdOf(party) && at - party.spent.at <= RELEASE_LIFE) {
    add('is copied, and the copy comes a run late', {
      command: askOf(party, world, party.spent.lockId),
      copied: true,
    });
  }
  return moves;
}

function asks(party: Party, world: World, again: boolean): Named[] {
  const { player } = party;
  if (!again && (party.open !== null || party.fence !== null)) return [];
  // A client that has released its lock, or was told that its run is over, asks as another run.
  const isOver = party.unlocked || party.over;
  const ask = askOf(party, world, lockIdOf(isOver ? { ...party, run: party.run + 1 } : party));
  const moves: Named[] = [
    ['asks', ask],
    ['asks where no request is held open', { ...ask, seat: null }],
  ];
  if (!player.shared) moves.push(['asks with ?wait', { ...ask, wait: 30_000 }]);
  return moves;
}

function askOf(party: Party, world: World, lockId: string): LockCommand {
  const { operation, shared, lease = null, delay = 0 } = party.player;
  return {
    type: 'lock',
    ...from(party),
    lockId,
    waiter: lockId,
    operation,
    shared,
    alias: 'http',
    lease,
    delay,
    info: NO_INFO,
    wait: null,
    seat: freeSeat(party, world),
  };
}

/** How a request that is held open may end. */
function requestEnds(party: Party, { holders }: World): Named[] {
  if (party.open === null) return [];
  const seated = { ...from(party), waiter: lockIdOf(party), seat: party.open };
  const handed = holders.some(({ seat, accepted }) => seat === party.open && !accepted);
  return [
    ...(handed ? [['takes up its grant', { type: 'accept', ...seated }] as const] : []),
    ['has waited its time', { type: 'park-over', closing: false, ...seated }],
    ['is sent away by a closing node', { type: 'park-over', closing: true, ...seated }],
    ['hangs up', { type: 'leave', ...seated }],
  ];
}

/** What is heard late of requests that do not matter any more, or whose answer was lost. */
function lateEnds(party: Party): Named[] {
  const by = { ...from(party), waiter: lockIdOf(party) };
  const moves: Named[] = [];
  if (party.stale !== null) {
    moves.push(['takes up a grant by its old request', { type: 'accept', ...by, seat: party.stale }]);
    moves.push(['ends its old request', { type: 'park-over', closing: false, ...by, seat: party.stale }]);
    moves.push(['hangs up its old request', { type: 'leave', ...by, seat: party.stale }]);
  }
  const seat = party.open ?? party.answered;
  if (seat !== null) moves.push(['is cleared up after', { type: 'leave', ...by, seat, unheard: true }]);
  if (party.answered !== null) {
    moves.push(['never hears of its grant', { type: 'leave', ...by, seat: party.answered }]);
  }
  return moves;
}

function writes(party: Party, { record }: World): Named[] {
  const { player, written, fence } = party;
  const moves: Named[] = written === null ? [] : [['writes the same again', written]];
  if (fence === null) return moves;
  const serial = Number(liveHead(record)?.serial ?? 0n) + 1;
  const claim = player.names
    ? { kind: 'named' as const, lockId: lockIdOf(party) }
    : { kind: 'unnamed' as const, aliases: ['http', 's3-lock-file'] };
  const write = writeOf(player, serial, `${lockIdOf(party)}-${record.lastVersion + 1}`, { claim });
  return [...moves, ['writes', write]];
}

function breakIns({ holders }: World): Named[] {
  const by = {
    type: 'unlock' as const,
    address: ADDRESS,
    actor: actorOf(OPERATOR),
    alias: null,
    mayBreak: true,
  };
  return [
    ['the operator breaks the lock', { ...by, lockId: null }],
    ...holders.slice(0, 1).map(({ lockId }) => [`the operator breaks ${lockId}`, { ...by, lockId }] as const),
  ];
}

function strangersDeeds({ record }: World): Named[] {
  const by = { address: ADDRESS, actor: actorOf(STRANGER) };
  const serial = Number(record.head?.serial ?? 0n);
  const unlocked = (to: number): WriteCommand =>
    writeOf(STRANGER, to, `stranger-${record.lastVersion + 1}`, { claim: { kind: 'none' } });
  return [
    ['a stranger writes without a lock', unlocked(serial + 1)],
    ['a stranger writes a stale state', unlocked(serial)],
    ['a stranger removes the state', { type: 'delete', ...by, claim: { kind: 'none' } }],
    ['a stranger brings the state back', { type: 'undelete', ...by }],
  ];
}

/** A holder keeps its lock for longer, even when it is late, and tells its lock info. */
function leaseMoves(party: Party): Named[] {
  const { lease } = party.player;
  if (party.fence === null || lease === undefined) return [];
  const own = { ...from(party), lockId: lockIdOf(party) };
  return [
    ['renews', { type: 'renew', ...own, lease }],
    ['tells its lock info', { type: 'describe', ...own, operation: party.player.operation, info: NO_INFO }],
  ];
}

function unlockOf(party: Party): AddressCommand {
  return { type: 'unlock', ...from(party), lockId: lockIdOf(party), alias: null, mayBreak: false };
}

function from({ player }: Party): Pick<AddressCommand, 'address' | 'actor'> {
  return { address: ADDRESS, actor: actorOf(player) };
}

/** A name for a request that no row can mean any more. */
function freeSeat({ player, open, stale, answered, copy }: Party, { holders, line }: World): string {
  const used = new Set([open, stale, answered, copy]);
  for (const { seat, answers } of holders)
    for (const name of [seat, ...answers.map((a) => a.seat)]) used.add(name);
  for (const { seat } of line) used.add(seat);
  for (let number = 0; ; number += 1) {
    const name = `node:${player.lockId}-${number}`;
    if (!used.has(name)) return name;
  }
}
