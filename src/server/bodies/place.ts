import type { Problem } from '../../core/read-value.ts';
import type { ObjectPlace } from '../../protocols/object-requests.ts';

/** Where bodies are kept outside the database, as `--bodies` says it. */
export interface BodyPlace extends ObjectPlace {
  readonly kind: 's3' | 'gs' | 'azblob';
}

/** What may be said after a question mark. */
const OPTIONS: { readonly [K in BodyPlace['kind']]: readonly string[] } = {
  s3: ['region', 'endpoint'],
  gs: ['endpoint'],
  azblob: ['account', 'endpoint'],
};
const EXAMPLE = 's3://BUCKET/PREFIX, gs://BUCKET/PREFIX or azblob://CONTAINER/PREFIX?account=ACCOUNT';

/** Reads the place of a body store: `s3://bucket/prefix?region=eu-central-1`. */
export function readBodyPlace(text: string | undefined): BodyPlace | null | Problem {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const kind = (url?.protocol.slice(0, -1) ?? '') as BodyPlace['kind'];
  if (url === null || !(kind in OPTIONS) || url.hostname === '')
    return { problem: `invalid place "${text}": expected ${EXAMPLE}` };
  // Of a secret in it, nothing is repeated.
  if (url.username !== '' || url.password !== '')
    return { problem: 'invalid place: expected no user and no password; they are read from the environment' };
  const unknown = [...url.searchParams.keys()].find((name) => !OPTIONS[kind].includes(name));
  if (unknown !== undefined)
    return { problem: `invalid place "${text}": expected no ${unknown}, but ${OPTIONS[kind].join(' or ')}` };
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint !== null && !/^https?:\/\/[^/]/.test(endpoint))
    return { problem: `invalid endpoint "${endpoint}": expected for example https://minio.example.com` };
  const prefix = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  if (!/^[\w./=+-]*$/.test(prefix))
    return { problem: `invalid prefix "${prefix}": expected letters, digits and . / = + - _` };
  return {
    kind,
    text,
    bucket: url.host,
    prefix: prefix === '' ? '' : `${prefix}/`,
    options: Object.fromEntries(url.searchParams),
  };
}
