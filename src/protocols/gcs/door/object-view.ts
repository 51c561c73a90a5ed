import type { Version } from '../../../core/world.ts';
import type { SeenLock } from '../../lock-object/shown-lock.ts';
import type { DoorRequest } from '../../door.ts';
import { newDigest } from '../../wire/digest.ts';
import { DOWNLOAD_PREFIX, JSON_PREFIX } from '../layout.ts';
import { METAGENERATION } from './conditions.ts';

/** An object as this door shows it: a state, whose generation is its version's number, or a lock, whose is its fence. */
export interface ObjectView {
  readonly bucket: string;
  readonly name: string;
  readonly generation: number;
  /** Bytes. */
  readonly size: number;
  /** In base64. */
  readonly md5: string;
  /** In base64; absent where it is not known any more. */
  readonly crc32c?: string;
  readonly at: number;
}

/** @param crc32c in base64, if it is known */
export function stateView(
  bucket: string,
  name: string,
  { number, size, md5, at }: Version,
  crc32c?: string,
): ObjectView {
  const view = { bucket, name, generation: number, size, md5: base64(md5), at };
  return crc32c === undefined ? view : { ...view, crc32c };
}

export function lockView(bucket: string, name: string, { holder, info }: SeenLock): ObjectView {
  const [md5, crc32c] = (['md5', 'crc32c'] as const).map((algorithm) => {
    const digest = newDigest(algorithm);
    digest.update(info);
    return Buffer.from(digest.digest()).toString('base64');
  });
  return {
    bucket,
    name,
    generation: holder.fence,
    size: info.length,
    md5: md5 ?? '',
    ...(crc32c === undefined ? {} : { crc32c }),
    at: holder.since,
  };
}

/** An object as the JSON API describes it (Cloud Storage JSON API, "Objects: resource representation"). */
export function describeObject(
  view: ObjectView,
  { secure, header }: Pick<DoorRequest, 'secure' | 'header'>,
): Record<string, unknown> {
  const { bucket, name, generation, size, md5, at } = view;
  const path = `b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(name)}`;
  const origin = `${secure ? 'https' : 'http'}://${header('host') ?? ''}`;
  const time = new Date(at).toISOString();
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}${JSON_PREFIX}${path}`,
    mediaLink: `${origin}${DOWNLOAD_PREFIX}${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation: String(generation),
    metageneration: String(METAGENERATION),
    contentType: 'application/json',
    storageClass: 'STANDARD',
    size: String(size),
    md5Hash: md5,
    ...(view.crc32c === undefined ? {} : { crc32c: view.crc32c }),
    etag: etagOf(view),
    timeCreated: time,
    updated: time,
    timeStorageClassUpdated: time,
  };
}

/** What every answer with an object's bytes says of it in its headers. */
export function objectHeaders(view: ObjectView): Record<string, string> {
  const { generation, size, md5, crc32c, at } = view;
  return {
    'x-goog-generation': String(generation),
    'x-goog-metageneration': String(METAGENERATION),
    'x-goog-hash': `${crc32c === undefined ? '' : `crc32c=${crc32c},`}md5=${md5}`,
    'x-goog-stored-content-length': String(size),
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-storage-class': 'STANDARD',
    etag: `"${etagOf(view)}"`,
    'last-modified': new Date(at).toUTCString(),
    'cache-control': 'no-store',
  };
}

export function etagOf({ md5, generation }: ObjectView): string {
  return `${Buffer.from(md5, 'base64').toString('hex')}-${generation}`;
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
