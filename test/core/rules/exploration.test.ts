import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/core/decide.ts';
import { amountOf } from '../../support/amount.ts';
import { explore, wander } from './exploration/explore.ts';
import { ALICE, BOB, CAROL, DAVE, ERIN, LENA, MAX, SAM, type Scope } from './exploration/model.ts';
import { MUTANTS } from './exploration/mutants.ts';

/**
 * Each is explored whole in the long run, and otherwise as far as some stories go, the shortest first. Line, connections and time have little to do with what is written, so that taking them
 * together by threes and fours, and not all at once, keeps the number of situations within a test's time.
 */
const SCOPES: Readonly<Record<string, Scope>> = {
  'two applies and a plan, as time passes': { players: [ALICE, BOB, CAROL], happenings: ['time'] },
  'two applies and a plan, as connections break': { players: [ALICE, BOB, CAROL], happenings: ['reconnect'] },
  'an apply and two plans, as time passes and connections break': {
    players: [ALICE, CAROL, DAVE],
    happenings: ['time', 'reconnect'],
  },
  'two applies and a plan, as all write and locks are broken': {
    players: [ALICE, SAM, CAROL],
    happenings: ['writes', 'breaks', 'stranger'],
  },
  'two applies and a plan, as requests are copied and come late': {
    players: [ALICE, BOB, CAROL],
    happenings: ['copies'],
  },
  'two applies, as connections break and requests are copied and come late': {
    players: [ALICE, BOB],
    happenings: ['reconnect', 'copies'],
  },
  'holds that end by themselves, as time passes': {
    players: [LENA, MAX, CAROL],
    happenings: ['time', 'leases'],
  },
  'holds that end by themselves, as all write and locks are broken': {
    players: [LENA, ALICE],
    happenings: ['time', 'leases', 'writes', 'breaks'],
  },
  'two applies, as everything happens': {
    players: [ALICE, SAM],
    happenings: ['time', 'reconnect', 'writes', 'breaks', 'stranger'],
  },
};

const WAYS = amountOf('STATEHOUSE_WAYS', { few: 40, many: 1_000 });
const SITUATIONS_MAX = amountOf('STATEHOUSE_SITUATIONS', { few: 6_000, many: Infinity });

describe('all that can happen to one address', { timeout: 600_000 }, () => {
  it.each(Object.entries(SCOPES))('breaks no rule: %s', (name, scope) => {
    const { situations, steps, violation } = explore(decide, scope, SITUATIONS_MAX);
    console.log(`${name}: ${situations} situations, ${steps} steps`);
    expect(violation).toBeNull();
    expect(situations).toBeGreaterThan(5_000);
  });

  it('breaks no rule on long ways through a crowd either', () => {
    const crowd: Scope = {
      players: [ALICE, BOB, SAM, CAROL, DAVE, ERIN, LENA, MAX],
      happenings: ['time', 'leases', 'reconnect', 'copies', 'writes', 'breaks', 'stranger'],
    };
    const turns = fc.array(fc.nat(), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(turns, (way) => {
        expect(wander(decide, crowd, way)).toBeNull();
      }),
      { numRuns: WAYS },
    );
  });

  it.each(Object.entries(MUTANTS))('shows a broken rule to be broken: %s', (_name, mutant) => {
    expect(firstBroken(mutant)).not.toBeNull();
  });
});

/** Looks a little way into every scope before it goes far in any. */
function firstBroken(mutant: Parameters<typeof explore>[0]): string | null {
  for (const situationsMax of [300, 1_200, 6_000]) {
    for (const scope of Object.values(SCOPES)) {
      const { violation } = explore(mutant, scope, situationsMax);
      if (violation !== null) return violation.rule;
    }
  }
  return null;
}
