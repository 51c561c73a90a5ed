import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../src/core/access.ts';
import { ROLES } from '../../src/core/grant.ts';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { ROUTES } from '../../src/server/api/table.ts';
import { DOORS } from '../../src/server/doors.ts';
import { playedPrograms } from '../runs/played-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { comeFromElsewhere, type Answer } from '../support/request.ts';
import { API_TRIALS, HEALTH_TRIALS } from './api-trials.ts';
import { makeAskers, type Asker } from './callers.ts';
import { AZURERM_TRIALS } from './azurerm-trials.ts';
import { CONSUL_TRIALS } from './consul-trials.ts';
import { DYNAMODB_TRIALS } from './dynamodb-trials.ts';
import { GCS_TRIALS } from './gcs-trials.ts';
import { HCP_TRIALS } from './hcp-trials.ts';
import { HTTP_TRIALS } from './http-trials.ts';
import { S3_TRIALS } from './s3-trials.ts';
import { empty, kept, type Scene, type Trial } from './scene.ts';
import { STS_TRIALS } from './sts-trials.ts';
import { readTables, type Need } from './tables.ts';
import { verdictOf, wordOf, type Verdict } from './verdict.ts';

const TRIALS: Readonly<Record<string, Readonly<Record<string, Trial>>>> = {
  http: HTTP_TRIALS,
  s3: S3_TRIALS,
  dynamodb: DYNAMODB_TRIALS,
  sts: STS_TRIALS,
  gcs: GCS_TRIALS,
  consul: CONSUL_TRIALS,
  azurerm: AZURERM_TRIALS,
  hcp: HCP_TRIALS,
  api: API_TRIALS,
  health: HEALTH_TRIALS,
};
/** Every right that there is: the compiler asks for a new one. */
const RIGHTS: Readonly<Record<Action, true>> = {
  'read-outputs': true,
  read: true,
  'read-history': true,
  list: true,
  write: true,
  lock: true,
  unlock: true,
  delete: true,
  restore: true,
  'force-unlock': true,
  purge: true,
  'read-audit': true,
  manage: true,
};
/** What should come comes at once; what should not is given so long to come all the same. */
const PATIENCE_MS = 10_000;
const IMPATIENCE_MS = 40;

const tables = readTables();
const rows = tables.needs.map((need) => ({ need, name: `${need.door}: ${need.operation}, ${need.of}` }));

describe('docs/authorisation.md', () => {
  it('has every role and every right', () => {
    expect(tables.roles).toEqual(ROLES);
    expect([...tables.rights.keys()].sort()).toEqual(Object.keys(RIGHTS).sort());
  });

  it('has a row for every operation of every door and every route of the API, and no other', async () => {
    const listed = (door: string): string[] =>
      [
        ...new Set(tables.needs.filter((need) => need.door === door).map(({ operation }) => operation)),
      ].sort();
    for (const { name } of DOORS) {
      const { OPERATIONS } = (await import(`../../src/protocols/${name}/door/operations.ts`)) as {
        OPERATIONS: object;
      };
      expect(listed(name), name).toEqual(Object.keys(OPERATIONS).sort());
    }
    expect(listed('api')).toEqual(ROUTES.map(({ operation }) => operation).sort());
    expect([...new Set(tables.needs.map(({ door }) => door))]).toEqual([
      ...DOORS.map(({ name }) => name),
      'api',
      'health',
    ]);
  });

  it('has a trial for every row, and a row for every trial', () => {
    for (const [door, trials] of Object.entries(TRIALS)) {
      const wanted = tables.needs
        .filter((need) => need.door === door)
        .map(({ operation, of }) => `${operation}, ${of}`);
      expect(Object.keys(trials).sort(), door).toEqual(wanted.sort());
    }
  });

  it('needs every right somewhere', () => {
    const needed = new Set(tables.needs.map(({ right }) => right));
    expect(Object.keys(RIGHTS).filter((right) => !needed.has(right))).toEqual([]);
  });
});

