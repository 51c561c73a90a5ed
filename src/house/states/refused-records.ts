import { z } from 'zod';
import type { Address } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import type { Instant } from '../../core/instant.ts';
import type { StateFacts } from '../../core/world.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { REFUSED_WRITE_KIND } from '../records/kinds.ts';
import { openFacts, sealFacts } from './body-facts.ts';

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

/** Seals the facts of a state with its body. */
export function sealRefusedFacts(sealer: Sealer, body: SealedBody, facts: RefusedFacts): string {
  const { size, sha256, md5 } = facts;
  return sealFacts(sealer, body, { size, sha256, md5 });
}

export function openRefusedFacts(
  sealer: Sealer,
  body: Pick<SealedBody, 'id' | 'wrappedKey'>,
  facts: string,
): RefusedFacts {
  return FACTS.parse(openFacts(sealer, body, facts));
}
