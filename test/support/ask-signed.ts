import { signWithSmithy } from '../protocols/aws/request-signers.ts';
import { ask, type Answer } from './request.ts';
import { TEST_ADMIN, type Pair } from './test-admin.ts';

/** A request of an AWS client, before it is signed. */
export interface SignedAsk {
  readonly method: string;
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly service: string;
  readonly body?: string;
}

/** A signed request, as the wire has it. */
export interface PreparedAsk {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs a request, so that nothing but sending it is left to do. */
export async function signAsk(
  url: string,
  { method, path, query = [], headers = {}, service, body = '' }: SignedAsk,
  as: Pair = TEST_ADMIN,
  /** Presigned for so many seconds, where it is given. */
  expiresIn?: number,
): Promise<PreparedAsk> {
  const signed = await signWithSmithy(
    {
      method,
      host: new URL(url).host,
      path,
      query,
      headers,
      service,
      region: 'us-east-1',
      body,
      date: new Date(),
    },
    expiresIn,
    as,
  );
  const pairs: [string, string][] = [];
  for (let at = 0; at < signed.rawHeaders.length; at += 2) {
    pairs.push([signed.rawHeaders[at] ?? '', signed.rawHeaders[at + 1] ?? '']);
  }
  return {
    target: signed.query === '' ? signed.path : `${signed.path}?${signed.query}`,
    headers: Object.fromEntries(pairs),
  };
}

/** Signs a request as AWS's clients do and sends it; unsigned for nobody. */
export async function askSigned(
  url: string,
  asked: SignedAsk,
  as: Pair | null = TEST_ADMIN,
): Promise<Answer> {
  const body = asked.body === undefined || asked.body === '' ? {} : { body: asked.body };
  if (as === null) {
    const query = (asked.query ?? [])
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('&');
    const target = query === '' ? asked.path : `${asked.path}?${query}`;
    return ask(url, asked.method, target, { headers: asked.headers ?? {}, as: null, ...body });
  }
  const { target, headers } = await signAsk(url, asked, as);
  return ask(url, asked.method, target, { headers, as: null, ...body });
}

/** An operation of DynamoDB, unsigned as yet. */
export function dynamoAsk(operation: string, asked: object | string): SignedAsk {
  return {
    method: 'POST',
    path: '/',
    service: 'dynamodb',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body: typeof asked === 'string' ? asked : JSON.stringify(asked),
  };
}
