import type { Holder, Version } from '../../../core/world.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { LOCK_INFO_METADATA } from '../layout.ts';
import { durationOf, etagOf, modifiedAt } from './blob-view.ts';
import { invalidQuery, type AzureError } from './errors.ts';
import { versionId } from './version-id.ts';

/** Entries of one page, at most and by default (Blob service REST API, "List Blobs"). */
const LIST_MAX = 5_000;

/** A blob as it is listed. */
export interface Listed {
  readonly name: string;
  readonly state: Version | null;
  readonly holder: Holder | null;
}

/** How many entries a page may have. */
export function readLimit(query: ReadonlyMap<string, string>): number | AzureError {
  const most = query.get('maxresults') ?? String(LIST_MAX);
  if (!/^[1-9]\d{0,8}$/.test(most)) return invalidQuery('maxresults', 'a whole number from 1 up');
  return Math.min(Number(most), LIST_MAX);
}

/** A blob as a listing tells of it. */
export function elementOf({ name, state, holder }: Listed, withMetadata: boolean): XmlElement {
  const lock = holder === null ? null : { holder, info: shownLockInfo(holder) };
  const view = { state, lock };
  const time = new Date(modifiedAt(view)).toUTCString();
  return {
    Name: name,
    VersionId: state === null ? undefined : versionId(state),
    IsCurrentVersion: state === null ? undefined : true,
    Properties: {
      'Creation-Time': time,
      'Last-Modified': time,
      Etag: etagOf(view),
      'Content-Length': state?.size ?? 0,
      'Content-Type': 'application/json',
      'Content-MD5': state === null ? undefined : Buffer.from(state.md5, 'hex').toString('base64'),
      BlobType: 'BlockBlob',
      AccessTier: 'Hot',
      AccessTierInferred: true,
      LeaseStatus: holder === null ? 'unlocked' : 'locked',
      LeaseState: holder === null ? 'available' : 'leased',
      LeaseDuration: holder === null ? undefined : durationOf(holder),
      ServerEncrypted: true,
    },
    Metadata:
      withMetadata && lock !== null
        ? { [LOCK_INFO_METADATA]: Buffer.from(lock.info).toString('base64') }
        : undefined,
  };
}
