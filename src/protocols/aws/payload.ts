import { createHash } from 'node:crypto';
import { algorithmOf, CHECKSUM_ALGORITHMS, checksumHeader, type ChecksumAlgorithm } from './checksum.ts';
import { newDigest, parseDigest, type DigestName } from '../wire/digest.ts';
import { decodeChunks } from './chunks.ts';
import { PayloadProblem } from './payload-problem.ts';
import type { Verified } from './verify.ts';

/** What `x-amz-content-sha256` says of a body: its hash, or how it comes and what of it is signed. */
export type PayloadMode =
  | { readonly mode: 'hashed'; readonly sha256: string }
  | { readonly mode: 'unsigned' }
  | { readonly mode: 'chunked'; readonly signed: boolean; readonly trailer: boolean };

const MODES: Readonly<Record<string, PayloadMode>> = {
  'UNSIGNED-PAYLOAD': { mode: 'unsigned' },
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { mode: 'chunked', signed: false, trailer: true },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { mode: 'chunked', signed: true, trailer: false },
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { mode: 'chunked', signed: true, trailer: true },
};

/** Reads the value of `x-amz-content-sha256`; null where it is none of the values that S3 knows. */
export function parsePayloadMode(value: string): PayloadMode | null {
  if (/^[0-9a-f]{64}$/.test(value)) return { mode: 'hashed', sha256: value };
  return Object.hasOwn(MODES, value) ? (MODES[value] ?? null) : null;
}

/** What must be true of a body, as its headers promise. */
export interface PayloadPlan {
  readonly mode: PayloadMode;
  readonly decodedLength: number | null;
  readonly expected: ReadonlyMap<DigestName, Uint8Array>;
  /** The checksum that the trailer is to carry. */
  readonly trailer: ChecksumAlgorithm | null;
}

/** Reads what the headers promise of the body; throws {@link PayloadProblem} where they contradict themselves. */
export function planPayload(mode: PayloadMode, header: (name: string) => string | undefined): PayloadPlan {
  const expected = new Map<DigestName, Uint8Array>();
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = header(checksumHeader(algorithm));
    if (value !== undefined) expected.set(algorithm, digestOf(algorithm, checksumHeader(algorithm), value));
  }
  if (expected.size > 1)
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const md5 = header('content-md5');
  if (md5 !== undefined) expected.set('md5', digestOf('md5', 'Content-MD5', md5));
  const trailer = trailerOf(mode, header('x-amz-trailer'));
  if (
    header('x-amz-sdk-checksum-algorithm') !== undefined &&
    trailer === null &&
    !CHECKSUM_ALGORITHMS.some((name) => expected.has(name))
  ) {
    throw invalid(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const decoded = header('x-amz-decoded-content-length');
  if (mode.mode === 'chunked' && !/^\d{1,15}$/.test(decoded ?? '')) {
    throw new PayloadProblem('incomplete', 'You must provide the x-amz-decoded-content-length header.');
  }
  return { mode, decodedLength: mode.mode === 'chunked' ? Number(decoded) : null, expected, trailer };
}

/**
 * The data of a body, checked against the plan while they go by; throws {@link PayloadProblem} at the latest at the end.
 * @param seen is given the digests, once they have been found right
 */
export async function* openPayload(
  body: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  verified: Verified,
  seen: Map<DigestName, Uint8Array> = new Map(),
): AsyncGenerator<Uint8Array> {
  const expected = new Map(plan.expected);
  const names = new Set<DigestName>(expected.keys());
  if (plan.trailer !== null) names.add(plan.trailer);
  const digests = [...names].map((name) => ({ name, digest: newDigest(name) }));
  const sha256 = plan.mode.mode === 'hashed' ? createHash('sha256') : null;
  for await (const data of decoded(body, plan, verified, expected)) {
    for (const { digest } of digests) digest.update(data);
    sha256?.update(data);
    yield data;
  }
  if (plan.mode.mode === 'hashed' && sha256?.digest('hex') !== plan.mode.sha256) {
    throw new PayloadProblem(
      'sha256-mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  for (const { name, digest } of digests) {
    const found = digest.digest();
    seen.set(name, found);
    if (!Buffer.from(found).equals(expected.get(name) ?? new Uint8Array(0))) {
      const called = name === 'md5' ? 'Content-MD5' : name.toUpperCase();
      throw new PayloadProblem('bad-digest', `The ${called} you specified did not match what we received.`);
    }
  }
}

function decoded(
  body: AsyncIterable<Uint8Array>,
  { mode, decodedLength, trailer }: PayloadPlan,
  verified: Verified,
  expected: Map<DigestName, Uint8Array>,
): AsyncIterable<Uint8Array> {
  if (mode.mode !== 'chunked') return body;
  return decodeChunks(body, {
    decodedLength: decodedLength ?? 0,
    signed: mode.signed ? verified : null,
    onTrailer: (fields) => {
      if (trailer === null) return;
      const name = checksumHeader(trailer);
      const value = fields.get(name);
      if (value === undefined) throw invalid(`The trailer ${name} was announced and did not come.`);
      expected.set(trailer, digestOf(trailer, name, value));
    },
  });
}

function trailerOf(mode: PayloadMode, announced: string | undefined): ChecksumAlgorithm | null {
  if (announced === undefined || mode.mode !== 'chunked' || !mode.trailer) return null;
  const algorithm = algorithmOf(announced.trim().toLowerCase());
  if (algorithm === null) throw invalid('The value specified in the x-amz-trailer header is not supported');
  return algorithm;
}

function digestOf(name: DigestName, header: string, value: string): Uint8Array {
  const digest = parseDigest(name, value);
  if (digest !== null) return digest;
  if (name === 'md5') throw new PayloadProblem('invalid-md5', 'The Content-MD5 you specified was invalid.');
  throw invalid(`Value for ${header} header is invalid.`);
}

function invalid(message: string): PayloadProblem {
  return new PayloadProblem('invalid-digest', message);
}
