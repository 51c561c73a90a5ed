import type { AddressCommand, WriteCommand } from '../../../../src/core/command.ts';
import { liveHead, type World } from '../../../../src/core/world.ts';
import { actorOf, ADDRESS, apply, NO_INFO, writeOf } from '../one-address.ts';
import type { Move, Party, Scope, Situation } from './model.ts';

const OPERATOR = apply('operator');
const STRANGER = apply('stranger');

/** A little, past a sleeping waiter's patience, and past a dead node's. */
const STEPS = [1_000, 20_000, 60_000] as const;

type Named = readonly [name: string, command: AddressCommand];

/** All that may happen next. */
export function movesFrom({ world, parties }: Situation, { happenings }: Scope): readonly Move[] {
  const others: Named[] = [];
  if (happenings.includes('breaks')) others.push(...breakIns(world));
  if (happenings.includes('stranger')) others.push(...strangersDeeds(world));
  const time = happenings.includes('time') ? STEPS : [];
  return [
    ...parties.flatMap((party, by) => {
      const moves: Named[] = [...asks(party, happenings.includes('reconnect')), ...requestEnds(party, world)];
      if (happenings.includes('reconnect')) moves.push(...lateEnds(party));
      if (happenings.includes('writes')) moves.push(...writes(party, world));
      if (party.fence !== null || party.unlocked) moves.push(['releases', unlockOf(party)]);
      const { lockId } = party.player;
      return moves.map(([name, command]) => ({ name: `${lockId} ${name}`, command, by, wait: 0 }));
    }),
    ...others.map(([name, command]) => ({ name, command, by: -1, wait: 0 })),
    ...time.map((wait) => ({ name: `${wait / 1_000} s pass`, command: null, by: -1, wait })),
  ];
}

function asks(party: Party, again: boolean): Named[] {
  const { player } = party;
  if (!again && (party.open !== null || party.fence !== null)) return [];
  const ask = {
    type: 'lock' as const,
    ...from(party),
    lockId: player.lockId,
    waiter: player.lockId,
    operation: player.operation,
    shared: player.shared,
    face: 'http',
    info: NO_INFO,
    wait: null,
    seat: freeSeat(party),
  };
  const moves: Named[] = [
    ['asks', ask],
    ['asks where no request is held open', { ...ask, seat: null }],
  ];
  if (!player.shared) moves.push(['asks with ?wait', { ...ask, wait: 30_000 }]);
  return moves;
}

/** How a request that is held open may end. */
function requestEnds(party: Party, { holders }: World): Named[] {
  if (party.open === null) return [];
  const seated = { ...from(party), waiter: party.player.lockId, seat: party.open };
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
  const by = { ...from(party), waiter: party.player.lockId };
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
    ? { kind: 'named' as const, lockId: player.lockId }
    : { kind: 'unnamed' as const, faces: ['http', 's3-lock-file'] };
  const write = writeOf(player, serial, `${player.lockId}-${record.lastVersion + 1}`, { claim });
  return [...moves, ['writes', write]];
}

function breakIns({ holders }: World): Named[] {
  const by = {
    type: 'unlock' as const,
    address: ADDRESS,
    actor: actorOf(OPERATOR),
    face: null,
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

function unlockOf(party: Party): AddressCommand {
  return { type: 'unlock', ...from(party), lockId: party.player.lockId, face: null, mayBreak: false };
}

function from({ player }: Party): Pick<AddressCommand, 'address' | 'actor'> {
  return { address: ADDRESS, actor: actorOf(player) };
}

function freeSeat({ player, open, stale, answered }: Party): string {
  const names = [0, 1, 2, 3].map((number) => `node:${player.lockId}-${number}`);
  return names.find((name) => name !== open && name !== stale && name !== answered) as string;
}
