import { Gauge, type Registry } from 'prom-client';
import type { Runs } from '../runs/runs.ts';

/** Pools that are told of. Each is a few time series for whoever keeps these figures. */
const POOLS_MAX = 100;

/** What of runs is measured. */
export interface MeasuredRuns extends Pick<Runs, 'figures'> {
  readonly drift: { readonly findings: { drifted(): Promise<number> } };
}

/** Has a registry tell of the runs of the server, of its agents, and of what its runs have found out. */
export function measureRuns(registry: Registry, runs: MeasuredRuns): void {
  const registers = [registry];
  const counts: Gauge<'what'> = new Gauge({
    name: 'statehouse_runs',
    help: 'Runs of all nodes that are not over: pending (they wait for the lock of their workspace), queued (they wait to be executed), executing, planned (they wait to be confirmed).',
    labelNames: ['what'],
    registers,
    collect: async () => {
      const figures = await runs.figures().catch(() => null);
      for (const what of ['pending', 'queued', 'executing', 'planned'] as const)
        counts.set({ what }, figures?.[what] ?? Number.NaN);
    },
  });
  const agents: Gauge<'pool' | 'what'> = new Gauge({
    name: 'statehouse_agents',
    help: 'Agents by the ID of their pool: connected, busy; and waiting, the plans and applies that wait for one. Up to 100 pools.',
    labelNames: ['pool', 'what'],
    registers,
    collect: async () => {
      // A pool that has no agent any more is not told of.
      agents.reset();
      const figures = await runs.figures().catch(() => null);
      for (const [pool, { connected, busy, waiting }] of [...(figures?.pools ?? [])].slice(0, POOLS_MAX))
        for (const [what, count] of Object.entries({ connected, busy, waiting }))
          agents.set({ pool, what }, count);
    },
  });
  const drifted: Gauge = new Gauge({
    name: 'statehouse_drifted_states',
    help: 'States that were not as what is there when they were last looked at; as much as a minute old.',
    registers,
    collect: async () => drifted.set(await runs.drift.findings.drifted().catch(() => Number.NaN)),
  });
}
