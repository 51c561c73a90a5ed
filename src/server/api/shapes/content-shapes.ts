import type {
  OutputShape,
  InstanceShape,
  SnapshotShape,
  SideShape,
  ValueChangeShape,
  DiffShape,
} from '../../../api/shapes/content.ts';
import type { SnapshotDiff, Side } from '../../../core/snapshot/diff.ts';
import type { Json } from '../../../core/snapshot/json.ts';
import { masked, revealed, type Masked } from '../../../core/snapshot/masked.ts';
import type { Instance, Output, Snapshot } from '../../../core/snapshot/snapshot.ts';
import { summarizeSnapshot } from '../../../core/snapshot/summary.ts';

/** @param reveal gives sensitive values as the state has them */
export function toOutputShape({ name, valueType, content, sensitive }: Output, reveal: boolean): OutputShape {
  return { name, type: valueType, value: shown(content, reveal), sensitive };
}

/** @param instance the one whose attributes are wanted; null for a list of all without them */
export function toSnapshotShape(version: number, snapshot: Snapshot, instance: string | null): SnapshotShape {
  const { types, ...counts } = summarizeSnapshot(snapshot);
  const { serial, lineage, terraformVersion, outputs, instances, checks } = snapshot;
  return {
    version,
    serial: serial.toString(),
    lineage,
    terraformVersion,
    summary: { ...counts, types: types.map(([type, number]) => ({ type, count: number })) },
    outputs: outputs.map((output) => toOutputShape(output, false)),
    instances: instances
      .filter(({ address }) => instance === null || address === instance)
      .map((item) => toInstanceShape(item, instance !== null)),
    checks,
  };
}

export function toDiffShape(from: number, to: number, diff: SnapshotDiff): DiffShape {
  const { same, serial, lineage, terraformVersion, outputs, instances, checks } = diff;
  const side = (given: Side | null): SideShape | null =>
    given === null ? null : { value: shown(given.content, false), sensitive: given.sensitive };
  const value = (change: SnapshotDiff['outputs'][number]): ValueChangeShape => ({
    path: change.path,
    before: side(change.before),
    after: side(change.after),
  });
  return {
    from,
    to,
    same,
    serial: serial === null ? null : { before: serial.before.toString(), after: serial.after.toString() },
    lineage,
    terraformVersion,
    outputs: outputs.map(value),
    instances: instances.map((instance) => ({ ...instance, attributes: instance.attributes.map(value) })),
    checks,
  };
}

function toInstanceShape(instance: Instance, withAttributes: boolean): InstanceShape {
  const { address, module, mode, resourceType, name, provider, tainted, deposed, dependencies } = instance;
  const attributes = withAttributes
    ? Object.fromEntries(instance.attributes.map((item) => [item.name, shown(item.content, false)]))
    : null;
  return {
    address,
    module,
    mode,
    type: resourceType,
    name,
    provider,
    tainted,
    deposed,
    dependencies,
    attributes,
  };
}

function shown(content: Masked, reveal: boolean): Json {
  return reveal ? revealed(content) : masked(content);
}
