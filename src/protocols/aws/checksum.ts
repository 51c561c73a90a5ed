import { createHash } from 'node:crypto';
import { newCrc32, newCrc32c, newCrc64Nvme, type Digest } from './crc.ts';

/** The checksums that S3's clients send, in a header or in a trailer, as base64. */
export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** Digests that a body must have: the S3 checksums, and `Content-MD5`. */
export type DigestName = ChecksumAlgorithm | 'md5';

const DIGESTS: Record<DigestName, { readonly bytes: number; readonly make: () => Digest }> = {
  crc32: { bytes: 4, make: newCrc32 },
  crc32c: { bytes: 4, make: newCrc32c },
  crc64nvme: { bytes: 8, make: newCrc64Nvme },
  sha1: { bytes: 20, make: () => hash('sha1') },
  sha256: { bytes: 32, make: () => hash('sha256') },
  md5: { bytes: 16, make: () => hash('md5') },
};

export function newDigest(name: DigestName): Digest {
  return DIGESTS[name].make();
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm}`;
}

/** The algorithm that a header or trailer is named for, or null. */
export function algorithmOf(header: string): ChecksumAlgorithm | null {
  return CHECKSUM_ALGORITHMS.find((algorithm) => checksumHeader(algorithm) === header) ?? null;
}

/** The bytes that a base64 digest stands for; null where it is no digest of this kind. */
export function parseDigest(name: DigestName, base64: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === DIGESTS[name].bytes && bytes.toString('base64') === base64 ? bytes : null;
}

function hash(algorithm: string): Digest {
  const state = createHash(algorithm);
  return {
    update(chunk) {
      state.update(chunk);
    },
    digest: () => state.digest(),
  };
}
