import { isIP } from 'node:net';

/** The namespace of every document that S3 answers with. */
export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** Entries of one page of a listing, at most and by default (Amazon S3 API reference, ListObjectsV2). */
export const LIST_KEYS_MAX = 1_000;
/** Objects that one DeleteObjects request may name. */
export const DELETE_OBJECTS_MAX = 1_000;

/** A version of a state by its number, or the mark that S3 keeps in place of a deleted object. */
export type VersionId =
  | { readonly kind: 'version'; readonly number: number }
  | { readonly kind: 'delete-marker'; readonly number: number };

/** Version IDs are opaque to clients: here they are the house's version numbers, `d7` the mark of a deletion. */
export function readVersionId(text: string): VersionId | null {
  const match = /^(d?)([1-9]\d{0,14})$/.exec(text);
  if (match === null) return null;
  return { kind: match[1] === 'd' ? 'delete-marker' : 'version', number: Number(match[2]) };
}

export function versionId(number: number): string {
  return String(number);
}

/** @param number the version that was the newest when the state was deleted */
export function deleteMarkerId(number: number): string {
  return `d${number}`;
}

/**
 * The bucket that a `Host` header names (virtual-hosted style), or null where the path names it. SDKs use the path where
 * the endpoint is an IP address, and put the bucket before any other host name unless they are told not to.
 * @param domain the name under which the house is reached, if it was told one
 */
export function bucketOfHost(host: string, domain: string | null): string | null {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return null;
  const bases = ['localhost', ...(domain === null ? [] : [domain.toLowerCase()])];
  for (const base of bases) {
    if (name === base) return null;
    // AWS's own way to name an endpoint puts "s3" and a region before its domain.
    const rest = name.endsWith(`.${base}`) ? name.slice(0, -base.length - 1) : null;
    if (rest !== null) return withoutService(rest);
  }
  return /^(.+)\.s3[.-]/.exec(name)?.[1] ?? null;
}

function withoutService(labels: string): string | null {
  const bucket = labels.replace(/(?:^|\.)s3(?:[.-][a-z0-9-]+)?$/, '');
  return bucket === '' ? null : bucket;
}
