import { z } from 'zod';
import type { Problem } from '../../../core/read-value.ts';

/** What an upload says of its object, as far as it matters here. */
export interface Metadata {
  readonly name?: string | undefined;
  /** In base64. */
  readonly md5Hash?: string | undefined;
  /** In base64, the most significant byte first. */
  readonly crc32c?: string | undefined;
}

const METADATA: z.ZodType<Metadata> = z.object({
  name: z.string().optional(),
  md5Hash: z.string().optional(),
  crc32c: z.string().optional(),
});

/** Reads an object resource; an empty one says nothing. */
export function readMetadata(bytes: Uint8Array): Metadata | Problem {
  if (bytes.length === 0) return {};
  try {
    const parsed = METADATA.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    if (parsed.success) return parsed.data;
  } catch {
    // Told below.
  }
  return { problem: 'the metadata of the upload is not a JSON object of an object resource' };
}
