import type { Address } from '../../../core/address.ts';
import type { WriteTerms } from '../../../house/states/states.ts';
import type { DoorRequest } from '../../door.ts';
import { namesETag, readConditions } from '../../wire/conditions.ts';
import { etagOf, modifiedAt, viewOf, type BlobView } from './blob-view.ts';
import type { DoorCall } from './call.ts';
import { conditionNotMet, noSuchBlob, refused, type AzureError } from './errors.ts';

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

export function isConditional({ header }: Pick<DoorRequest, 'header'>): boolean {
  return CONDITIONS.some((name) => header(name) !== undefined);
}

/** Whether a read's conditions hold: null, or the error, which is a 304 without a body for what is known already. */
export function readRefusal({ header }: Pick<DoorRequest, 'header'>, view: BlobView): AzureError | null {
  const failed = readConditions((name) => header(name), { etag: etagOf(view), modified: modifiedAt(view) });
  if (failed === null) return null;
  if (failed !== 304) return conditionNotMet(failed);
  const etag = `"${etagOf(view)}"`;
  return { status: 304, code: 'ConditionNotMet', message: '', headers: { etag } };
}

/** What a change expects to find, so that nothing can come between the look and the change; null for anything. */
export async function expectation(
  call: DoorCall,
  address: Address,
): Promise<NonNullable<WriteTerms['expects']> | null | AzureError> {
  const { header } = call.request;
  if (!isConditional(call.request)) return null;
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  const { state } = view;
  const failed = changeRefusal((name) => header(name), view);
  if (failed !== null) return failed;
  return { sha256: state?.sha256 ?? null };
}

/** Of a change all conditions fail with 412, but that there be none yet with 409 (Blob service REST API, "conditional headers"). */
function changeRefusal(header: DoorRequest['header'], view: BlobView): AzureError | null {
  const { state } = view;
  const match = header('if-match');
  if (state === null) {
    if (match === undefined) return null;
    // A lock alone is a blob without bytes, whose tag was told.
    if (view.lock !== null && namesETag(match, etagOf(view))) return null;
    return match.trim() === '*' ? noSuchBlob() : conditionNotMet('If-Match');
  }
  if (match !== undefined && !namesETag(match, etagOf(view))) return conditionNotMet('If-Match');
  const noneMatch = header('if-none-match');
  if (noneMatch?.trim() === '*') return blobExists();
  if (noneMatch !== undefined && namesETag(noneMatch, etagOf(view))) return conditionNotMet('If-None-Match');
  const at = Math.floor(state.at / 1_000) * 1_000;
  const [since, until] = [header('if-modified-since'), header('if-unmodified-since')].map((time) =>
    Date.parse(time ?? ''),
  );
  if (since !== undefined && at <= since) return conditionNotMet('If-Modified-Since');
  return until !== undefined && at > until ? conditionNotMet('If-Unmodified-Since') : null;
}

export function blobExists(): AzureError {
  return { status: 409, code: 'BlobAlreadyExists', message: 'The specified blob already exists.' };
}
