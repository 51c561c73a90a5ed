import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import type { BodyStore, ObjectPage } from '../../../ports/body-store.ts';
import type { Environment } from '../../../ports/environment.ts';
import { AwsCredentials } from '../../aws/credentials.ts';
import { sha256Hex } from '../../aws/canonical.ts';
import { signedHeaders } from '../../aws/sign.ts';
import { exchange, type Reply } from '../../exchange.ts';
import { askStore, type ObjectPlace, patienceFor, refused } from '../../object-requests.ts';
import { encodeUri } from '../../wire/uri.ts';
import { readXml, xmlText } from '../../wire/xml-reader.ts';

const PAGE = '1000';
const EMPTY: string = sha256Hex('');
/** Pieces of 256 KiB that are hashed before others have a turn. */
const HASHED_AT_ONCE = 4;
/** More of an error's words is not shown. */
const SAID_LENGTH_MAX = 500;

interface Ask {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** The name of an object; null for the bucket. */
  readonly name: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pieces?: readonly Uint8Array[];
  readonly payloadHash?: string;
}

/** Bodies in a bucket of S3, or of what speaks like it, asked with our own signatures: the server's image has no SDK. */
export class S3BodyStore implements BodyStore {
  readonly place: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #base: URL;
  readonly #region: string;
  readonly #credentials: AwsCredentials;
  readonly #tls: Readonly<Record<string, unknown>>;

  constructor(place: ObjectPlace, env: Environment) {
    const { bucket, prefix } = place;
    this.place = place.text;
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#region = place.options['region'] ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
    const endpoint = place.options['endpoint'] ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? '';
    this.#base = baseOf(bucket, this.#region, endpoint);
    this.#credentials = new AwsCredentials(env);
    const bundle = env['AWS_CA_BUNDLE'] ?? '';
    this.#tls = bundle === '' ? {} : { ca: [...rootCertificates, readFileSync(bundle, 'utf8')] };
  }

  async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const payloadHash = await hashOf(pieces);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const headers = { 'content-length': String(length), 'content-type': 'application/octet-stream' };
    const reply = await this.#ask({ method: 'PUT', name, headers, pieces, payloadHash });
    if (reply.status !== 200) throw this.#refusal('store a state', reply);
  }

  async get(name: string, from: number, length: number): Promise<Uint8Array | null> {
    const headers = { range: `bytes=${from}-${from + length - 1}` };
    const reply = await this.#ask({ method: 'GET', name, headers });
    if (reply.status === 404 && codeOf(reply) !== 'NoSuchBucket') return null;
    if (reply.status === 416) return new Uint8Array();
    // A store that heeds no range answers with the whole.
    if (reply.status === 200) return reply.body.subarray(from, from + length);
    if (reply.status !== 206) throw this.#refusal('give a state', reply);
    return reply.body;
  }

  async delete(name: string): Promise<void> {
    const reply = await this.#ask({ method: 'DELETE', name });
    if (reply.status === 404 && codeOf(reply) !== 'NoSuchBucket') return;
    if (reply.status !== 204 && reply.status !== 200) throw this.#refusal('delete an object', reply);
  }

  async list(from: string | null): Promise<ObjectPage> {
    const query = {
      'list-type': '2',
      'max-keys': PAGE,
      ...(this.#prefix === '' ? {} : { prefix: this.#prefix }),
      ...(from === null ? {} : { 'continuation-token': from }),
    };
    const reply = await this.#ask({ method: 'GET', name: null, query });
    const xml = reply.status === 200 ? readXml(reply.body) : null;
    const now = Date.parse(String(reply.headers['date'] ?? ''));
    if (xml?.name !== 'ListBucketResult' || Number.isNaN(now)) throw this.#refusal('list its objects', reply);
    const objects = xml.children
      .filter((child) => child.name === 'Contents')
      .map((child) => ({
        name: (xmlText(child, 'Key') ?? '').slice(this.#prefix.length),
        size: Number(xmlText(child, 'Size')),
        at: Date.parse(xmlText(child, 'LastModified') ?? ''),
      }));
    const next = xmlText(xml, 'IsTruncated') === 'true' ? xmlText(xml, 'NextContinuationToken') : null;
    return { objects, next: next ?? null, now };
  }

  async #ask({ method, name, query = {}, headers = {}, pieces, payloadHash = EMPTY }: Ask): Promise<Reply> {
    const url = new URL(this.#base);
    if (name !== null) url.pathname += encodeUri(`${this.#prefix}${name}`, true);
    url.search = Object.entries(query)
      .map((pair) => pair.map((part) => encodeUri(part, false)).join('='))
      .join('&');
    const bytes = Number(headers['content-length'] ?? 0);
    let renewed = false;
    return askStore(this.place, async () => {
      for (;;) {
        const credential = await this.#credentials.get();
        const unsigned = { method, url, headers, payloadHash };
        const reply = await exchange({
          method,
          url,
          headers: signedHeaders(unsigned, credential, this.#region, Date.now()),
          body: pieces,
          signal: AbortSignal.timeout(patienceFor(bytes)),
          tls: this.#tls,
          trust: 'Give its CA in the file that AWS_CA_BUNDLE names.',
        });
        const mayRenew = (reply.status === 400 || reply.status === 403) && !renewed;
        if (!mayRenew || !/Expired|InvalidToken|InvalidAccessKeyId/.test(codeOf(reply))) return reply;
        renewed = true;
        this.#credentials.renew();
      }
    });
  }

  #refusal(what: string, reply: Reply): Error {
    const region = reply.headers['x-amz-bucket-region'];
    const xml = reply.body.length === 0 ? null : readXml(reply.body);
    const message = xml === null ? '' : (xmlText(xml, 'Message') ?? '').slice(0, SAID_LENGTH_MAX);
    const elsewhere =
      typeof region === 'string' && region !== this.#region
        ? `the bucket ${this.#bucket} is in ${region}: add ?region=${region} to --bodies`
        : '';
    const said = [codeOf(reply), message, elsewhere].filter((part) => part !== '').join(': ');
    return refused(this.place, what, reply.status, said);
  }
}

/** Where the bucket is, with a slash at its end: in the path at an endpoint of one's own, and where its name is no part of a host's. */
function baseOf(bucket: string, region: string, endpoint: string): URL {
  if (endpoint !== '') {
    const url = new URL(endpoint);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${bucket}/`;
    return url;
  }
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return bucket.includes('.')
    ? new URL(`https://s3.${region}.${suffix}/${bucket}/`)
    : new URL(`https://${bucket}.s3.${region}.${suffix}/`);
}

function codeOf({ body }: Reply): string {
  const xml = body.length === 0 || body.length > PAGE_OF_ERROR ? null : readXml(body);
  return xml?.name === 'Error' ? (xmlText(xml, 'Code') ?? '') : '';
}

/** An error has a few lines; what is longer is no error. */
const PAGE_OF_ERROR = 65_536;

/** In hex; others have their turn meanwhile. */
async function hashOf(pieces: readonly Uint8Array[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [at, piece] of pieces.entries()) {
    hash.update(piece);
    if (at % (2 * HASHED_AT_ONCE) === 0) await setImmediate();
  }
  return hash.digest('hex');
}
