import type { AddressCommand } from '../../../../src/core/command.ts';
import type { Decision } from '../../../../src/core/decide.ts';
import type { Holder, World } from '../../../../src/core/world.ts';
import { INVARIANTS } from './invariants.ts';
import { after, beginning, lockIdOf, type Move, type Party, type Scope, type Situation } from './model.ts';
import { movesFrom } from './moves.ts';

type Decide = (command: AddressCommand, world: World, at: number) => Decision;

/** The rule that was broken first, how, and by which story. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
  readonly story: readonly string[];
}

export interface Exploration {
  readonly situations: number;
  readonly steps: number;
  /** By a shortest story; null if all of the scope, or as much of it as was asked for, breaks no rule. */
  readonly violation: Violation | null;
}

interface Visited {
  readonly situation: Situation;
  readonly from: Visited | null;
  readonly by: string;
}

/** How much is left of a lease or a delay, as far as the steps of time tell it apart. */
const LEASE_LIMITS = [0, 1, 1_001, 20_001, 40_001] as const;

const RULES = Object.entries(INVARIANTS);

/** Tries everything that may happen, breadth first, from an address that nobody has used yet, and stops at what breaks a rule. */
export function explore(decide: Decide, scope: Scope, situationsMax: number = Infinity): Exploration {
  const start = beginning(scope);
  const seen = new Set([keyOf(start, scope)]);
  let open: Visited[] = [{ situation: start, from: null, by: '' }];
  let steps = 0;
  while (open.length > 0) {
    const next: Visited[] = [];
    for (const visited of open) {
      for (const move of movesFrom(visited.situation, scope)) {
        steps += 1;
        const { situation, violation } = take(decide, visited.situation, move);
        if (violation !== null) {
          const story = [...storyOf(visited), ...violation.story];
          return { situations: seen.size, steps, violation: { ...violation, story } };
        }
        const key = keyOf(situation, scope);
        if (seen.has(key)) continue;
        if (seen.size >= situationsMax) return { situations: seen.size, steps, violation: null };
        seen.add(key);
        next.push({ situation, from: visited, by: move.name });
      }
    }
    open = next;
  }
  return { situations: seen.size, steps, violation: null };
}

/** Goes one way through what may happen, each turn chosen by a number. */
export function wander(decide: Decide, scope: Scope, turns: readonly number[]): Violation | null {
  let here = beginning(scope);
  const story: string[] = [];
  for (const turn of turns) {
    const moves = movesFrom(here, scope);
    const move = moves[turn % moves.length] as Move;
    const { situation, violation } = take(decide, here, move);
    if (violation !== null) return { ...violation, story: [...story, ...violation.story] };
    story.push(move.name);
    here = situation;
  }
  return null;
}

function take(
  decide: Decide,
  before: Situation,
  move: Move,
): { readonly situation: Situation; readonly violation: Violation | null } {
  const { command } = move;
  if (command === null) return { situation: passed(before, move), violation: null };
  const decision = decide(command, before.world, before.at);
  const situation = after(before, move, decision);
  for (const [rule, check] of RULES) {
    const what = check({ before, move, command, decision, after: situation }, decide);
    if (what !== null) {
      return { situation, violation: { rule, what, story: [`${move.name}: ${decision.outcome.type}`] } };
    }
  }
  return { situation, violation: null };
}

/** Time that has passed, or an answer that has arrived. */
function passed({ at, world, parties }: Situation, { wait, learnt, by }: Move): Situation {
  return { at: at + wait, world, parties: learnt === null ? parties : parties.with(by, learnt) };
}

function storyOf(visited: Visited): string[] {
  return visited.from === null ? [] : [...storyOf(visited.from), visited.by];
}

/**
 * What makes two situations the same for our purpose. Fences, tickets, serials and instants grow without end, so only
 * their order, their kind, and rough spans of time are told apart; and players of one kind can take each other's place.
 */
function keyOf({ world, parties, at }: Situation, { happenings }: Scope): string {
  const { record } = world;
  return [
    record.head === null ? '-' : record.deletedAt === null ? 'live' : 'deleted',
    record.freeAt === null ? '-' : leftOf(record.freeAt - at, LEASE_LIMITS),
    record.typicalHold === null ? '-' : spanOf(record.typicalHold),
    ...parties
      .map((party) => partyKey(party, world, at) + (happenings.includes('copies') ? lateKey(party) : ''))
      .sort(),
  ].join(' ');
}

function partyKey(party: Party, { holders, line, record, releases }: World, at: number): string {
  const { shared, names } = party.player;
  const lockId = lockIdOf(party);
  const held = holders.findIndex((holder) => holder.lockId === lockId);
  const stood = line.findIndex(({ waiter }) => waiter === lockId);
  const [holder, place] = [holders[held], line[stood]];
  const release = releases.find((r) => r.lockId === lockId);
  const lately = release !== undefined && `${release.heard}${release.broken && at - release.at <= 10_000}`;
  const kind = shared ? 'plan' : names ? 'apply' : 'nameless';
  const grant = party.fence === null ? '-' : party.fence === holder?.fence ? 'holds' : 'lost';
  const written =
    party.written === null ? '-' : party.written.sha256 === record.head?.sha256 ? 'head' : 'old';
  const { open, stale, answered, copy, heard, over, unlocked } = party;
  const requests = [open, stale, answered, copy].map((seat) => (seat === null ? '-' : '+')).join('');
  const run = `${heard}${over}${unlocked}`;
  const holds =
    holder &&
    `${held}${holder.accepted}${seatOf(holder.seat, party)}${answersOf(holder, party)}${spanOf(at - holder.since)}`;
  const ends = holder && holder.until !== null ? leftOf(holder.until - at, LEASE_LIMITS) : '';
  const stands =
    place &&
    `${stood}${record.keptFor === lockId ? 'k' : ''}${Math.min(place.asks, 3)}${seatOf(place.seat, party)}${leftOf(place.until - at)}`;
  return `${kind} ${grant} ${written} ${requests} ${run} ${lately} ${holds}${ends} ${stands}`;
}

/** Whether a copy of an earlier run's request may still come. */
function lateKey(party: Party): string {
  return ` ${party.spent !== null && party.spent.lockId !== lockIdOf(party)}`;
}

/** Which of its client's requests a row means: the names of requests are worth nothing else. */
function seatOf(seat: string | null, { open, stale, answered, copy }: Party): string {
  if (seat === null) return '-';
  if (seat === copy) return 'c';
  return seat === open ? 'o' : seat === stale ? 's' : seat === answered ? 'a' : 'x';
}

/** Which requests may have told of a grant. Beside one that nobody can lose any more the others do not matter. */
function answersOf({ answers }: Holder, party: Party): string {
  const seats = answers.map(({ seat }) => seatOf(seat, party)).sort();
  return seats.includes('x') ? 'x' : seats.join('');
}

function spanOf(span: number): number {
  return span <= 1_000 ? 0 : 1;
}

function leftOf(span: number, limits: readonly number[] = [-30_000, 0]): number {
  return limits.filter((limit) => span >= limit).length;
}
