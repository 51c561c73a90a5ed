import type { Notes, Piece } from '../../../house/states/upload-records.ts';
import { CHECKSUM_ALGORITHMS, checksumHeader, type ChecksumAlgorithm } from '../../aws/checksum.ts';
import { PayloadProblem } from '../../aws/payload-problem.ts';
import { newDigest, type DigestName } from '../../wire/digest.ts';
import type { XmlNode } from '../../wire/xml-reader.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { invalid, type S3Error } from './errors.ts';

type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/** The checksum that an upload in parts is made with: of the whole, or of the checksums of its parts. */
export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
}

/** The types that an algorithm has, the default first (S3 user guide, "Checking object integrity for data uploads"). */
const TYPES: Readonly<Record<ChecksumAlgorithm, readonly ChecksumType[]>> = {
  crc32: ['COMPOSITE', 'FULL_OBJECT'],
  crc32c: ['COMPOSITE', 'FULL_OBJECT'],
  crc64nvme: ['FULL_OBJECT'],
  sha1: ['COMPOSITE'],
  sha256: ['COMPOSITE'],
};

type Header = (name: string) => string | undefined;

/** What the headers of CreateMultipartUpload say of the upload's checksum; null where they say nothing. */
export function announcedChecksum(header: Header): UploadChecksum | null | S3Error {
  const [name, type] = [header('x-amz-checksum-algorithm'), header('x-amz-checksum-type')];
  if (name === undefined) {
    return type === undefined
      ? null
      : invalid('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name.toLowerCase());
  if (algorithm === undefined) {
    const valid = CHECKSUM_ALGORITHMS.map((known) => known.toUpperCase()).join(', ');
    return invalid(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${valid}]`,
    );
  }
  return typed(algorithm, type ?? TYPES[algorithm][0] ?? '');
}

/** The same as it is kept with the upload. */
export function checksumNotes({ algorithm, type }: UploadChecksum): Notes {
  return { algorithm, type };
}

/** What was kept of it. */
export function keptChecksum(notes: Notes | undefined): UploadChecksum | null {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === notes?.['algorithm']);
  const type = algorithm === undefined ? undefined : TYPES[algorithm].find((one) => one === notes?.['type']);
  return algorithm === undefined || type === undefined ? null : { algorithm, type };
}

/** How documents and headers show the checksum that an upload is made with. */
export function shownAs(checksum: UploadChecksum | null): XmlElement {
  if (checksum === null) return {};
  return { ChecksumAlgorithm: checksum.algorithm.toUpperCase(), ChecksumType: checksum.type };
}

/** The checksums that a part turned out to have, as they are kept with it. */
export function checksumsSeen(seen: ReadonlyMap<DigestName, Uint8Array>): Notes {
  return Object.fromEntries(
    CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
      const value = seen.get(algorithm);
      return value === undefined ? [] : [[algorithm, base64(value)]];
    }),
  );
}

/** The checksums of a part, as documents show them. */
export function partElements(notes: Notes | undefined): XmlElement {
  return Object.fromEntries(
    CHECKSUM_ALGORITHMS.flatMap((algorithm) =>
      notes?.[algorithm] === undefined ? [] : [[elementOf(algorithm), notes[algorithm]]],
    ),
  );
}

/** A part that was sent with another checksum than its upload is made with. */
export function otherAlgorithm(upload: UploadChecksum | null, sent: string | undefined): S3Error | null {
  if (upload === null || sent === undefined || sent === upload.algorithm) return null;
  return invalid(
    `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm}, actual checksum Type: ${sent}`,
  );
}

/** What CompleteMultipartUpload says of the whole object, and of its parts. */
export interface Completion {
  readonly checksum: UploadChecksum | null;
  /** The checksum that the whole must have; null to have it computed. */
  readonly expected: string | null;
}

/**
 * Reads the headers of CompleteMultipartUpload, which are about the object and not about the document in the body.
 * @param kept what the upload was begun with
 */
export function readCompletion(header: Header, kept: UploadChecksum | null): Completion | S3Error {
  const sent = CHECKSUM_ALGORITHMS.filter((algorithm) => header(checksumHeader(algorithm)) !== undefined);
  const [algorithm] = sent;
  if (sent.length > 1) {
    return invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  }
  const mismatch = otherAlgorithm(kept, algorithm);
  if (mismatch !== null) return mismatch;
  const type = header('x-amz-checksum-type');
  if (kept !== null && type !== undefined && type !== kept.type) {
    return invalid(`The upload was created with the checksum type ${kept.type}: ${type} was sent.`);
  }
  if (algorithm === undefined) return { checksum: kept, expected: null };
  const expected = header(checksumHeader(algorithm)) ?? '';
  // Where nothing was announced, the number of parts at its end tells a composite checksum.
  const guessed = expected.includes('-') ? 'COMPOSITE' : (TYPES[algorithm].at(-1) ?? '');
  const checksum = kept ?? typed(algorithm, type ?? guessed);
  return 'code' in checksum ? checksum : { checksum, expected };
}

/** The checksums that the document of CompleteMultipartUpload names for a part; null where it names one of an unknown kind. */
export function namedChecksums(part: XmlNode): ReadonlyMap<ChecksumAlgorithm, string> | null {
  const named = new Map<ChecksumAlgorithm, string>();
  for (const { name, text } of part.children) {
    if (!name.startsWith('Checksum')) continue;
    const algorithm = CHECKSUM_ALGORITHMS.find((known) => elementOf(known) === name);
    if (algorithm === undefined) return null;
    named.set(algorithm, text.trim());
  }
  return named;
}

/** A piece, and the checksums that it is said to have. */
export interface NamedPiece {
  readonly piece: Piece;
  readonly named: ReadonlyMap<ChecksumAlgorithm, string>;
}

/**
 * The bytes of all pieces, checked while they go by: each piece against what is said of it, the whole at the end. Throws
 * {@link PayloadProblem} where one is not so, and then nothing is stored.
 * @param tell is given the checksum of the whole
 */
export async function* checkedWhole(
  pieces: readonly NamedPiece[],
  { checksum, expected }: Completion,
  read: (pieces: readonly Piece[]) => AsyncIterable<Uint8Array>,
  tell: (elements: Notes) => void,
): AsyncGenerator<Uint8Array> {
  const whole = checksum === null ? null : newDigest(checksum.algorithm);
  const isComposite = checksum?.type === 'COMPOSITE';
  for (const { piece, named } of pieces) {
    const algorithms = new Set(named.keys());
    if (checksum !== null && isComposite) algorithms.add(checksum.algorithm);
    const digests = new Map([...algorithms].map((algorithm) => [algorithm, newDigest(algorithm)]));
    for await (const chunk of read([piece])) {
      for (const digest of digests.values()) digest.update(chunk);
      if (!isComposite) whole?.update(chunk);
      yield chunk;
    }
    for (const [algorithm, digest] of digests) {
      const value = digest.digest();
      if (isComposite && algorithm === checksum.algorithm) whole?.update(value);
      const said = named.get(algorithm);
      if (said !== undefined && said !== base64(value)) {
        const message = `Part ${piece.number} does not have the ${algorithm.toUpperCase()} that was specified for it.`;
        throw new PayloadProblem('bad-part', message);
      }
    }
  }
  if (checksum === null || whole === null) return;
  const value = base64(whole.digest()) + (isComposite ? `-${pieces.length}` : '');
  // Some clients leave out the number of parts (minio-go `checksum.go`, `applyAutoChecksum`).
  if (expected !== null && expected !== value && expected !== value.replace(/-\d+$/, '')) {
    const name = checksum.algorithm.toUpperCase();
    throw new PayloadProblem(
      'bad-digest',
      `The ${name} you specified did not match the calculated checksum.`,
    );
  }
  tell({ [elementOf(checksum.algorithm)]: value, ChecksumType: checksum.type });
}

function typed(algorithm: ChecksumAlgorithm, name: string): UploadChecksum | S3Error {
  const type = TYPES[algorithm].find((one) => one === name.toUpperCase());
  if (type !== undefined) return { algorithm, type };
  return invalid(
    `The ${name} checksum type cannot be used with the ${algorithm.toUpperCase()} checksum algorithm.`,
  );
}

function elementOf(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
