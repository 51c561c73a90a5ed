import { describe, expect, it } from 'vitest';
import type { Role } from '../../src/core/grant.ts';
import { NEW_WORLD } from '../../src/core/world.ts';
import type { Caller } from '../../src/house/caller.ts';
import { Gate } from '../../src/house/gate.ts';
import { LOOKED_AT_MAX, ProjectView } from '../../src/house/project-view.ts';
import type { Engine, StateQuery, StateSummary } from '../../src/ports/engine.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { BuiltHouse, callerOf, ENGINES, inChunks, NO_CLAIM } from './fixtures/built-house.ts';

const ADMIN = callerOf('root', 'admin');
const GATE = new Gate({
  engine: { world: () => Promise.resolve(NEW_WORLD) },
  clock: { now: () => 0 },
  credentials: { isOvertaken: () => false, look: () => Promise.resolve(), watch: () => () => undefined },
});

function granted(...patterns: readonly string[]): Caller {
  return as('reader', ...patterns);
}

function as(role: Role, ...patterns: readonly string[]): Caller {
  const grants = patterns.map((pattern) => ({ role, pattern }));
  return { identity: { subject: 'token:some', grants }, door: 'test' };
}

/** A house with states in `acme` and `other`, and with `made` and `bounded`, which have none. */
async function withProjects(engine: (typeof ENGINES)[number]): Promise<BuiltHouse> {
  const built = await BuiltHouse.build(engine);
  const { states, locks, projects } = built.house;
  for (const [project, key, workspace] of [
    ['acme', 'net', 'default'],
    ['acme', 'only-this', 'default'],
    ['other', 'net', 'dev'],
    ['other', 'deep/only-this', 'dev'],
    ['plain', 'net', 'default'],
  ] as const) {
    const body = Buffer.from(sampleState(1));
    const address = { project, key, workspace };
    const terms = { claim: NO_CLAIM, contentLength: body.length };
    expect((await states.write(ADMIN, address, inChunks(body), terms)).type).toBe('stored');
  }
  await locks.lock(
    ADMIN,
    { project: 'locked', key: 'only-this', workspace: 'dev' },
    {
      lockId: 'one',
      operation: 'OperationTypeApply',
      info: Buffer.from(sampleLock('one')),
      tellsHoldersApart: true,
      alias: 'http',
      wait: null,
      gone: null,
    },
  );
  await projects.make(ADMIN, 'made');
  await projects.set(ADMIN, 'bounded', { keepVersions: 3 });
  return built;
}

