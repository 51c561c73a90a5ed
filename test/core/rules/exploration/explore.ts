import type { AddressCommand } from '../../../../src/core/command.ts';
import type { Decision } from '../../../../src/core/decide.ts';
import type { World } from '../../../../src/core/world.ts';
import { INVARIANTS, type Step } from './invariants.ts';
import { after, beginning, type Party, type Scope, type Situation } from './model.ts';
import { movesFrom } from './moves.ts';

export interface Exploration {
  readonly situations: number;
  readonly steps: number;
  /** Nothing was left unexplored. */
  readonly whole: boolean;
  /** The rule that was broken first, how, and by which shortest story; null if none was. */
  readonly violation: {
    readonly rule: string;
    readonly what: string;
    readonly story: readonly string[];
  } | null;
}

interface Visited {
  readonly situation: Situation;
  readonly from: Visited | null;
  readonly by: string;
}

/** Tries everything that may happen, breadth first, from an address that nobody has used yet, and stops at what breaks a rule. */
export function explore(
  decide: (command: AddressCommand, world: World, at: number) => Decision,
  scope: Scope,
  situationsMax: number = Infinity,
): Exploration {
  const start = beginning(scope);
  const seen = new Set([keyOf(start)]);
  let open: Visited[] = [{ situation: start, from: null, by: '' }];
  let steps = 0;
  while (open.length > 0) {
    const next: Visited[] = [];
    for (const visited of open) {
      const { situation } = visited;
      for (const move of movesFrom(situation, scope)) {
        steps += 1;
        let reached: Situation = { ...situation, at: situation.at + move.wait };
        if (move.command !== null) {
          const decision = decide(move.command, situation.world, situation.at);
          reached = after(situation, move, decision);
          const step = { before: situation, move, command: move.command, decision, after: reached };
          const violation = broken(step, decide);
          if (violation !== null) {
            const story = [...storyOf(visited), `${move.name}: ${decision.outcome.type}`];
            return { situations: seen.size, steps, whole: false, violation: { ...violation, story } };
          }
        }
        const key = keyOf(reached);
        if (seen.has(key)) continue;
        if (seen.size >= situationsMax)
          return { situations: seen.size, steps, whole: false, violation: null };
        seen.add(key);
        next.push({ situation: reached, from: visited, by: move.name });
      }
    }
    open = next;
  }
  return { situations: seen.size, steps, whole: true, violation: null };
}

const RULES = Object.entries(INVARIANTS);

function broken(step: Step, decide: Parameters<typeof explore>[0]): { rule: string; what: string } | null {
  for (const [rule, check] of RULES) {
    const what = check(step, decide);
    if (what !== null) return { rule, what };
  }
  return null;
}

function storyOf(visited: Visited): string[] {
  return visited.from === null ? [] : [...storyOf(visited.from), visited.by];
}

/**
 * What makes two situations the same for our purpose. Fences, tickets, serials and instants grow without end, so only
 * their order, their kind, and rough spans of time are told apart; and players of one kind can take each other's place.
 */
function keyOf({ world, parties, at }: Situation): string {
  const { record } = world;
  return [
    record.head === null ? '-' : record.deletedAt === null ? 'live' : 'deleted',
    record.typicalHold === null ? '-' : spanOf(record.typicalHold),
    ...parties.map((party) => partyKey(party, world, at)).sort(),
  ].join(' ');
}

function partyKey(party: Party, { holders, line, record }: World, at: number): string {
  const { lockId, shared, names } = party.player;
  const held = holders.findIndex((holder) => holder.lockId === lockId);
  const stood = line.findIndex(({ waiter }) => waiter === lockId);
  const [holder, place] = [holders[held], line[stood]];
  const lately = record.released.some((r) => r.lockId === lockId && r.broken && at - r.at <= 10_000);
  return [
    shared ? 'plan' : names ? 'apply' : 'apply that names no lock',
    party.fence === null ? '-' : party.fence === holder?.fence ? 'holds' : 'lost',
    party.written === null ? '-' : party.written.sha256 === record.head?.sha256 ? 'head' : 'old',
    [party.open, party.stale, party.answered].map((seat) => (seat === null ? 0 : 1)).join(''),
    party.unlocked ? 'u' : '',
    lately ? 'b' : '',
    holder && `${held}${holder.accepted}${seatOf(holder.seat, party)}${spanOf(at - holder.since)}`,
    place && `${stood}${Math.min(place.asks, 3)}${seatOf(place.seat, party)}${leftOf(place.until - at)}`,
  ].join();
}

/** Which of its client's requests a row means: the names of requests are worth nothing else. */
function seatOf(seat: string | null, { open, stale, answered }: Party): string {
  if (seat === null) return '-';
  return seat === open ? 'o' : seat === stale ? 's' : seat === answered ? 'a' : 'x';
}

function spanOf(span: number): number {
  return span <= 1_000 ? 0 : 1;
}

function leftOf(span: number): number {
  return [-30_000, 0].filter((limit) => span >= limit).length;
}
