import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobClient } from '../../src/cli/agent/job-client.ts';
import { KubernetesApi } from '../../src/cli/agent/kubernetes/api.ts';
import { KubernetesController } from '../../src/cli/agent/kubernetes/controller.ts';
import { readJobTemplate } from '../../src/cli/agent/kubernetes/manifests.ts';
import { openAgent } from '../../src/cli/agent/open-agent.ts';
import { readJob } from '../../src/cli/agent/read-job.ts';
import { JobLost } from '../../src/runs/agents/job-server.ts';
import { RUN_LIMITS } from '../../src/runs/limits.ts';
import { openLog, systemClock, systemEntropy } from '../../src/server/runtime.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { KubernetesCluster, type Manifest, type PlayedJob } from './kubernetes-cluster.ts';
import { PLAYED_VERSION, playedPrograms } from './played-program.ts';
import { connectionTo, newPool, useAgents } from './playing-agent.ts';
import { NET, RunningHouse, slugOf } from './running-house.ts';

const TEMPLATE = `
apiVersion: batch/v1
kind: Job
metadata:
  annotations: { statehouse/programs: 'terraform ${PLAYED_VERSION}' }
spec:
  template:
    spec:
      containers:
        - name: agent
          image: statehouse-agent:0.1.0
          env: [{ name: STATEHOUSE_SERVER, value: 'https://statehouse.test' }]
`;
const NEVER = new AbortController().signal;

describe('runs that Jobs of Kubernetes execute', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let cluster: KubernetesCluster;
  let directory: string;
  let stop: AbortController;
  let working: Promise<void>;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ mode: 'agents' });
    cluster = await KubernetesCluster.start();
    directory = await mkdtemp(join(tmpdir(), 'statehouse-pods-'));
    const { id, token } = await newPool(house.runs, 'app');
    await useAgents(house.runs, NET, id);
    const template = readJobTemplate(TEMPLATE);
    const controller = new KubernetesController({
      server: new JobClient(connectionTo(house.house.url), token),
      about: { name: 'controller', version: '0', programs: template.programs },
      api: await KubernetesApi.open(cluster.place, null),
      template,
      clock: systemClock,
      entropy: systemEntropy,
      log: openLog('silent'),
    });
    stop = new AbortController();
    working = controller.run({ slots: 2, stopped: stop.signal });
  });
  afterAll(async () => {
    stop.abort();
    await working;
    await cluster[Symbol.asyncDispose]();
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    cluster.refusal = null;
  });

  const begun = async (): Promise<string> => {
    const slug = await slugOf({ 'main.tf': '', 'plan.sh': 'echo planning', 'apply.sh': 'echo applying' });
    const { id } = await house.run(await house.configuration(slug), { version: PLAYED_VERSION });
    return id;
  };
  /** Executes a phase as a pod does, which is told by a file. */
  const pod = async ({ secret }: PlayedJob): Promise<void> => {
    const file = join(directory, `${String(secret['metadata']?.['name'])}.json`);
    await writeFile(file, Buffer.from(String(secret['data']?.['job.json']), 'base64'));
    const agent = await openAgent({
      connection: connectionTo(house.house.url),
      token: '',
      name: 'pod',
      isSandboxed: false,
      network: 'all',
      programs: programs.path,
      directory: join(directory, 'runs'),
      memory: RUN_LIMITS.memory,
      logLevel: 'silent',
    });
    await agent.execute(await readJob(file), { stopped: NEVER, within: 0 });
  };

  it('are planned and applied by a Job each, which is removed then', async () => {
    const played: PlayedJob[] = [];
    cluster.pod = async (job) => {
      played.push(job);
      await pod(job);
    };
    const id = await begun();
    await house.until(id, 'planned', 'errored');
    await house.runs.act(ADMIN_CALLER, id, 'confirm');
    expect(await house.until(id, 'applied', 'errored')).toMatchObject({ status: 'applied', problem: null });
    expect(await house.log(id, 'plan')).toContain('planning');
    expect(await house.log(id, 'apply')).toContain('applying');
    expect(played.map(({ manifest }) => manifest['metadata']?.['labels'])).toEqual([
      { 'statehouse/run': id, 'statehouse/phase': 'plan' },
      { 'statehouse/run': id, 'statehouse/phase': 'apply' },
    ]);
    await expect.poll(() => cluster.jobs.size, { timeout: 20_000 }).toBe(0);
  });

  it('are done once, though a phase was given to two pods, and what pods are told is good for nothing then', async () => {
    let told: PlayedJob | null = null;
    let ends: readonly PromiseSettledResult<void>[] = [];
    cluster.pod = async (job) => {
      told = job;
      ends = await Promise.allSettled([pod(job), pod(job)]);
    };
    const id = await begun();
    expect(await house.until(id, 'planned', 'errored')).toMatchObject({ status: 'planned' });
    await expect.poll(() => ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const secret = (told as PlayedJob | null)?.secret as Manifest;
    const file = join(directory, 'told.json');
    await writeFile(file, Buffer.from(String(secret['data']?.['job.json']), 'base64'));
    expect(await readFile(file, 'utf8')).not.toContain('at-');
    const client = new JobClient(connectionTo(house.house.url), '');
    await expect(client.job(await readJob(file)).variables()).rejects.toThrow(JobLost);
    await house.runs.act(ADMIN_CALLER, id, 'discard');
  });

  it('end where the cluster refuses the Job, or its pod ends before it begins', async () => {
    cluster.refusal = { code: 403, message: 'jobs.batch is forbidden' };
    const refused = await begun();
    const { problem } = await house.until(refused, 'planned', 'errored');
    expect(problem).toMatch(/API server answers 403: jobs.batch is forbidden/);
    cluster.refusal = null;
    cluster.pod = () => Promise.reject(new Error('no image'));
    const lost = await begun();
    expect((await house.until(lost, 'planned', 'errored')).problem).toMatch(/has ended before it began/);
  });
});

describe('the manifest of Jobs', () => {
  it('is a Job that says what its image has', () => {
    expect(() => readJobTemplate('kind: [')).toThrow(/cannot be read as YAML/);
    expect(() => readJobTemplate(TEMPLATE.replace('kind: Job', 'kind: Pod'))).toThrow(/expected a Job: kind/);
    expect(() => readJobTemplate(TEMPLATE.replace(/terraform [^']*/, 'pulumi 3'))).toThrow(
      /"pulumi 3": expected a program and a version/,
    );
    expect(
      readJobTemplate(TEMPLATE.replace(/terraform [^']*/, 'tofu 1.9.0, terraform 1.11.4')).programs,
    ).toEqual([
      { program: 'tofu', version: '1.9.0' },
      { program: 'terraform', version: '1.11.4' },
    ]);
  });
});
