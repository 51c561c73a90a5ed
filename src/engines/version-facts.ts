import type { Version } from '../core/world.ts';
import type { RowKeys } from './row-keys.ts';

/** What of a version would let a guess of its state be confirmed: kept sealed, as JSON. */
export type VersionFacts = Pick<Version, 'size' | 'sha256' | 'md5'>;

/** A version as its row has it. */
export type StoredVersion = Omit<Version, keyof VersionFacts> & { readonly facts: Uint8Array };

/** @param owner the address, as the codes of its rows name it */
export function sealVersion(keys: RowKeys, owner: string, version: Version): StoredVersion {
  const { size, sha256, md5, ...stored } = version;
  const plainFacts = Buffer.from(JSON.stringify({ size, sha256, md5 } satisfies VersionFacts));
  return { ...stored, facts: sealFacts(keys, owner, version.number, plainFacts) };
}

/** @throws what opening throws, where the facts were changed */
export function openVersion(keys: RowKeys, owner: string, { facts, ...stored }: StoredVersion): Version {
  return { ...stored, ...openFacts(keys, owner, stored.number, facts) };
}

/** @param of the number of the version @param plainFacts JSON of {@link VersionFacts} */
export function sealFacts(keys: RowKeys, owner: string, of: number, plainFacts: Uint8Array): Uint8Array {
  return keys.seal(plainFacts, contextOf(owner, of));
}

/** Bytes of a version's state; 0 where its facts were changed, so that it can still be dropped. @param of the number of the version */
export function sizeOfVersion(keys: RowKeys, owner: string, of: number, facts: Uint8Array): number {
  try {
    return openFacts(keys, owner, of, facts).size;
  } catch {
    return 0;
  }
}

function openFacts(keys: RowKeys, owner: string, of: number, facts: Uint8Array): VersionFacts {
  return JSON.parse(Buffer.from(keys.open(facts, contextOf(owner, of))).toString()) as VersionFacts;
}

function contextOf(owner: string, of: number): string {
  return `facts of version ${of}\n${owner}`;
}
