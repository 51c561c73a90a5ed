import type { Snapshot } from './snapshot.ts';

/** How much is in a state. */
export interface SnapshotSummary {
  /** Resource blocks with at least one instance, data sources not counted. */
  readonly resources: number;
  readonly instances: number;
  readonly dataInstances: number;
  readonly outputs: number;
  readonly modules: number;
  readonly tainted: number;
  readonly deposed: number;
  /** Checks whose last status was `fail` or `error`. */
  readonly failedChecks: number;
  /** Resource types of managed instances, the most frequent first. */
  readonly types: readonly (readonly [type: string, count: number])[];
}

export function summarizeSnapshot({ instances, outputs, checks }: Snapshot): SnapshotSummary {
  const managed = instances.filter(({ mode }) => mode === 'managed');
  const types = new Map<string, number>();
  for (const { resourceType } of managed) types.set(resourceType, (types.get(resourceType) ?? 0) + 1);
  return {
    resources: new Set(managed.map(({ module, resourceType, name }) => `${module} ${resourceType} ${name}`))
      .size,
    instances: managed.filter(({ deposed }) => deposed === null).length,
    dataInstances: instances.length - managed.length,
    outputs: outputs.length,
    modules: new Set(instances.map(({ module }) => module).filter((module) => module !== '')).size,
    tainted: instances.filter(({ tainted }) => tainted).length,
    deposed: managed.filter(({ deposed }) => deposed !== null).length,
    failedChecks: checks.filter(({ status }) => status === 'fail' || status === 'error').length,
    types: [...types].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)),
  };
}