describe.each(ENGINES)('on %s, the projects that a caller may know of', (engine) => {
  const names = async ({ house }: BuiltHouse, caller: Caller): Promise<readonly string[]> => {
    const seen = await house.projects.seen(caller);
    return seen.type === 'seen' ? seen.projects.map(({ name }) => name) : [seen.type];
  };

  it('are those that a grant covers, and those where it may list something', async () => {
    await using built = await withProjects(engine);
    expect(await names(built, ADMIN)).toEqual(['acme', 'locked', 'made', 'other', 'plain']);
    expect(await names(built, granted('*/only-this@dev'))).toEqual(['locked', 'other']);
    expect(await names(built, granted('*/only-this'))).toEqual(['acme', 'locked', 'other']);
    expect(await names(built, granted('*/*@dev'))).toEqual(['locked', 'other']);
    expect(await names(built, granted('*/nothing'))).toEqual([]);
    expect(await names(built, granted('a*/net', 'o*/nothing'))).toEqual(['acme']);
    expect(await names(built, granted('*/only-this@dev', 'made/x', 'plain/net', 'acme/no'))).toEqual([
      'locked',
      'made',
      'other',
      'plain',
    ]);
    expect(await names(built, granted('m*/*', 'pl*/*@*'))).toEqual(['made', 'plain']);
    expect(await names(built, as('outputs', '*'))).toEqual([]);
  });

  it('are all that it is told of, one by one: any other is as absent as one that never was', async () => {
    await using built = await withProjects(engine);
    const { projects } = built.house;
    const caller = granted('*/only-this@dev');
    for (const project of ['acme', 'plain', 'made', 'bounded', 'nowhere']) {
      expect([project, await projects.look(caller, project)]).toEqual([project, { type: 'absent' }]);
      expect([project, await projects.mayKnow(caller, project)]).toEqual([project, false]);
    }
    for (const project of ['other', 'locked']) {
      expect([project, await projects.look(caller, project)]).toEqual([project, { type: 'present' }]);
      expect([project, await projects.mayKnow(caller, project)]).toEqual([project, true]);
    }
    expect(await projects.mayKnow(granted('nowhere/x'), 'nowhere')).toBe(true);
    const set = async (who: Caller): Promise<readonly string[]> => {
      const visible = await projects.listVisible(who);
      return visible.type === 'projects' ? visible.projects.map(({ name }) => name) : [visible.type];
    };
    expect(await set(caller)).toEqual([]);
    expect(await set(granted('b*/*'))).toEqual(['bounded']);
    expect(await set(ADMIN)).toEqual(['bounded', 'made']);
  });

  it('are those that it has made, and making one tells nothing of another’s', async () => {
    await using built = await withProjects(engine);
    const { projects } = built.house;
    const writer = as('writer', '*/only-this@dev');
    expect(await projects.make(writer, 'fresh')).toEqual({ type: 'made' });
    expect(await projects.look(writer, 'fresh')).toEqual({ type: 'present' });
    expect(await projects.make(writer, 'fresh')).toEqual({ type: 'made-before' });
    expect(await projects.make(writer, 'made')).toEqual({ type: 'made' });
    expect(await names(built, writer)).toEqual(['fresh', 'locked', 'other']);
    const other = { ...writer, identity: { ...writer.identity, subject: 'token:other' } };
    expect(await projects.look(other, 'fresh')).toEqual({ type: 'absent' });
  });
});

describe('the search for something to list', () => {
  /** An engine with so many states in one project, which counts those that it gave out. */
  function counting(count: number): { engine: Engine; given: () => number; queries: StateQuery[] } {
    let given = 0;
    const queries: StateQuery[] = [];
    const states = async (query: StateQuery): Promise<readonly StateSummary[]> => {
      queries.push(query);
      const from = query.after === undefined ? 0 : Number(query.after.key) + 1;
      const length = Math.max(0, Math.min(query.limit, count - from));
      given += length;
      return Array.from({ length }, (_, index) => ({
        address: { project: 'acme', key: String(from + index), workspace: 'default' },
        world: NEW_WORLD,
      }));
    };
    return { engine: { states } as unknown as Engine, given: () => given, queries };
  }

  it('ends after so many states, of all projects together', async () => {
    const { engine, given } = counting(10 * LOOKED_AT_MAX);
    const view = new ProjectView(engine, GATE, granted('*/only-this@dev'));
    expect(await view.firstIn('acme')).toBeNull();
    expect(await view.firstIn('acme')).toBeNull();
    expect(given()).toBe(LOOKED_AT_MAX);
  });

  it('looks at no more than it must where a grant names the project', async () => {
    const { engine, given, queries } = counting(10 * LOOKED_AT_MAX);
    expect(await new ProjectView(engine, GATE, granted('acme/*')).firstIn('acme')).not.toBeNull();
    expect(given()).toBe(1);
    await new ProjectView(engine, GATE, granted('acme/net/*@dev')).firstIn('acme');
    expect(queries.at(-1)).toMatchObject({ project: 'acme', keyPrefix: 'net/' });
    const before = given();
    expect(await new ProjectView(engine, GATE, granted('other/*')).firstIn('acme')).toBeNull();
    expect(given()).toBe(before);
  });
});
