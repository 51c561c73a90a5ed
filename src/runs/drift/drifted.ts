import { createHash } from 'node:crypto';
import { DRIFT_ACTIONS, type DriftedResource } from './records.ts';

/** Resources that are told of one workspace, and characters of an address. */
const RESOURCES_MAX = 1_000;
const ADDRESS_MAX = 1_000;

/**
 * What has drifted.
 * @param json what `terraform show -json` says of a plan that only refreshes
 * @returns the resources, without their values, and how many there are beyond those that are told
 */
export function driftIn(json: Uint8Array): {
  readonly resources: readonly DriftedResource[];
  readonly count: number;
} {
  const listed = memberOf(JSON.parse(Buffer.from(json).toString()), 'resource_drift');
  if (!Array.isArray(listed)) return { resources: [], count: 0 };
  const all = listed.flatMap((item: unknown): DriftedResource[] => {
    const address = memberOf(item, 'address');
    const actions = memberOf(memberOf(item, 'change'), 'actions');
    if (typeof address !== 'string' || !Array.isArray(actions)) return [];
    // A move alone changes nothing that is there.
    const action = DRIFT_ACTIONS.find((known) => actions.includes(known));
    return action === undefined ? [] : [{ address: address.slice(0, ADDRESS_MAX), action }];
  });
  return { resources: all.slice(0, RESOURCES_MAX), count: all.length };
}

/** Tells one set of drifted resources from another. */
export function digestOfDrift(resources: readonly DriftedResource[]): string {
  return createHash('sha256').update(JSON.stringify(resources)).digest('hex');
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
