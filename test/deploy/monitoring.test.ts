import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Metrics } from '../../src/server/metrics.ts';
import { QuotaFigures } from '../../src/server/quota-figures.ts';
import { findOnPath } from '../support/find-program.ts';
import { quietHouse } from '../support/quiet-house.ts';
import { RunningProgram } from '../support/running-program.ts';

const promtool = await findOnPath('promtool');
const at = (name: string): string =>
  fileURLToPath(new URL(`../../deploy/monitoring/${name}`, import.meta.url));
const read = (name: string): string => readFileSync(at(name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly w: number };
    readonly targets: readonly { readonly refId: string; readonly expr: string }[];
  }[];
}

const RULES = (parse(read('alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const { panels: PANELS } = JSON.parse(read('dashboard.json')) as Dashboard;

/** The words of a query that are metrics: neither functions, labels, keywords nor values. */
function metricsIn(query: string): string[] {
  const bare = query.replaceAll(/"[^"]*"/g, '').replaceAll(/\{[^}]*\}|\b(?:by|without|on)\s*\([^)]*\)/g, '');
  const words = bare.matchAll(/\b[a-z_]\w*\b(?!\s*\()/g);
  return [...words].map(([word]) => word).filter((word) => !['and', 'or', 'unless', 'by'].includes(word));
}

/** Labels and the values that a query compares them with. */
function labelsIn(query: string): string[] {
  return [...query.matchAll(/(\w+)=~?"/g), ...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(/,\s*/),
  );
}

describe('deploy/monitoring', () => {
  const queries = [
    ...RULES.map(({ expr }) => expr),
    ...PANELS.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  let text = '';

  beforeAll(async () => {
    const device = { name: 'file:a', taken: 1, dropped: 0, waiting: 0 };
    const metrics = new Metrics(quietHouse(), { ends: 0 }, { standings: [device] });
    metrics.request('http', 'read', 200, 0.1);
    const quotas = new QuotaFigures({
      seen: async () => ({ type: 'seen', projects: [{ name: 'a', since: 0 }] }),
      termsOf: async () => ({ limits: { states: 1 } }),
      usageOf: async () => ({ states: 1, versions: 1, bytes: 1 }),
    });
    const caller = { identity: { subject: 'token:a', grants: [] }, door: 'health' };
    text = (await metrics.text()).body + (await quotas.text(caller));
  });

  it('asks for metrics that the server has, and for what Prometheus knows by itself', () => {
    const named = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_count`, `${name}_bucket`, `${name}_sum`] : [name],
    );
    const known = new Set([...named, 'up']);
    const asked = queries.flatMap(metricsIn);
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('asks by labels that those have, in expressions whose brackets match', () => {
    const labels = new Set(['job', 'instance', 'le', 'door', 'operation', 'status', 'command', 'outcome']);
    for (const label of ['what', 'reason', 'device', 'project']) labels.add(label);
    expect(queries.flatMap(labelsIn).filter((label) => !labels.has(label))).toEqual([]);
    for (const query of queries) {
      for (const pair of ['()', '[]', '{}']) {
        expect(query.split(pair[0]!).length, query).toBe(query.split(pair[1]!).length);
      }
    }
  });

  it('has rules that say what is wrong and what to do, each once', () => {
    expect(new Set(RULES.map(({ alert }) => alert)).size).toBe(RULES.length);
    for (const rule of RULES) {
      expect(Object.keys(rule.annotations).toSorted(), rule.alert).toEqual(['description', 'summary']);
      expect(['warning', 'critical']).toContain(rule.labels['severity']);
    }
  });

  it('has a dashboard whose panels are numbered once and lie in the grid', () => {
    expect(new Set(PANELS.map(({ id }) => id)).size).toBe(PANELS.length);
    expect(PANELS.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it.skipIf(promtool === null)(
    'has rules that Prometheus takes (skipped unless promtool is on PATH)',
    async () => {
      const run = new RunningProgram(promtool!, ['check', 'rules', at('alerts.yaml')], {
        cwd: '/',
        env: process.env,
      });
      const { code, output } = await run.end;
      expect(code, output).toBe(0);
    },
  );
});
