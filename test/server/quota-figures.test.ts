import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/house/caller.ts';
import { QuotaFigures } from '../../src/server/quota-figures.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';

const CALLER: Caller = { identity: { subject: 'token:a', grants: [] }, door: 'health' };

function projects(names: readonly string[], used: (name: string) => number) {
  let counted = 0;
  return {
    counted: (): number => counted,
    seen: async () => {
      counted += 1;
      return { type: 'seen' as const, projects: names.map((name) => ({ name, since: 0 })) };
    },
    termsOf: async () => ({ limits: { states: 1_000 } }),
    usageOf: async (name: string) => ({ states: used(name), versions: 0, bytes: 0 }),
  };
}

describe('the use of quotas', () => {
  it('is among the metrics, for whom may know of the project alone', async () => {
    await using house = await TestHouse.open({ quotas: { quotaStates: 4, quotaSize: 1 } });
    for (const project of ['acme', 'beta'])
      await house.ask('POST', `/http/${project}/net`, { body: sampleState(1) });
    const team = await house.credential('team', [{ role: 'reader', pattern: 'beta/*' }]);
    const [all, some] = [
      await house.ask('GET', '/metrics'),
      await house.ask('GET', '/metrics', { as: team }),
    ];
    expect(all.text).toContain('statehouse_project_use{project="acme",what="states"} 1\n');
    expect(all.text).toContain(
      `statehouse_project_use{project="beta",what="bytes"} ${Buffer.byteLength(sampleState(1))}\n`,
    );
    expect(all.text).toContain('statehouse_project_quota{project="beta",what="bytes"} 1048576\n');
    expect(all.text).not.toContain('statehouse_project_quota{project="beta",what="versions"}');
    expect(some.text).toContain('statehouse_project_use{project="beta",what="states"} 1\n');
    expect(some.text).not.toContain('acme');
  });

  it('is not said where there is no quota', async () => {
    await using house = await TestHouse.open({ quotas: {} });
    await house.ask('POST', '/http/acme/net', { body: sampleState(1) });
    expect((await house.ask('GET', '/metrics')).text).not.toContain('statehouse_project_');
  });

  it('is of the fullest hundred, whose names cannot break out of their label', async () => {
    const names = Array.from({ length: 150 }, (_, at) => `p${at + 1}`);
    const figures = new QuotaFigures(projects([...names, 'a"\n\\'], (name) => Number(name.slice(1)) || 999));
    const lines = (await figures.text(CALLER)).split('\n');
    const used = lines.filter(
      (line) => line.startsWith('statehouse_project_use{') && line.includes('states'),
    );
    expect(used).toHaveLength(100);
    expect(used[0]).toBe(String.raw`statehouse_project_use{project="a\"\n\\",what="states"} 999`);
    expect(used[1]).toContain('"p150"');
    expect(used.join('\n')).not.toContain('"p51"');
  });

  it('is counted once for many who ask, and again after half a minute', async () => {
    let now = 0;
    const counted = projects(['a'], () => 1);
    const figures = new QuotaFigures(counted, () => now);
    await Promise.all(Array.from({ length: 20 }, () => figures.text(CALLER)));
    expect(counted.counted()).toBe(1);
    now = 30_001;
    await figures.text(CALLER);
    expect(counted.counted()).toBe(2);
  });
});
