import type { Version } from '../../../core/world.ts';
import { newDigest } from '../../wire/digest.ts';

/** Checksums that are remembered. */
const KNOWN_MAX = 10_000;

/**
 * The CRC32C of states, by which Google's library for Node.js tells that a download came whole, and refuses one that has none. A version
 * keeps other digests, so it is computed when a state comes or is read, and remembered.
 */
export class Checksums {
  /** In base64, by SHA-256; the oldest first. */
  readonly #known = new Map<string, string>();

  /** Of a version, if it is known. */
  of({ sha256 }: Pick<Version, 'sha256'>): string | undefined {
    return this.#known.get(sha256);
  }

  /** Remembers it. @param crc32c in base64 */
  knows({ sha256 }: Pick<Version, 'sha256'>, crc32c: string): void {
    this.#known.delete(sha256);
    this.#known.set(sha256, crc32c);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Computes it from a version's bytes. @returns in base64 */
  async learn(
    version: Pick<Version, 'sha256'>,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const digest = newDigest('crc32c');
    if (bytes instanceof Uint8Array) digest.update(bytes);
    else for await (const chunk of bytes) digest.update(chunk);
    const crc32c = Buffer.from(digest.digest()).toString('base64');
    this.knows(version, crc32c);
    return crc32c;
  }
}
