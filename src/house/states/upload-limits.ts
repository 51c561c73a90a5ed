import { formatAddress, type Address } from '../../core/address.ts';
import type { Milliseconds } from '../../core/instant.ts';
import { sharesOf } from '../budget.ts';
import type { Upload } from './upload-records.ts';

/** Unfinished uploads of a house, of one project, of one credential and of one address. */
export const UPLOADS_MAX = { house: 256, project: 128, subject: 64, address: 32 } as const;
/** An upload that is not finished by then is dropped with what has come of it. */
export const UPLOAD_LIFE: Milliseconds = 24 * 60 * 60 * 1_000;
/** How long a finished upload is remembered, for a client that never heard that it is. */
export const FINISHED_LIFE: Milliseconds = 10 * 60 * 1_000;

/** What unfinished uploads may hold, and for how long. */
export interface UploadSettings {
  /** Bytes of the pieces of all unfinished uploads together; one credential has a share of it. */
  readonly uploadBytesMax: number;
  /** An upload of which nothing came for so long is dropped. */
  readonly uploadIdle: Milliseconds;
}

/** Whether a caller may begin one more beside those that are open. */
export function mayBegin(open: readonly Upload[], subject: string, address: Address): boolean {
  const name = formatAddress(address);
  const bounds: readonly (readonly [number, (upload: Upload) => boolean])[] = [
    [UPLOADS_MAX.house, () => true],
    [UPLOADS_MAX.project, (upload) => upload.address.project === address.project],
    [UPLOADS_MAX.subject, (upload) => upload.subject === subject],
    [UPLOADS_MAX.address, (upload) => formatAddress(upload.address) === name],
  ];
  return bounds.every(([max, counts]) => open.filter(counts).length < max);
}

/**
 * Whether so many bytes more of a credential's uploads may be kept beside what is.
 * @param sizeMax bytes of the largest state, which every share has room for
 */
export function hasRoom(
  open: readonly Upload[],
  { subject, bytes }: { subject: string; bytes: number },
  { uploadBytesMax, sizeMax }: { uploadBytesMax: number; sizeMax: number },
): boolean {
  const { max, subjectMax } = sharesOf(Math.max(uploadBytesMax, sizeMax), sizeMax);
  const held = (counts: (upload: Upload) => boolean): number =>
    open.filter(counts).reduce((sum, upload) => sum + upload.bytes, bytes);
  return held(() => true) <= max && held((upload) => upload.subject === subject) <= subjectMax;
}

/** Whether an upload is to be dropped by now. */
export function isOver(
  { startedAt, touchedAt, finishedAt }: Upload,
  now: number,
  uploadIdle: Milliseconds,
): boolean {
  if (finishedAt !== null) return now - finishedAt > FINISHED_LIFE;
  return now - startedAt > UPLOAD_LIFE || now - touchedAt > uploadIdle;
}
