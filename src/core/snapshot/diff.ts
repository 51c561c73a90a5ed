import type { Masked } from './masked.ts';
import { Secret, hasSecret, isMaskedArray, isMaskedObject, revealed, sameMasked } from './masked.ts';
import type { Check, Instance, Snapshot } from './snapshot.ts';

/** What lies between two snapshots, resource instance by resource instance. */
export interface SnapshotDiff {
  /** Nothing but serial, lineage or the writer's version differs. */
  readonly same: boolean;
  readonly serial: Change<bigint> | null;
  readonly lineage: Change<string> | null;
  readonly terraformVersion: Change<string> | null;
  readonly outputs: readonly ValueChange[];
  readonly instances: readonly InstanceChange[];
  readonly checks: readonly Change<Check | null>[];
}

export interface Change<T> {
  readonly before: T;
  readonly after: T;
}

/** One value that differs; null where there is none on that side. */
export interface ValueChange {
  /** `tags.Name`, `ingress[0].port`; for outputs, what follows the output's name too. */
  readonly path: string;
  readonly before: Side | null;
  readonly after: Side | null;
}

export interface Side {
  readonly content: Masked;
  readonly sensitive: boolean;
}

export interface InstanceChange {
  /** With ` (deposed 1a2b3c4d)` for what a replacement left. */
  readonly address: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly attributes: readonly ValueChange[];
  /** What differs beside the attributes: `tainted`, `provider`, `schema version`, `dependencies`, `private data`. */
  readonly beside: readonly string[];
}

/** Compares two snapshots; the order of check results means nothing and is ignored. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDiff {
  const outputs = diffKeyed(before.outputs, after.outputs, ({ name }) => name).flatMap(([name, old, now]) =>
    diffSides(name, old?.content, now?.content),
  );
  const instances = diffKeyed(before.instances, after.instances, instanceKey).flatMap(([key, old, now]) =>
    diffInstance(key, old, now),
  );
  const checks = diffKeyed(before.checks, after.checks, (check) => `${check.kind} ${check.address}`)
    .filter(([, old, now]) => JSON.stringify(old) !== JSON.stringify(now))
    .map(([, old, now]) => ({ before: old ?? null, after: now ?? null }));
  return {
    same: outputs.length === 0 && instances.length === 0 && checks.length === 0,
    serial: diffScalar(before.serial, after.serial),
    lineage: diffScalar(before.lineage, after.lineage),
    terraformVersion: diffScalar(before.terraformVersion, after.terraformVersion),
    outputs,
    instances,
    checks,
  };
}

function instanceKey({ address, deposed }: Instance): string {
  return deposed === null ? address : `${address} (deposed ${deposed})`;
}

function diffScalar<T>(before: T, after: T): Change<T> | null {
  return before === after ? null : { before, after };
}

function diffInstance(
  address: string,
  before: Instance | undefined,
  after: Instance | undefined,
): readonly InstanceChange[] {
  const attributes = diffKeyed(before?.attributes ?? [], after?.attributes ?? [], ({ name }) => name)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, old, now]) => diffSides(name, old?.content, now?.content));
  if (before === undefined) return [{ address, kind: 'added', attributes, beside: [] }];
  if (after === undefined) return [{ address, kind: 'removed', attributes, beside: [] }];
  const facets: readonly (readonly [string, boolean])[] = [
    ['tainted', before.tainted === after.tainted],
    ['provider', before.provider === after.provider],
    ['schema version', before.schemaVersion === after.schemaVersion],
    ['dependencies', before.dependencies.join() === after.dependencies.join()],
    ['private data', before.private === after.private],
  ];
  const beside = facets.filter(([, same]) => !same).map(([name]) => name);
  if (attributes.length === 0 && beside.length === 0) return [];
  return [{ address, kind: 'changed', attributes, beside }];
}

/** Goes down as far as both sides have the same shape, and stops at secrets: where they differ inside is a secret too. */
function diffSides(
  path: string,
  before: Masked | undefined,
  after: Masked | undefined,
): readonly ValueChange[] {
  if (sameMasked(before, after)) return [];
  if (isMaskedObject(before) && isMaskedObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      diffSides(`${path}${formatMember(name)}`, own(before, name), own(after, name)),
    );
  }
  if (isMaskedArray(before) && isMaskedArray(after)) {
    const longer = Math.max(before.length, after.length);
    return Array.from({ length: longer }).flatMap((_, at) =>
      diffSides(`${path}[${at}]`, before[at], after[at]),
    );
  }
  // What is a secret on one side is one on the other: it was, or has become, the same thing.
  const secret = before instanceof Secret || after instanceof Secret;
  return [{ path, before: makeSide(before, secret), after: makeSide(after, secret) }];
}

function own(object: Readonly<Record<string, Masked>>, name: string): Masked | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function makeSide(value: Masked | undefined, secret: boolean): Side | null {
  if (value === undefined) return null;
  const content = secret && value !== null ? new Secret(revealed(value)) : value;
  return { content, sensitive: hasSecret(content) };
}

function formatMember(name: string): string {
  return /^[A-Za-z_][\w-]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** Pairs the items of two lists by key: first the order of the new list, then what is only in the old one. */
function diffKeyed<T>(
  before: readonly T[],
  after: readonly T[],
  key: (item: T) => string,
): (readonly [string, T | undefined, T | undefined])[] {
  const old = new Map(before.map((item) => [key(item), item]));
  const now = new Map(after.map((item) => [key(item), item]));
  return [...new Set([...now.keys(), ...old.keys()])].map((name) => [name, old.get(name), now.get(name)]);
}
