import { createHash } from 'node:crypto';
import { canonicalRequest, sha256Hex } from '../src/protocols/aws/canonical.ts';
import { ALGORITHM, timestampOf, type Scope } from '../src/protocols/aws/signature.ts';
import { hmac, scopeText, SigningKeys } from '../src/protocols/aws/verify.ts';
import type { Pair } from '../test/support/test-admin.ts';

/** A call of AWS, before it is signed. */
export interface AwsCall {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** S3 only: the signature says nothing of the body, so that the same one serves for other bytes. */
  readonly unsignedBody?: boolean;
}

/** Writes whole signed requests, as they go over the wire. */
export class AwsSigner {
  readonly #keys = new SigningKeys();
  readonly #credential: Pair;
  readonly #date: () => string;

  /** @param now the client's clock; one moment for all requests unless it is given */
  constructor(credential: Pair, now?: () => number) {
    this.#credential = credential;
    const began = timestampOf(Date.now());
    this.#date = () => (now === undefined ? began : timestampOf(now()));
  }

  s3(call: AwsCall): Buffer {
    const body = Buffer.from(call.body ?? '');
    const hash =
      call.unsignedBody === true ? 'UNSIGNED-PAYLOAD' : createHash('sha256').update(body).digest('hex');
    return this.#write(
      's3',
      { ...call, headers: { 'x-amz-content-sha256': hash, ...call.headers } },
      hash,
      body,
    );
  }

  dynamodb(operation: string, content: object): Buffer {
    const body = Buffer.from(JSON.stringify(content));
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    };
    const hash = createHash('sha256').update(body).digest('hex');
    return this.#write('dynamodb', { method: 'POST', path: '/', headers }, hash, body);
  }

  #write(service: string, call: AwsCall, hash: string, body: Buffer): Buffer {
    const { method, path, query = '' } = call;
    const headers = this.headersOf(service, call, hash);
    const lines = [
      `${method} ${path}${query === '' ? '' : `?${query}`} HTTP/1.1`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `content-length: ${body.length}`,
    ];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]);
  }

  /** @param hash of the body, or what stands for it. @returns all headers of a call, its signature among them */
  headersOf(
    service: string,
    { method, path, query = '', headers = {} }: AwsCall,
    hash: string,
  ): Record<string, string> {
    const date = this.#date();
    const scope: Scope = { date: date.slice(0, 8), region: 'us-east-1', service };
    const all = { host: '127.0.0.1', 'x-amz-date': date, ...headers };
    const signed = Object.keys(all).sort();
    const canonical = canonicalRequest(
      { method, path, query, rawHeaders: Object.entries(all).flat() },
      service,
      signed,
      hash,
    );
    const text = [ALGORITHM, date, scopeText(scope), sha256Hex(canonical)].join('\n');
    const signature = Buffer.from(hmac(this.#keys.derive(this.#credential.secret, scope), text)).toString(
      'hex',
    );
    const authorization = `${ALGORITHM} Credential=${this.#credential.id}/${scopeText(scope)}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
    return { ...all, authorization };
  }
}
