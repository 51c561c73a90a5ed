import type { DoorRequest } from '../door.ts';

/**
 * Reads a small body whole.
 * @param bytesMax where to stop
 * @returns null when there are more bytes than that
 */
export async function readBody(
  request: Pick<DoorRequest, 'body' | 'contentLength'>,
  bytesMax: number,
): Promise<Buffer | null> {
  if ((request.contentLength ?? 0) > bytesMax) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
