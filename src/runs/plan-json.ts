import type { PlanCounts } from './records.ts';

const NO_COUNTS: PlanCounts = { additions: 0, changes: 0, destructions: 0, imports: 0 };

/** How many resources a plan would add, change, destroy and import. @param json what `terraform show -json` says of it */
export function countsOf(json: Uint8Array): PlanCounts {
  const plan: unknown = JSON.parse(Buffer.from(json).toString());
  const changes = memberOf(plan, 'resource_changes');
  if (!Array.isArray(changes)) return NO_COUNTS;
  const isGenerated = (change: unknown): boolean =>
    typeof memberOf(memberOf(change, 'change'), 'generated_config') === 'string';
  const generated = changes.some(isGenerated);
  return changes.reduce<PlanCounts>((counts, change: unknown) => {
    const made = memberOf(change, 'change');
    const given = memberOf(made, 'actions');
    const actions: readonly unknown[] = Array.isArray(given) ? given : [];
    return {
      additions: counts.additions + Number(actions.includes('create')),
      changes: counts.changes + Number(actions.includes('update')),
      destructions: counts.destructions + Number(actions.includes('delete')),
      imports: counts.imports + Number(memberOf(made, 'importing') !== undefined),
      ...(generated ? { generated } : {}),
    };
  }, NO_COUNTS);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
