import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { environmentName } from '../../src/cli/options.ts';
import { command as serve } from '../../src/cli/commands/serve.ts';
import { findOnPath } from '../support/find-program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TestHouse } from '../support/open-test-house.ts';

// None of this can be run in every place where the tests are, so it is held against the program that it is about.

const systemdAnalyze = await findOnPath('systemd-analyze');
const KNOWN = new Set(Object.keys(serve.options).map(environmentName));

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(at(path), 'utf8');
/** Settings of ours that a text names and that `serve` does not know. */
const unknownSettings = (text: string): string[] =>
  [...text.matchAll(/\bSTATEHOUSE_[A-Z_]+/g)].map(([name]) => name).filter((name) => !KNOWN.has(name));

type Tree = { readonly [name: string]: Tree } & { readonly [index: number]: Tree } & string;

describe('deploy/', () => {
  it.each(['Dockerfile', 'compose.yaml', 'kubernetes/statehouse.yaml', 'statehouse.service'])(
    'names only settings that serve has: %s',
    (file) => {
      expect(unknownSettings(read(`deploy/${file}`))).toEqual([]);
    },
  );

  it('has a compose file whose services, files and volumes are there', () => {
    const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Tree;
    const services = compose['services']!;
    expect(Object.keys(services).sort()).toEqual(['balancer', 'database', 'node-a', 'node-b']);
    for (const name of ['node-a', 'node-b']) {
      expect(services[name]!['build']).toEqual({ context: '..', dockerfile: 'deploy/Dockerfile' });
      expect(Number.parseInt(services[name]!['stop_grace_period']!, 10)).toBeGreaterThan(
        Number(services[name]!['environment']!['STATEHOUSE_SHUTDOWN_TIMEOUT']),
      );
    }
    const mounts = Object.values(services).flatMap(
      (service) => (service['volumes'] ?? []) as unknown as string[],
    );
    const sources = mounts.map((mount) => mount.split(':')[0]!);
    const named = Object.keys(compose['volumes']!);
    expect(
      sources.filter((source) => !named.includes(source) && !existsSync(at(`deploy/${source}`))),
    ).toEqual([]);
    // The database is reached by the nodes alone, and no port of it is published.
    expect(compose['networks']!['database']).toEqual({ internal: true });
    const onDatabase = Object.entries(services as unknown as Record<string, { networks: object }>);
    const isOn = (networks: object): boolean =>
      (Array.isArray(networks) ? networks : Object.keys(networks)).includes('database');
    expect(onDatabase.filter(([, { networks }]) => isOn(networks)).map(([name]) => name)).toEqual([
      'node-a',
      'node-b',
      'database',
    ]);
    expect(services['database']!['ports']).toBeUndefined();
    // Secrets are files, and the nodes believe the balancer alone.
    const mounted = Object.values(services).flatMap(
      (service) => (service['secrets'] ?? []) as unknown as string[],
    );
    expect([...new Set(mounted)].sort()).toEqual(Object.keys(compose['secrets']!).sort());
    expect(read('deploy/compose.yaml')).not.toMatch(/^ +[A-Z_]+: .*(?:\$\{|:\/\/)/m);
    expect(services['node-a']!['environment']!['STATEHOUSE_TRUSTED_PROXY']).toBe(
      services['balancer']!['networks']!['front']!['ipv4_address'],
    );
    expect(read('deploy/haproxy.cfg')).toMatch(/^ {2}option forwardfor$/m);
    const balanced = [...read('deploy/haproxy.cfg').matchAll(/^ {2}server \S+ ([\w-]+):7117/gm)];
    expect(balanced.map(([, host]) => host)).toEqual(['node-a', 'node-b']);
  });

  it('has Kubernetes manifests that agree with each other', () => {
    const documents = parseAllDocuments(read('deploy/kubernetes/statehouse.yaml'));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const manifests = documents.map((document) => document.toJS() as Tree);
    const of = (kind: string): Tree => manifests.find((manifest) => manifest['kind'] === kind)!;
    expect(manifests.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'apps/v1 Deployment',
      'v1 Service',
      'policy/v1 PodDisruptionBudget',
      'networking.k8s.io/v1 NetworkPolicy',
    ]);
    const { spec } = of('Deployment');
    const labels = spec!['template']!['metadata']!['labels'];
    expect(spec!['selector']!['matchLabels']).toEqual(labels);
    expect(of('Service')['spec']!['selector']).toEqual(labels);
    expect(of('PodDisruptionBudget')['spec']!['selector']!['matchLabels']).toEqual(labels);
    expect(Number(of('PodDisruptionBudget')['spec']!['minAvailable'])).toBeLessThan(
      Number(spec!['replicas']),
    );
    const pod = spec!['template']!['spec']!;
    const container = pod['containers']![0]!;
    const policy = of('NetworkPolicy')['spec']!;
    expect(policy['podSelector']!['matchLabels']).toEqual(labels);
    expect(policy['policyTypes']).toEqual(['Ingress', 'Egress']);
    expect(policy['ingress']![0]!['ports']![0]!['port']).toBe(container['ports']![0]!['containerPort']);
    const settings = container['env'] as unknown as { name: string; value?: string }[];
    // TLS ends in the server, and what must not be in the environment of a process is in files.
    const mount = container['volumeMounts']![0]!['mountPath'];
    expect(container['volumeMounts']![0]!['name']).toBe(pod['volumes']![0]!['name']);
    for (const name of ['MASTER_KEY_FILE', 'TLS_CERT', 'TLS_KEY']) {
      const value = settings.find((setting) => setting.name === `STATEHOUSE_${name}`)?.value;
      expect(value?.startsWith(`${mount}/`), name).toBe(true);
    }
    for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
      expect(container[probe]!['httpGet']!['scheme']).toBe('HTTPS');
    }
    expect(of('Service')['spec']!['ports']![0]!['port']).toBe(443);
    const shutdown = Number(settings.find(({ name }) => name === 'STATEHOUSE_SHUTDOWN_TIMEOUT')?.value);
    expect(Number(pod['terminationGracePeriodSeconds'])).toBeGreaterThan(shutdown + 5);
  });

  it('asks at paths that the house answers', async () => {
    await using house = await TestHouse.open();
    const asked = ['Dockerfile', 'haproxy.cfg', 'kubernetes/statehouse.yaml'].flatMap((file) =>
      [...read(`deploy/${file}`).matchAll(/(?<=[ :0-9])\/(?:healthz|readyz)\b/g)].map(([path]) => path),
    );
    expect(new Set(asked)).toEqual(new Set(['/healthz', '/readyz']));
    for (const path of new Set(asked)) expect((await house.ask('GET', path, { as: null })).status).toBe(200);
  });

  it('has a unit that gives a shutdown its time', () => {
    const unit = read('deploy/statehouse.service');
    expect([...unit.matchAll(/^\[(\w+)\]$/gm)].map(([, section]) => section)).toEqual([
      'Unit',
      'Service',
      'Install',
    ]);
    expect(unit).toMatch(/^ExecStart=.* statehouse serve$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(20);
  });

  it('has a unit that takes from the server what it does not need, and the docs show that very unit', () => {
    const unit = read('deploy/statehouse.service');
    for (const line of [
      'UMask=0077',
      'LimitCORE=0',
      'CapabilityBoundingSet=',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
      'ProtectHome=yes',
      'ProtectProc=invisible',
      'RestrictNamespaces=yes',
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@privileged',
      'StateDirectoryMode=0700',
    ]) {
      expect(unit).toContain(`\n${line}\n`);
    }
    expect(read('docs/operating.md')).toContain(`\`\`\`ini\n${unit}\`\`\``);
  });

  it.skipIf(systemdAnalyze === null)(
    'has a unit that leaves little open, as systemd judges (skipped unless systemd-analyze is on PATH)',
    async () => {
      const parameters = ['security', '--offline=true', '--threshold=20', at('deploy/statehouse.service')];
      const { code, output } = await new RunningProgram(systemdAnalyze!, parameters, {
        cwd: '/',
        env: process.env,
      }).end;
      expect(code, output).toBe(0);
    },
  );

  it.skipIf(systemdAnalyze === null)(
    'has a unit that systemd finds nothing wrong with (skipped unless systemd-analyze is on PATH)',
    async () => {
      const parameters = ['verify', at('deploy/statehouse.service')];
      const run = new RunningProgram(systemdAnalyze!, parameters, { cwd: '/', env: process.env });
      const { output } = await run.end;
      expect(output.split('\n').filter((line) => line.includes('statehouse.service:'))).toEqual([]);
    },
  );
});
