import type { DoorRequest } from '../../protocols/door.ts';
import { readBody } from '../../protocols/wire/read-body.ts';
import { readObject } from '../../api/error.ts';
import type { Presented } from '../../house/identity/presented.ts';

/** More than any credential and the JSON around it. */
const BODY_BYTES_MAX = 4_096;

/** A request to sign in, which shows its credential in its body. */
export interface SignIn {
  readonly presented: Presented | null;
  /** The same request, whose body can be read once more. */
  readonly request: DoorRequest;
}

/** Reads who wants to sign in: what else the request shows does not count. */
export async function readSignIn(request: DoorRequest): Promise<SignIn> {
  const bytes = (await readBody(request, BODY_BYTES_MAX)) ?? Buffer.alloc(0);
  const { credential } = readObject(bytes.toString('utf8')) ?? {};
  const presented: Presented | null =
    typeof credential === 'string' ? { kind: 'bearer', token: credential.trim() } : null;
  const again = Object.create(request, {
    body: { value: once(bytes) },
    contentLength: { value: bytes.length },
  }) as DoorRequest;
  return { presented, request: again };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
