import type { SealedBody } from '../../core/command.ts';
import type { Entry } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';

/** The number of the segment that the facts are sealed as, under the key of the body: no body has so many. */
const FACTS_SEGMENT = 0xffff_ffff;

/** The body beside which facts are sealed. */
type Beside = Pick<SealedBody, 'id' | 'wrappedKey'>;

/**
 * Seals what would confirm a guess of a body, with the body: a change of the master key rewrites the one key of both.
 * @param facts JSON alone
 */
export function sealFacts(sealer: Sealer, { id, wrappedKey }: Beside, facts: unknown): string {
  const plain = Buffer.from(JSON.stringify(facts));
  return Buffer.from(sealer.openDataKey(wrappedKey, id).sealSegment(plain, FACTS_SEGMENT, true)).toString(
    'base64',
  );
}

/** @throws {SealError} where they were sealed with another body, or the body was encrypted anew since */
export function openFacts(sealer: Sealer, { id, wrappedKey }: Beside, facts: string): unknown {
  const sealed = Buffer.from(facts, 'base64');
  const plain = sealer.openDataKey(wrappedKey, id).openSegment(sealed, FACTS_SEGMENT, true);
  return JSON.parse(Buffer.from(plain).toString());
}

/** The attributes of a stored record whose body was encrypted anew: its facts, if it has any, are sealed with the new one. */
export function resealFacts(
  sealer: Sealer,
  before: Beside,
  after: Beside,
  attributes: Entry['attributes'],
): Entry['attributes'] {
  const { facts } = attributes;
  if (typeof facts !== 'string') return attributes;
  return { ...attributes, facts: sealFacts(sealer, after, openFacts(sealer, before, facts)) };
}
