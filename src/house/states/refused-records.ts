import { z } from 'zod';
import type { Address } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import type { Instant } from '../../core/instant.ts';
import type { StateFacts } from '../../core/world.ts';
import type { Entry } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { REFUSED_WRITE_KIND } from '../records/kinds.ts';

/** The newest state when a write was refused. */
export interface HeadThen {
  readonly version: number;
  readonly serial: bigint;
  readonly lineage: string;
}

/** A write that was refused, and whose bytes are kept for a while. */
export interface RefusedWrite extends StateFacts {
  readonly id: string;
  readonly address: Address;
  readonly at: Instant;
  /** When it is dropped. */
  readonly until: Instant;
  readonly subject: string;
  readonly door: string;
  /** Why it was refused, in one word: `stale`, `fenced` … */
  readonly outcome: string;
  /** What of that; null where the word says all. */
  readonly reason: string | null;
  /** The lock that the writer named; null where it named none. */
  readonly lockId: string | null;
  /** What it was refused against; null where there was no state. */
  readonly head: HeadThen | null;
  /** Bytes that it takes in the engine. */
  readonly stored: number;
  readonly bodyId: string;
}

/** The same before its facts are opened. */
export type SealedRefused = Omit<RefusedWrite, keyof RefusedFacts> & { readonly facts: string };

/** What would confirm a guess of what is in the state. */
export type RefusedFacts = Pick<StateFacts, 'size' | 'sha256' | 'md5'>;

/** A refused write as it is stored, under its ID and beside its body. */
export interface StoredRefused extends Omit<SealedRefused, 'id' | 'until' | 'bodyId' | 'serial' | 'head'> {
  /** In digits: JSON has no numbers of 64 bits. */
  readonly serial: string;
  readonly head: { readonly version: number; readonly serial: string; readonly lineage: string } | null;
}

export const REFUSED_WRITES: RecordDefinition<StoredRefused> = defineRecords<StoredRefused>(
  REFUSED_WRITE_KIND,
  z.object({
    address: z.object({ project: z.string(), key: z.string(), workspace: z.string() }),
    at: z.number(),
    subject: z.string(),
    door: z.string(),
    outcome: z.string(),
    reason: z.string().nullable(),
    lockId: z.string().nullable(),
    head: z.object({ version: z.number(), serial: z.string(), lineage: z.string() }).nullable(),
    stored: z.number(),
    serial: z.string(),
    lineage: z.string(),
    terraformVersion: z.string(),
    encrypted: z.boolean(),
    facts: z.string(),
  }),
);

const FACTS: z.ZodType<RefusedFacts> = z.object({ size: z.number(), sha256: z.string(), md5: z.string() });
/** The number of the segment that the facts are sealed as, under the key of the body: no body has so many. */
const FACTS_SEGMENT = 0xffff_ffff;

/** Seals the facts of a state with its body, so that a change of the master key rewrites the one key of both. */
export function sealFacts(sealer: Sealer, { id, wrappedKey }: SealedBody, facts: RefusedFacts): string {
  const { size, sha256, md5 } = facts;
  const plain = Buffer.from(JSON.stringify({ size, sha256, md5 }));
  const sealed = sealer.openDataKey(wrappedKey, id).sealSegment(plain, FACTS_SEGMENT, true);
  return Buffer.from(sealed).toString('base64');
}

export function openFacts(
  sealer: Sealer,
  { id, wrappedKey }: Pick<SealedBody, 'id' | 'wrappedKey'>,
  facts: string,
): RefusedFacts {
  const sealed = Buffer.from(facts, 'base64');
  const plain = sealer.openDataKey(wrappedKey, id).openSegment(sealed, FACTS_SEGMENT, true);
  return FACTS.parse(JSON.parse(Buffer.from(plain).toString()));
}

/** The attributes of a stored record whose body was encrypted anew: its facts are sealed with the new one. */
export function resealFacts(
  sealer: Sealer,
  before: Pick<SealedBody, 'id' | 'wrappedKey'>,
  after: SealedBody,
  attributes: Entry['attributes'],
): Entry['attributes'] {
  const facts = openFacts(sealer, before, String(attributes['facts']));
  return { ...attributes, facts: sealFacts(sealer, after, facts) };
}
