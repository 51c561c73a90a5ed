import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import type { Run } from '../../src/runs/run-book.ts';
import type { AgainWanted } from '../../src/runs/wanted.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { PLAYED_VERSION, playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf, WANTED } from './running-house.ts';

const STATE = { version: 4, terraform_version: '1.11.4', lineage: 'l', outputs: {}, resources: [] };
const AGAIN: AgainWanted = { ...WANTED, planOnly: true, program: null };

describe('the configuration that was applied last', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let address: Address;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, slots: 4 });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    count += 1;
    address = { project: `app${count}`, key: 'net', workspace: 'default' };
    const body = JSON.stringify({ ...STATE, serial: 1 });
    await house.house.ask('POST', `/http/${address.project}/net`, { body });
  });

  const configured = async (says: string, terms: { speculative?: boolean } = {}): Promise<string> =>
    house.configuration(await slugOf({ 'plan.sh': `echo ${says}\n` }), { address, ...terms });
  const applied = async (says: string, wanted: Parameters<RunningHouse['run']>[1] = {}): Promise<Run> => {
    const { id } = await house.run(await configured(says), { autoApply: true, ...wanted });
    return house.until(id, 'applied');
  };
  const again = (wanted: Partial<AgainWanted> = {}): ReturnType<RunningHouse['runs']['createAgain']> =>
    house.runs.createAgain(ADMIN_CALLER, address, { ...AGAIN, ...wanted });
  /** What a run of what was applied last says. */
  const said = async (): Promise<string> => {
    const made = await again();
    if (made.type !== 'created') return made.type === 'invalid' ? made.problem : made.type;
    await house.until(made.run.id, 'planned_and_finished');
    return house.log(made.run.id, 'plan');
  };

  it('is planned again as often as wanted, with what it was applied with, and without the lock', async () => {
    await applied('first', { message: 'mine', directory: '' });
    const lock = await house.house.ask('LOCK', `/http/${address.project}/net`, { body: '{"ID":"another"}' });
    expect(lock.status).toBe(200);
    expect([await said(), await said()]).toEqual([
      expect.stringMatching(/\nfirst\n/),
      expect.stringMatching(/\nfirst\n/),
    ]);
    const made = await again();
    expect(made).toMatchObject({
      type: 'created',
      run: { kind: 'plan', program: 'terraform', version: PLAYED_VERSION, message: '' },
    });
  });

  it('is applied again, under the lock', async () => {
    const first = await applied('first');
    const made = await again({ planOnly: false, autoApply: true });
    const { id } = (made as { run: Run }).run;
    expect(await house.until(id, 'applied')).toMatchObject({
      kind: 'apply',
      configuration: first.configuration,
    });
  });

  it('is the newest one, and not one that was only planned, refreshed with, discarded or that failed', async () => {
    await applied('first');
    await applied('second');
    await house.until(
      (await house.run(await configured('third', { speculative: true }))).id,
      'planned_and_finished',
    );
    await applied('fourth', { refreshOnly: true });
    const discarded = await house.run(await configured('fifth'));
    await house.until(discarded.id, 'planned');
    await house.runs.act(ADMIN_CALLER, discarded.id, 'discard');
    const failing = await house.configuration(await slugOf({ 'plan.sh': 'exit 1' }), { address });
    await house.until((await house.run(failing)).id, 'errored');
    expect(await said()).toMatch(/\nsecond\n/);
  });

  it('is the later one of two, whichever is told of first', async () => {
    const first = await applied('first');
    await applied('second');
    await house.runs.current.keep(first);
    expect(await said()).toMatch(/\nsecond\n/);
  });

  it('stays when its run and all others are forgotten, and goes with its workspace', async () => {
    const former = await applied('first');
    const { configuration } = await applied('second');
    await house.runs.prune(Date.now() + 1e9, Date.now() + 1e9);
    expect(await house.runs.configurations.find(former.configuration)).toBe(null);
    expect(await said()).toMatch(/\nsecond\n/);
    await house.house.ask('DELETE', `/http/${address.project}/net`);
    expect(await said()).toMatch(/^no run has applied a configuration/);
    await house.runs.prune(Date.now() + 1e9, Date.now() + 1e9);
    expect(await house.runs.configurations.find(configuration)).toBe(null);
    expect(await house.runs.configurations.archive(configuration)).toBe(null);
  });

  it('stays as long as a run needs it, though a newer one was applied', async () => {
    await applied('first');
    const waiting = await again({ planOnly: false });
    const { id, configuration } = (waiting as { run: Run }).run;
    await house.until(id, 'planned');
    await house.runs.current.drop(address);
    await house.runs.prune(0, Date.now() + 1e9);
    expect(await house.runs.configurations.archive(configuration)).not.toBe(null);
    await house.runs.act(ADMIN_CALLER, id, 'discard');
  });

  it('is counted in the quota of its project, refuses no state, and is not kept beyond it', async () => {
    await applied('first');
    const { projects } = house.house.house;
    const { project } = address;
    await projects.set(ADMIN_CALLER, project, { quotaSize: 1 });
    const large = randomBytes(1_048_576).toString('base64');
    const slug = await slugOf({ 'plan.sh': 'echo large\n', 'large.txt': large });
    await house.until(
      (await house.run(await house.configuration(slug, { address }), { autoApply: true })).id,
      'applied',
    );
    expect(await said()).toMatch(/^no run has applied a configuration of this workspace that is kept/);
    const body = JSON.stringify({ ...STATE, serial: 2 });
    expect((await house.house.ask('POST', `/http/${project}/net`, { body })).status).toBe(200);
  });

  it('is what the hcp door makes a run of that names no configuration', async () => {
    const { configuration } = await applied('first');
    const ask = async (
      relationships: object,
      attributes: object = {},
    ): Promise<{ status: number; text: string }> =>
      house.house.ask('POST', '/api/v2/runs', {
        body: JSON.stringify({ data: { type: 'runs', attributes, relationships } }),
      });
    const workspace = { data: { type: 'workspaces', id: workspaceId(address) } };
    const made = await ask({ workspace }, { 'plan-only': true, message: 'nightly' });
    expect(made.status).toBe(201);
    const { data } = JSON.parse(made.text) as { data: { id: string } };
    expect(data).toMatchObject({
      attributes: { 'plan-only': true, message: 'nightly', 'terraform-version': PLAYED_VERSION },
      relationships: { 'configuration-version': { data: { id: configuration } } },
    });
    await house.until(data.id, 'planned_and_finished');
    expect((await ask({})).text).toMatch(/expected the configuration version of the run, or its workspace/);
    const named = {
      'configuration-version': { data: { type: 'configuration-versions', id: await configured('x') } },
    };
    const planned = JSON.parse((await ask(named, { 'plan-only': true })).text) as { data: { id: string } };
    await house.until(planned.data.id, 'planned_and_finished');
  });

  it('is named by no address of another project', async () => {
    await applied('first');
    const other = { ...address, key: 'net2' };
    const made = await house.runs.createAgain(ADMIN_CALLER, other, AGAIN);
    expect([formatAddress(other), made.type]).toEqual([expect.any(String), 'invalid']);
  });
});