describe('what the page says', () => {
  let house: TestHouse;
  let askers: readonly Asker[];
  let programs: Awaited<ReturnType<typeof playedPrograms>>;

  beforeAll(async () => {
    programs = await playedPrograms();
    // Without a slot nothing is executed, so that nothing changes but what is asked for.
    const issuer = 'https://state.example.test';
    const runs = { ...DEFAULTS.runs, mode: 'local', slots: 0, programs: programs.path, issuer } as const;
    house = await TestHouse.open({ store: { kind: 'memory' }, masterKeys: null, breakGuard: 0, runs });
    askers = await makeAskers(house, tables);
  });
  afterAll(async () => {
    await house.close();
    await programs[Symbol.asyncDispose]();
  });

  it.each(rows)('is so: $name', async ({ need, name }) => {
    const trial = TRIALS[need.door]?.[`${need.operation}, ${need.of}`];
    if (trial === undefined) throw new Error('there is no trial');
    const wrong: string[] = [];
    let scene: Scene | null = null;
    for (const asker of askers) {
      if (asker.kind !== 'valid') comeFromElsewhere();
      const tried = await tryOne(need, trial, { asker, before: scene });
      const { expected, verdict, answer } = tried;
      // What nobody has touched is as good for the next.
      scene = tried.changed || trial.perAsker === true ? null : tried.scene;
      if (expected.includes(verdict)) continue;
      wrong.push(`${asker.name}: ${verdict}, not ${expected.join(' or ')} (${wordOf(answer)})`);
    }
    expect(wrong, name).toEqual([]);
  });

  it('is so without a credential, of paths that tell no names', async () => {
    for (const path of tables.open) {
      const answer = await house.ask('GET', path, { as: null });
      expect(answer.status, path).toBe(200);
      expect(answer.text, path).not.toMatch(/hunter2|lock-\d/);
    }
    for (const { method, path } of ROUTES) {
      const answer = await house.ask(method, `/api/v1${path.replace(/:\w+/, 'x')}`, { as: null });
      expect(answer.status, path).toBe(401);
    }
  });

  /** Sets the scene, has it asked, and looks at what came of it. */
  async function tryOne(
    need: Need,
    trial: Trial,
    { asker, before }: { asker: Asker; before: Scene | null },
  ): Promise<Tried> {
    const may = asker.kind === 'valid' && asker.may(need);
    const identity = {
      subject: asker.subject,
      grants: [{ role: 'admin', pattern: '*' }],
      expired: false,
    } as const;
    const scene: Scene = {
      house,
      asker,
      owner: { identity, door: 'test' },
      pair: asker.pair,
      lockId: before?.lockId ?? '',
      uploadId: before?.uploadId ?? '',
      poolId: before?.poolId ?? '',
      tokenId: before?.tokenId ?? '',
      agentId: before?.agentId ?? '',
      refusedId: before?.refusedId ?? '',
      patience: may ? PATIENCE_MS : IMPATIENCE_MS,
    };
    if (before === null) {
      await empty(house);
      for (const prepare of trial.prepare) await prepare(scene);
    }
    const was = await kept(house);
    const answer = await trial.ask(scene);
    const changed = (await kept(house)) !== was;
    const verdict = verdictOf({ scene, trial, answer, changed });
    return { expected: expectedOf(need, asker, may), verdict, answer, changed, scene };
  }
});

interface Tried {
  readonly expected: readonly Verdict[];
  readonly verdict: Verdict;
  readonly answer: Answer;
  readonly changed: boolean;
  readonly scene: Scene;
}

function expectedOf({ otherwise }: Need, { kind }: Asker, may: boolean): readonly Verdict[] {
  if (may) return ['done'];
  // AWS's doors are known by the signature: without one, nothing is there.
  if (kind === 'none') return ['refused', 'hidden', 'left out'];
  if (otherwise === 'refused') return ['refused'];
  return kind === 'valid' || otherwise === 'hidden' ? [otherwise, 'refused'] : ['refused'];
}
