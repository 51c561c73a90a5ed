import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { jobManifest, readJobTemplate } from '../../src/cli/agent/kubernetes/manifests.ts';
import { command } from '../../src/cli/commands/agent.ts';
import { environmentName, flagName } from '../../src/cli/options.ts';
import { readDuration } from '../../src/core/duration.ts';

type Tree = { readonly [name: string]: Tree } & { readonly [index: number]: Tree } & string;
type Named = readonly { readonly name: string; readonly value?: string; readonly mountPath?: string }[];

describe('the Kubernetes manifest of agents', () => {
  const text = readFileSync(new URL('../../deploy/kubernetes/agent.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(text);
  const [job, policy] = documents.map((document) => document.toJS() as Tree);
  const pod = job!['spec']!['template']!['spec']!;
  const container = pod['containers']![0]!;

  it('is a Job whose pods take one phase each, as the command line knows it', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect([job!['kind'], policy!['kind']]).toEqual(['Job', 'NetworkPolicy']);
    const [name, ...args] = container['args'] as unknown as string[];
    const flags = Object.keys(command.options).map(flagName);
    expect(name).toBe('agent');
    expect(args).toContain('--once');
    for (const arg of args) expect(flags).toContain(arg.split('=')[0]);
    const settings = Object.entries(command.options)
      .filter(([, { environment }]) => environment)
      .map(([key]) => environmentName(key));
    const env = container['env'] as unknown as Named;
    for (const { name: setting } of env) expect(settings).toContain(setting);
    expect(pod['restartPolicy']).toBe('Never');
    const wait = readDuration(env.find((one) => one.name === 'STATEHOUSE_STOP_WAIT')?.value ?? '');
    expect(Number(pod['terminationGracePeriodSeconds']) * 1_000).toBeGreaterThan(Number(wait));
    const memory = Number(env.find((one) => one.name === 'STATEHOUSE_RUN_MEMORY')?.value);
    expect(memory).toBeLessThan(Number.parseInt(container['resources']!['limits']!['memory']!, 10) * 1_024);
  });

  it('gives a run nothing to write but its own place, and no way to the metadata of the cloud', () => {
    expect(pod['automountServiceAccountToken']).toBe(false);
    expect(container['securityContext']).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
    const volumes = (pod['volumes'] as unknown as Named).map(({ name }) => name);
    const mounts = container['volumeMounts'] as unknown as Named;
    expect(mounts.map(({ name }) => name)).toEqual(volumes);
    expect(mounts.map(({ mountPath }) => mountPath)).toContain('/runs');
    const { podSelector, ingress, egress } = policy!['spec']!;
    expect(podSelector!['matchLabels']).toEqual(job!['spec']!['template']!['metadata']!['labels']);
    expect(ingress).toEqual([]);
    const blocks = JSON.stringify(egress);
    for (const address of ['169.254.0.0/16', 'fd00:ec2::254/128']) expect(blocks).toContain(address);
  });
});

describe('the Kubernetes manifest of a Job for each phase', () => {
  const text = readFileSync(new URL('../../deploy/kubernetes/agent-jobs.yaml', import.meta.url), 'utf8');
  const documents = parseAllDocuments(text);
  const [, role, , map, deployment, policy] = documents.map((document) => document.toJS() as Tree);
  const template = readJobTemplate(map!['data']!['job.yaml']!);
  const run = { id: 'run-1' } as Parameters<typeof jobManifest>[2]['run'];
  const job = jobManifest(template, 'statehouse-plan-1', { run, phase: 'plan' }) as Tree;
  const pod = job['spec']!['template']!['spec']!;

  it('has a controller that may make Jobs and read no secret, by options of the command line', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(JSON.parse(JSON.stringify(role!['rules']))).toEqual([
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'get', 'delete'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ]);
    const container = deployment!['spec']!['template']!['spec']!['containers']![0]!;
    const flags = Object.keys(command.options).map(flagName);
    for (const { args } of [container, pod['containers']![0]!]) {
      const [name, ...words] = args as unknown as string[];
      expect(name).toBe('agent');
      for (const word of words) expect(flags).toContain(word.split('=')[0]);
    }
  });

  it('has each phase executed once, by a pod that has nothing of the cluster or of the pool', () => {
    expect(template.programs).toEqual([{ program: 'terraform', version: '1.11.4' }]);
    expect(job).toMatchObject({
      metadata: { name: 'statehouse-plan-1', labels: { 'statehouse/run': 'run-1' } },
      spec: { backoffLimit: 0, completions: 1, parallelism: 1, ttlSecondsAfterFinished: 600 },
    });
    expect(pod).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
    const volumes = pod['volumes'] as unknown as (Named[number] & { secret?: object })[];
    expect(volumes.flatMap(({ secret = [] }) => secret)).toEqual([
      { secretName: 'statehouse-plan-1', defaultMode: 0o440 },
    ]);
    const mounts = pod['containers']![0]!['volumeMounts'] as unknown as Named;
    expect(mounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
    const labels = job['spec']!['template']!['metadata']!['labels'];
    expect(labels).toMatchObject(policy!['spec']!['podSelector']!['matchLabels'] as object);
  });
});
