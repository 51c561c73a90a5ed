import { z } from 'zod';
import type { Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { UPLOAD_KIND } from '../records/kinds.ts';

/** A state that is being sent in pieces. Its pieces are kept by the engine, so that any node can take the next one. */
export interface Upload extends Omit<StoredUpload, 'attributes' | 'touchedAt' | 'bytes'> {
  readonly id: string;
  /** When something of it came last. */
  readonly touchedAt: Instant;
  /** Bytes of its pieces. */
  readonly bytes: number;
  /** What it became; null until it is finished. */
  readonly became: UploadResult | null;
}

/** The version that a finished upload became, kept for a client that asks again. */
export interface UploadResult {
  /** Of the whole state, lower-case hex. */
  readonly md5: string;
  readonly version: number;
  readonly notes?: Notes | undefined;
}

/** What the door of an upload wants to know again of it, or of a piece: checksums, of its protocol's own kinds. */
export type Notes = Readonly<Record<string, string>>;

/** An upload as it is stored, under its id. */
export interface StoredUpload {
  readonly address: Address;
  readonly subject: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  /** When something of it came last; absent where an earlier program began it. */
  readonly touchedAt?: Instant | undefined;
  /** Bytes of its pieces; absent where an earlier program began it. */
  readonly bytes?: number | undefined;
  readonly notes?: Notes | undefined;
  /** What an earlier program said here in the clear that it became: now that is sealed, as the body of the record. */
  readonly attributes: Partial<UploadResult>;
}

const NOTES = z.record(z.string(), z.string()).optional();

export const UPLOAD_RESULT: z.ZodType<UploadResult> = z.object({
  md5: z.string(),
  version: z.number(),
  notes: NOTES,
});

export const UPLOADS: RecordDefinition<StoredUpload> = defineRecords<StoredUpload>(
  UPLOAD_KIND,
  z.object({
    address: z.object({ project: z.string(), key: z.string(), workspace: z.string() }),
    subject: z.string(),
    startedAt: z.number(),
    finishedAt: z.number().nullable(),
    touchedAt: z.number().optional(),
    bytes: z.number().optional(),
    notes: NOTES,
    attributes: z.union([UPLOAD_RESULT, z.strictObject({})]),
  }),
);

/** A piece of an upload. */
export interface Piece extends PieceMark, PieceFacts {
  readonly bodyId: string;
}

interface PieceMark {
  readonly number: number;
  /** In bytes: no secret, since the encrypted body is as long. */
  readonly size: number;
  readonly at: Instant;
}

/** What would confirm a guess of what is in a piece: sealed with its body. */
export interface PieceFacts {
  /** Lower-case hex. */
  readonly md5: string;
  readonly sha256: string;
  readonly notes?: Notes | undefined;
}

/** A piece as it is stored, under its number, beside its body; an earlier program stored its facts in the clear. */
export type StoredPiece = PieceMark & (PieceFacts | { readonly facts: string });

export const PIECE_FACTS: z.ZodType<PieceFacts> = z.object({
  md5: z.string(),
  sha256: z.string(),
  notes: NOTES,
});

export const PIECE: z.ZodType<StoredPiece> = z.intersection(
  z.object({ number: z.number(), size: z.number(), at: z.number() }),
  z.union([z.object({ facts: z.string() }), PIECE_FACTS]),
);

/** An upload as it is stored under its id. */
export function toUpload(id: string, { attributes, ...stored }: StoredUpload): Upload {
  const { md5, version, notes } = attributes;
  const became = md5 === undefined || version === undefined ? null : { md5, version, notes };
  const { startedAt, touchedAt = startedAt, bytes = 0 } = stored;
  return { ...stored, id, touchedAt, bytes, became };
}
