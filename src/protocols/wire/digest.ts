import { createHash } from 'node:crypto';
import { newCrc32, newCrc32c, newCrc64Nvme, type Digest } from './crc.ts';

/** Digests that a body may be sent with. */
export type DigestName = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256' | 'md5';

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
