import type { DoorRequest } from '../door.ts';

/** There is no room for the body now: the same may come again a little later. */
export class NoRoomForBody extends Error {
  constructor() {
    super('too many requests are being received at once: try again');
    this.name = 'NoRoomForBody';
  }
}

/**
 * Reads a small body whole.
 * @param bytesMax where to stop
 * @returns null when there are more bytes than that
 * @throws {NoRoomForBody} when too much is held of other bodies
 */
export async function readBody(
  request: Pick<DoorRequest, 'body' | 'contentLength' | 'keep'>,
  bytesMax: number,
): Promise<Buffer | null> {
  if ((request.contentLength ?? 0) > bytesMax) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > bytesMax) return null;
    if (!request.keep(chunk.length)) throw new NoRoomForBody();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
