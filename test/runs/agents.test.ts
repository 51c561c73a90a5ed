import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobClient } from '../../src/cli/agent/job-client.ts';
import type { Address } from '../../src/core/address.ts';
import { JobLost, TokenRefused } from '../../src/runs/agents/job-server.ts';
import type { Job } from '../../src/runs/agents/wire.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { PLAYED_VERSION, playedPrograms } from './played-program.ts';
import { connectionTo, newPool, PlayingAgent, useAgents } from './playing-agent.ts';
import { RunningHouse, slugOf, WANTED } from './running-house.ts';

const NOBODY_STOPS = new AbortController().signal;
const ABOUT = {
  name: 'raw',
  version: '0',
  programs: [{ program: 'terraform', version: PLAYED_VERSION }],
} as const;
const STATE = { version: 4, terraform_version: '1.11.4', lineage: 'l', outputs: {}, resources: [] };

describe('runs that agents execute', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let out: string;
  let pool: Awaited<ReturnType<typeof newPool>>;
  let address: Address;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ mode: 'agents', agentGone: 1_500 });
    out = await mkdtemp(join(tmpdir(), 'statehouse-agents-'));
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
    await rm(out, { recursive: true });
  });
  beforeEach(async () => {
    count += 1;
    address = { project: 'app', key: `net${count}`, workspace: 'default' };
    // A pool of its own for each, so that no agent takes the run of another test.
    pool = await newPool(house.runs, 'app', `pool${count}`);
    await useAgents(house.runs, address, pool.id);
  });

  const configured = async (files: Readonly<Record<string, string>>): Promise<string> =>
    house.configuration(await slugOf({ 'main.tf': '', ...files }), { address });
  const begun = async (files: Readonly<Record<string, string>>, autoApply = false): Promise<string> =>
    (await house.run(await configured(files), { version: PLAYED_VERSION, autoApply })).id;
  const agent = (): Promise<PlayingAgent> =>
    PlayingAgent.start(house.house, pool.token, { programs: programs.path });
  /** An agent that takes a phase and does as the test says. */
  const taken = async (): Promise<{ readonly client: JobClient; readonly job: Job }> => {
    const client = new JobClient(connectionTo(house.house.url), pool.token);
    const { id } = await client.register(ABOUT, NOBODY_STOPS);
    const job = await client.next(id, 10_000, NOBODY_STOPS);
    if (job === null) throw new Error('no phase came');
    return { client, job };
  };
  const reached = async (name: string): Promise<void> => {
    await expect
      .poll(() => readFile(join(out, name), 'utf8').catch(() => null), { timeout: 30_000 })
      .not.toBe(null);
  };
  const holders = async (): Promise<number> => {
    const shown = await house.house.house.locks.show(ADMIN_CALLER, address);
    return shown.type === 'shown' ? shown.lock.holders.length : -1;
  };

  it('are planned and applied elsewhere, and show where they wait', async () => {
    const id = await begun({
      'plan.sh': 'echo planning',
      'apply.sh': `echo applying; echo done >> ${out}/applied`,
    });
    await expect.poll(() => house.log(id, 'plan')).toMatch(/Waiting for an agent of the pool "pool1": none/);
    await using _agent = await agent();
    const planned = await house.until(id, 'planned', 'errored');
    expect(await house.log(id, 'plan')).toMatch(/Waiting for an agent[^]*planning\n$/);
    expect(planned).toMatchObject({ status: 'planned', counts: { additions: 1 }, job: null });
    await house.runs.act(ADMIN_CALLER, id, 'confirm');
    expect(await house.until(id, 'applied', 'errored')).toMatchObject({ status: 'applied', problem: null });
    expect(await house.log(id, 'apply')).toMatch(/^Terraform v1\.2\.3\non linux_amd64\n[^]*applying\n$/);
    expect(await readFile(join(out, 'applied'), 'utf8')).toBe('done\n');
    await expect.poll(holders).toBe(0);
  });

  it('write their log in the form that their client asked for', async () => {
    const configuration = await configured({ 'plan.sh': 'echo "$*"' });
    const { id } = await house.run(configuration, { version: PLAYED_VERSION, structured: true });
    await using _agent = await agent();
    await house.until(id, 'planned', 'errored');
    expect(await house.log(id, 'plan')).toContain('-json');
  });

  it('are given with secrets that reach their own workspace, in their own phase, and nothing else', async () => {
    const id = await begun({}, true);
    const { client, job } = await taken();
    const ask = async (method: string, target: string, token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      const body = method === 'POST' ? { body: JSON.stringify({ ...STATE, serial: 1 }) } : {};
      return (await house.house.ask(method, target, { as: null, headers, ...body })).status;
    };
    const own = `/http/app/${address.key}`;
    // The token of the pool opens no door of states, and neither does the secret of the phase.
    for (const token of [pool.token, `${id}.${job.secret}`, job.secret]) {
      expect(await ask('GET', own, token)).toBe(401);
      expect(await ask('GET', '/api/v1/whoami', token)).toBe(401);
      expect(await ask('GET', '/metrics', token)).toBe(401);
      expect(await ask('GET', '/api/v2/organizations', token)).toBe(401);
    }
    const programs_ = `${id}.${job.token}`;
    expect(await ask('GET', own, programs_)).toBe(404);
    expect(await ask('POST', own, programs_)).toBe(403);
    expect(await ask('GET', '/http/app/other', programs_)).toBe(403);
    // What the programs of a run are given speaks of no phase, and registers no agent.
    expect(await ask('POST', `/api/agents/jobs/${id}/end`, job.token)).toBe(410);
    expect(await ask('GET', `/api/agents/jobs/${id}/configuration`, programs_)).toBe(410);
    expect(await ask('POST', '/api/agents', programs_)).toBe(401);
    expect(await ask('GET', `/api/agents/jobs/${id}/variables`, pool.token)).toBe(410);
    // The secret of one phase is not that of another run, and an admin's credential is none of a pool.
    const other = await begun({});
    expect(await ask('GET', `/api/agents/jobs/${other}/configuration`, job.secret)).toBe(410);
    expect((await house.house.ask('POST', '/api/agents', { body: JSON.stringify(ABOUT) })).status).toBe(401);
    await client.job(job).end({ end: 'errored', hasChanges: false, counts: null, problem: 'so it was' });
    expect(await house.until(id, 'errored')).toMatchObject({ problem: 'so it was' });
    expect(await ask('GET', own, programs_)).toBe(401);
    await expect(client.job(job).putPart('plan', Buffer.from('late'))).rejects.toThrow(JobLost);
  });

  it('end when their agent is silent, release their lock, and are applied by no other', async () => {
    const id = await begun({ 'apply.sh': 'echo never' }, true);
    const plan = await taken();
    await plan.client.job(plan.job).putPart('plan', Buffer.from('plan'));
    await plan.client.job(plan.job).end({ end: 'finished', hasChanges: true, counts: null, problem: null });
    const { client, job } = await taken();
    expect(job.phase).toBe('apply');
    const from = Date.now();
    const headers = {
      authorization: `Basic ${Buffer.from(`${id}+lock=${job.run.lockId}:${job.token}`).toString('base64')}`,
    };
    const write = async (serial: number): Promise<number> =>
      (
        await house.house.ask('POST', `/http/app/${address.key}?ID=${job.run.lockId}`, {
          as: null,
          headers,
          body: JSON.stringify({ ...STATE, serial }),
        })
      ).status;
    expect(await write(1)).toBe(200);
    expect(await house.until(id, 'errored', 'applied')).toMatchObject({
      status: 'errored',
      problem: 'the agent "raw" that executed it is gone',
    });
    expect(Date.now() - from).toBeLessThan(10_000);
    // What it had stored is there, and it stores nothing more.
    expect(await house.state(`/http/app/${address.key}`)).toMatchObject({ serial: 1 });
    expect(await write(2)).toBe(401);
    await expect(client.job(job).beat(0)).rejects.toThrow(JobLost);
    await expect(client.job(job).log(job.logOffset, Buffer.from('x'))).rejects.toThrow(JobLost);
    await expect.poll(holders).toBe(0);
    await using _agent = await agent();
    const next = await begun({});
    await house.until(next, 'planned');
    expect((await house.show(id)).status).toBe('errored');
  });

  it('go to one of those who ask at the same time', async () => {
    const clients = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => {
        const client = new JobClient(connectionTo(house.house.url), pool.token);
        return { client, id: (await client.register(ABOUT, NOBODY_STOPS)).id };
      }),
    );
    const asking = clients.map(({ client, id }) => client.next(id, 3_000, NOBODY_STOPS));
    const run = await begun({});
    const jobs = (await Promise.all(asking)).filter((job) => job !== null);
    expect(jobs.map((job) => job.run.id)).toEqual([run]);
  });

  it('are given back by an agent that has begun nothing, and go to another', async () => {
    const id = await begun({});
    const { client, job } = await taken();
    await client.job(job).handBack();
    await expect(client.job(job).archive()).rejects.toThrow(JobLost);
    const again = await taken();
    expect(again.job).toMatchObject({ run: { id }, phase: 'plan' });
    expect(again.job.secret).not.toBe(job.secret);
  });

  it('are told to stop by a cancel, and finished when their agent is told to stop', async () => {
    const waits = (name: string): string =>
      `trap 'echo told; exit 1' TERM; touch ${out}/${name}; while [ ! -e ${out}/go-${name} ]; do sleep 0.05; done\n`;
    const canceled = await begun({ 'plan.sh': waits('canceled') });
    const first = await agent();
    await reached('canceled');
    address = { ...address, key: `${address.key}-beside` };
    await useAgents(house.runs, address, pool.id);
    const waiting = await begun({});
    await house.until(waiting, 'plan_queued');
    const [known] = await house.runs.pools.agents(pool.id);
    expect([...(await house.runs.jobs.atWork())]).toContainEqual([known?.id, 1]);
    const metrics = (await house.house.ask('GET', '/metrics')).text;
    for (const what of ['connected', 'busy', 'waiting'])
      expect(metrics).toContain(`statehouse_agents{pool="${pool.id}",what="${what}"} 1`);
    expect(metrics).toMatch(/statehouse_runs\{what="executing"\} [1-9]/);
    await house.runs.act(ADMIN_CALLER, waiting, 'cancel');
    await house.runs.act(ADMIN_CALLER, canceled, 'cancel');
    await house.until(canceled, 'canceled');
    expect(await house.log(canceled, 'plan')).toMatch(/told/);
    const finished = await begun({ 'plan.sh': waits('finished') });
    await reached('finished');
    const stopped = first.stop();
    await writeFile(join(out, 'go-finished'), '');
    await house.until(finished, 'planned', 'errored');
    await stopped;
    expect(await house.show(finished)).toMatchObject({ status: 'planned', problem: null });
    await first[Symbol.asyncDispose]();
  });

  it('are taken one at a time by agents that end after it', async () => {
    await using first = await PlayingAgent.start(house.house, pool.token, {
      programs: programs.path,
      once: true,
    });
    const id = await begun({}, true);
    await first.done;
    expect((await house.show(id)).status).not.toBe('planning');
    expect(await house.runs.pools.agents(pool.id)).toEqual([]);
    await using second = await PlayingAgent.start(house.house, pool.token, {
      programs: programs.path,
      once: true,
    });
    expect(await house.until(id, 'applied', 'errored')).toMatchObject({ status: 'applied' });
    await second.done;
  });

  it('are given to nobody whose token was revoked, or whose pool is removed', async () => {
    const client = new JobClient(connectionTo(house.house.url), pool.token);
    const { id } = await client.register(ABOUT, NOBODY_STOPS);
    const refused = client.next(id, 20_000, NOBODY_STOPS).then(() => 'a run was given', String);
    await house.runs.pools.revokeToken(ADMIN_CALLER, pool.token.split('.')[0] ?? '');
    const run = await begun({});
    expect(await refused).toMatch(/forgotten the agent|does not take the token/);
    await expect(client.next(id, 0, NOBODY_STOPS)).rejects.toThrow(TokenRefused);
    expect((await house.show(run)).status).toBe('plan_queued');
    await house.runs.pools.remove(ADMIN_CALLER, pool.id);
    const late = await house.runs.create(ADMIN_CALLER, { ...WANTED, configuration: await configured({}) });
    expect(late).toMatchObject({ type: 'invalid', problem: expect.stringMatching(/agent pool .* is gone/) });
  });

  it('are refused at once where no agent of the pool has their version, and where nothing executes them', async () => {
    await using _agent = await agent();
    await expect.poll(() => house.runs.pools.agents(pool.id)).toHaveLength(1);
    const wanted = { ...WANTED, configuration: await configured({}), version: '9.9.9' };
    expect(await house.runs.create(ADMIN_CALLER, wanted)).toMatchObject({
      type: 'invalid',
      problem: expect.stringMatching(/no agent of the pool has terraform 9\.9\.9: they have 1\.2\.3/),
    });
    const elsewhere = { project: 'app', key: `alone${count}`, workspace: 'default' };
    const slug = await slugOf({ 'main.tf': '' });
    const configuration = await house.configuration(slug, { address: elsewhere });
    expect(await house.runs.create(ADMIN_CALLER, { ...WANTED, configuration })).toMatchObject({
      type: 'invalid',
      problem: expect.stringMatching(/executes nothing itself: give the workspace an agent pool/),
    });
    const answer = await house.runs.executions.set(ADMIN_CALLER, elsewhere, {
      mode: 'agent',
      pool: 'nobody',
    });
    expect(answer).toMatchObject({ type: 'invalid', problem: 'project app has no agent pool "nobody"' });
  });
});
