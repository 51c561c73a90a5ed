import { createHash, randomUUID } from 'node:crypto';
import { BackendFault } from '../../../ports/state-client.ts';
import type { Reply } from '../../exchange.ts';
import { JSON_PREFIX, UPLOAD_PREFIX } from '../layout.ts';
import { pause, passes, type GcsReply, type GcsRequests } from './request.ts';

/** An object that is to be put where `generation` is now; "0" where nothing is. */
export interface Upload {
  readonly bucket: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly generation: string;
  /** Of the customer's own key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly kmsKey: string | null;
  readonly signal?: AbortSignal | null;
  /** As in a request. */
  readonly cuts?: boolean;
}

/** What is larger comes in pieces, so that a broken connection does not begin anew. */
const MULTIPART_BYTES_MAX = 8 * 1024 * 1024;
/** A multiple of 256 KiB, as Cloud Storage wants. */
const PIECE_BYTES = 8 * 1024 * 1024;
const FAILURES_MAX = 5;
const INCOMPLETE = 308;

/** Puts an object on its condition. @returns the last answer */
export async function upload(requests: GcsRequests, ask: Upload): Promise<GcsReply> {
  return ask.bytes.length <= MULTIPART_BYTES_MAX ? whole(requests, ask) : inPieces(requests, ask);
}

function whole(requests: GcsRequests, ask: Upload): Promise<GcsReply> {
  const boundary = randomUUID();
  const part = (type: string): string => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${part('application/json')}${JSON.stringify(describe(ask))}\r\n${part('application/json')}`),
    ask.bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return requests.send({
    method: 'POST',
    url: uploadUrl(requests, ask, 'multipart'),
    headers: { ...ask.headers, 'Content-Type': `multipart/related; boundary=${boundary}` },
    body,
    signal: ask.signal ?? null,
    cuts: ask.cuts ?? false,
  });
}

/** Cloud Storage, "Performing resumable uploads": after a failure the server is asked how much it has. */
async function inPieces(requests: GcsRequests, ask: Upload): Promise<GcsReply> {
  const begun = await requests.send({
    method: 'POST',
    url: uploadUrl(requests, ask, 'resumable'),
    headers: {
      ...ask.headers,
      'Content-Type': 'application/json',
      'X-Upload-Content-Type': 'application/json',
      'X-Upload-Content-Length': String(ask.bytes.length),
    },
    body: Buffer.from(JSON.stringify(describe(ask))),
  });
  if (begun.status !== 200 && begun.status !== 201) return begun;
  const url = sessionUrl(requests, begun);
  const total = ask.bytes.length;
  const invocation = randomUUID();
  let failures = 0;
  for (let from = 0; ;) {
    const to = Math.min(total, from + PIECE_BYTES);
    const piece = { method: 'PUT', url, body: ask.bytes.subarray(from, to) } as const;
    const headers = { 'Content-Range': `bytes ${from}-${to - 1}/${total}` };
    const counted = { invocation, attempt: failures + 1 };
    const sent = await requests.once({ ...piece, headers }, counted).catch((fault: unknown) => {
      if (fault instanceof BackendFault && fault.kind === 'unreachable') return fault;
      throw fault;
    });
    let reply: Reply | BackendFault = sent;
    if (sent instanceof BackendFault || passes(sent.status)) {
      failures += 1;
      if (failures > FAILURES_MAX) {
        if (sent instanceof BackendFault) throw sent;
        return { ...sent, resent: true };
      }
      await pause(failures, sent instanceof BackendFault ? null : sent, null);
      const asked = { 'Content-Range': `bytes */${total}` };
      reply = await requests.send({ method: 'PUT', url, headers: asked, body: new Uint8Array() });
    }
    if (reply instanceof BackendFault || reply.status !== INCOMPLETE) {
      return { ...(reply as Reply), resent: failures > 0 };
    }
    from = keptOf(reply);
    if (from >= total) throw new BackendFault('other', 'Cloud Storage does not end the upload');
  }
}

/** How many bytes the server has. */
function keptOf({ headers }: Reply): number {
  const last = /^bytes=0-(\d{1,15})$/.exec(String(headers['range'] ?? ''))?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

function describe({ name, bytes }: Upload): object {
  const md5Hash = createHash('md5').update(bytes).digest('base64');
  return { name, contentType: 'application/json', md5Hash };
}

function uploadUrl(requests: GcsRequests, { bucket, name, generation, kmsKey }: Upload, type: string): URL {
  return requests.api(`${UPLOAD_PREFIX}b/${encodeURIComponent(bucket)}/o`, {
    uploadType: type,
    name,
    ifGenerationMatch: generation,
    ...(kmsKey === null ? {} : { kmsKeyName: kmsKey }),
  });
}

/** Where the pieces go: never to another host, which would be sent the token. An emulator behind a proxy names a wrong one. */
function sessionUrl(requests: GcsRequests, { headers }: Reply): URL {
  const home = requests.api(JSON_PREFIX);
  const said = String(headers['location'] ?? '');
  if (!URL.canParse(said, home.href))
    throw new BackendFault('other', 'Cloud Storage does not say where the upload goes');
  const { pathname, search } = new URL(said, home);
  const url = new URL(home);
  url.pathname = pathname;
  url.search = search;
  return url;
}
