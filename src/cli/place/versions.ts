import type { VersionShape } from '../../api/shapes/state.ts';
import { formatAgo, formatSize } from '../figures.ts';
import { historyOf } from '../folder/versions.ts';
import type { OpenPlace } from './place.ts';

/**
 * A version, with the same members on every backend: null is what a backend does not tell. A server numbers versions,
 * others have IDs of their own.
 */
export type ListedVersion = {
  readonly [K in keyof Omit<VersionShape, 'version' | 'at'>]: VersionShape[K] | null;
} & {
  readonly version: number | string;
  readonly at: string;
  /** The state was deleted at that time. */
  readonly deleted: boolean;
};

const UNTOLD = {
  serial: null,
  lineage: null,
  terraformVersion: null,
  encrypted: null,
  sha256: null,
  md5: null,
  subject: null,
  door: null,
  lockId: null,
  fence: null,
  operation: null,
  forced: null,
  restoredFrom: null,
};

/** The newest versions, and whether there are more. @throws Failure where the backend keeps none */
export async function listVersions(
  place: OpenPlace,
  limit: number,
): Promise<{ readonly versions: readonly ListedVersion[]; readonly more: boolean }> {
  const served = await place.served();
  if (served !== null) {
    const { items, more } = await served.house.list('list-versions', { address: served.name }, limit);
    return { versions: items.map((version) => ({ ...version, deleted: false })), more };
  }
  // One more tells whether there are more.
  const found = await historyOf(place.client).list(place.workspace, limit + 1);
  const versions = found.slice(0, limit).map(({ id, at, size, deleted }) => ({
    ...UNTOLD,
    version: id,
    at: at.toISOString(),
    size,
    deleted,
  }));
  return { versions, more: found.length > limit };
}

export const VERSION_COLUMNS: readonly string[] = [
  'VERSION',
  'SERIAL',
  'SIZE',
  'WRITTEN',
  'BY',
  'DOOR',
  'REMARK',
];

/** A version as a row of a table. */
export function versionRow(version: ListedVersion): readonly string[] {
  const { serial, size, at, subject, door, forced, restoredFrom, encrypted, lockId, deleted } = version;
  const remarks = [
    deleted ? 'deleted' : null,
    restoredFrom === null ? null : `restored from version ${restoredFrom}`,
    forced === true ? 'forced' : null,
    subject !== null && lockId === null ? 'no lock' : null,
    encrypted === true ? 'encrypted by OpenTofu' : null,
  ];
  return [
    String(version.version),
    serial ?? '-',
    size === null ? '-' : formatSize(size),
    formatAgo(at),
    subject ?? '-',
    door ?? '-',
    remarks.filter((remark) => remark !== null).join(', '),
  ];
}
