import { describe, expect, it } from 'vitest';
import {
  currentRun,
  lineOf,
  nextInTurn,
  placesInQueue,
  type RunInLine,
} from '../../../src/core/runs/line.ts';

const run = (
  id: string,
  createdAt: number,
  status: RunInLine['status'],
  kind: RunInLine['kind'] = 'apply',
): RunInLine => ({ id, createdAt, status, kind });

describe('the runs of a workspace', () => {
  it('have a current one: who has the lock, else the first of those that wait for it', () => {
    const [first, second] = [run('a', 1, 'pending'), run('b', 2, 'pending')];
    expect(currentRun([second, first])?.id).toBe('a');
    expect(currentRun([first, { ...second, status: 'planning' }])?.id).toBe('b');
    expect(currentRun([run('c', 1, 'planning', 'plan'), run('d', 2, 'planned_and_saved', 'saved')])).toBe(
      null,
    );
    expect(currentRun([run('d', 1, 'confirmed', 'saved'), run('e', 2, 'applied')])?.id).toBe('d');
    expect(currentRun([])).toBe(null);
  });

  it('stand in one line by age, without those that need no lock', () => {
    const all = [run('c', 3, 'pending'), run('a', 1, 'planned'), run('b', 2, 'planning', 'plan')];
    expect(lineOf(all).map(({ id }) => id)).toEqual(['a', 'c']);
  });
});

describe('the runs of a node', () => {
  it('have their turn: applies first, then plans that hold the lock, then those beside the line', () => {
    const beside = run('a', 1, 'plan_queued', 'plan');
    const plan = run('b', 2, 'plan_queued');
    const apply = run('c', 3, 'apply_queued');
    expect(nextInTurn([beside, plan, apply])?.id).toBe('c');
    expect(nextInTurn([beside, plan])?.id).toBe('b');
    expect(nextInTurn([beside])?.id).toBe('a');
    expect(nextInTurn([])).toBe(null);
    const all = [beside, plan, apply, run('d', 0, 'planning'), run('e', 0, 'errored')];
    expect([...placesInQueue(all)]).toEqual([
      ['c', 1],
      ['b', 2],
      ['a', 3],
    ]);
  });
});
