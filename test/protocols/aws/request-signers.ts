import { createHash, createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SignedRequest } from '../../../src/protocols/aws/canonical.ts';

/** A request before it is signed, its path and query as the wire will have them. */
export interface Unsigned {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  readonly region: string;
  readonly body: string;
  readonly date: Date;
}

export const ACCESS_KEY_ID = 'SHTESTTESTTESTTEST';
export const SECRET = 'abcdEFGH1234abcdEFGH1234abcdEFGH1234abcd';

const aws4 = createRequire(import.meta.url)('aws4') as {
  sign(request: object, credentials: object): { headers: Record<string, string>; path: string };
};

export function isoBasic(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Signs with AWS's own signer. */
export async function signWithSmithy(
  unsigned: Unsigned,
  expiresIn?: number,
  as: { readonly id: string; readonly secret: string } = { id: ACCESS_KEY_ID, secret: SECRET },
): Promise<SignedRequest> {
  const { service, region, date } = unsigned;
  const signer = new SignatureV4({
    service,
    region,
    credentials: { accessKeyId: as.id, secretAccessKey: as.secret },
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: true,
  });
  const request = {
    method: unsigned.method,
    protocol: 'https:',
    hostname: unsigned.host,
    path: unsigned.path,
    query: grouped(unsigned.query),
    headers: { host: unsigned.host, ...unsigned.headers },
    body: unsigned.body,
  };
  const signed =
    expiresIn === undefined
      ? await signer.sign(request, { signingDate: date })
      : await signer.presign(request, { signingDate: date, expiresIn });
  return {
    method: signed.method,
    path: signed.path,
    query: Object.entries(signed.query ?? {})
      .flatMap(([name, values]) => [values ?? ''].flat().map((value) => pair(name, value)))
      .join('&'),
    rawHeaders: Object.entries(signed.headers).flat(),
  };
}

/** Signs with a signer that shares no code with AWS's. */
export function signWithAws4(unsigned: Unsigned): SignedRequest {
  const query = unsigned.query.map(([name, value]) => pair(name, value)).join('&');
  const signed = aws4.sign(
    {
      method: unsigned.method,
      host: unsigned.host,
      path: query === '' ? unsigned.path : `${unsigned.path}?${query}`,
      service: unsigned.service,
      region: unsigned.region,
      headers: {
        ...unsigned.headers,
        'X-Amz-Date': isoBasic(unsigned.date),
        'X-Amz-Content-Sha256': createHash('sha256').update(unsigned.body).digest('hex'),
      },
      body: unsigned.body,
    },
    { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
  );
  const [path = '', rest = ''] = signed.path.split('?');
  return {
    method: unsigned.method,
    path,
    query: rest,
    rawHeaders: Object.entries(signed.headers)
      .map(String)
      .flatMap((text) => {
        const comma = text.indexOf(',');
        return [text.slice(0, comma), text.slice(comma + 1)];
      }),
  };
}

function pair(name: string, value: string): string {
  return `${escape3986(name)}=${escape3986(value)}`;
}

export function escape3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function grouped(query: Unsigned['query']): Record<string, string | string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of query) groups.set(name, [...(groups.get(name) ?? []), value]);
  return Object.fromEntries(
    [...groups].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}

/** The hash that smithy's signer asks for. */
class Sha256 {
  readonly #chunks: Uint8Array[] = [];
  readonly #secret: Uint8Array | null;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? null : bytes(secret);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#chunks.push(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    const hash = this.#secret === null ? createHash('sha256') : createHmac('sha256', this.#secret);
    for (const chunk of this.#chunks) hash.update(chunk);
    return new Uint8Array(hash.digest());
  }

  reset(): void {
    this.#chunks.length = 0;
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
