import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, type Reply } from '../../exchange.ts';
import { isLoopback } from '../../wire/loopback.ts';
import type { GcsConfig } from './config.ts';
import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';
import { TRUST_BY_FILE } from '../../trusted-certificates.ts';

/** An access token, and when it ends, in milliseconds of the clock. */
interface Token {
  readonly token: string;
  readonly endsAt: number;
}

/** What terraform's backend asks for (`storage.ScopeReadWrite`). */
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';
/** What acting for another account takes. */
const SCOPE_IMPERSONATE = 'https://www.googleapis.com/auth/cloud-platform';
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const IMPERSONATE_URI = 'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/';
const JWT_SECONDS = 3_600;
/** A token is not used in its last minute. */
const MARGIN_MS = 60_000;
const ANSWER_MS_MAX = 30_000;
/** Outside of Google's machines nobody answers there: do not make people wait for it. */
const METADATA_MS_MAX = 1_000;
const NO_CREDENTIALS =
  'Set GOOGLE_OAUTH_ACCESS_TOKEN, GOOGLE_CREDENTIALS or GOOGLE_APPLICATION_CREDENTIALS, or run "gcloud auth application-default login".';

/** The access tokens that go with every request. Asked for when they are needed, and again before they end. */
export class Tokens {
  readonly #config: GcsConfig;
  #current: Promise<Token | null> | null = null;

  constructor(config: GcsConfig) {
    this.#config = config;
  }

  /** null where none is asked for. @throws BackendFault when there is none to be had */
  async get(): Promise<string | null> {
    this.#current ??= this.#fetch();
    const asked = this.#current;
    try {
      const found = await asked;
      if (found === null || found.endsAt - MARGIN_MS > Date.now()) return found?.token ?? null;
    } catch (fault) {
      if (this.#current === asked) this.#current = null;
      throw fault;
    }
    if (this.#current === asked) this.#current = this.#fetch();
    return (await this.#current)?.token ?? null;
  }

  /** The server did not take the token: asks for another. @returns whether there can be one */
  renew(): boolean {
    if (this.#config.login.type === 'token' && this.#config.impersonate === null) return false;
    this.#current = null;
    return this.#config.login.type !== 'none';
  }

  async #fetch(): Promise<Token | null> {
    const { impersonate } = this.#config;
    if (impersonate === null) return this.#own(SCOPE);
    const own = await this.#own(SCOPE_IMPERSONATE);
    if (own === null) return null;
    const url = `${IMPERSONATE_URI}${encodeURIComponent(impersonate.account)}:generateAccessToken`;
    return this.#impersonated(url, own.token, impersonate.delegates);
  }

  async #own(scope: string): Promise<Token | null> {
    const { login } = this.#config;
    switch (login.type) {
      case 'none':
        return null;
      case 'token':
        return { token: login.token, endsAt: Number.POSITIVE_INFINITY };
      case 'credentials':
        return this.#fromFile(parseJson(login.text), login.from, scope);
      case 'ambient': {
        const text = await readIfThere(login.file);
        return text === null
          ? this.#fromMetadata(login.metadataHost, scope)
          : this.#fromFile(parseJson(text), login.file, scope);
      }
    }
  }

  #fromFile(file: unknown, from: string, scope: string): Promise<Token> {
    const type = textOf(file, 'type') ?? '';
    if (type === 'service_account') return this.#fromKey(file, from, scope);
    if (type === 'authorized_user') {
      const names = ['client_id', 'client_secret', 'refresh_token'] as const;
      const fields = names.map((name): [string, string] => [name, required(file, name, from)]);
      return this.#exchange(tokenUri(file), { grant_type: 'refresh_token', ...Object.fromEntries(fields) });
    }
    if (type === 'impersonated_service_account') return this.#fromImpersonated(file, from);
    throw new BackendFault(
      'configuration',
      `the Google credentials in ${from} are of the type "${type.slice(0, 40)}", which is not supported`,
      'Supported are service_account, authorized_user and impersonated_service_account. For others set GOOGLE_OAUTH_ACCESS_TOKEN="$(gcloud auth print-access-token)".',
    );
  }

  /** What `gcloud auth application-default login --impersonate-service-account` writes. */
  async #fromImpersonated(file: unknown, from: string): Promise<Token> {
    const source = fieldOf(file, 'source_credentials');
    if (textOf(source, 'type') === 'impersonated_service_account')
      throw new BackendFault('configuration', `the Google credentials in ${from} impersonate twice`);
    const own = await this.#fromFile(source, from, SCOPE_IMPERSONATE);
    const delegates = fieldOf(file, 'delegates');
    return this.#impersonated(
      required(file, 'service_account_impersonation_url', from),
      own.token,
      Array.isArray(delegates) ? delegates.map(String) : [],
    );
  }

  /** A service account proves its key by a signature (RFC 7523). */
  #fromKey(file: unknown, from: string, scope: string): Promise<Token> {
    const aud = tokenUri(file);
    const now = Math.floor(Date.now() / 1_000);
    const kid = textOf(file, 'private_key_id');
    const header = { alg: 'RS256', typ: 'JWT', ...(kid === null ? {} : { kid }) };
    const iss = required(file, 'client_email', from);
    const claims = { iss, scope, aud, iat: now, exp: now + JWT_SECONDS };
    const signed = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = required(file, 'private_key', from);
    let signature: string;
    try {
      signature = createSign('RSA-SHA256').update(signed).sign(key, 'base64url');
    } catch {
      throw new BackendFault('configuration', `the private_key in ${from} is not an RSA key in PEM`);
    }
    return this.#exchange(aud, {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: `${signed}.${signature}`,
    });
  }

  async #exchange(uri: string, form: Readonly<Record<string, string>>): Promise<Token> {
    const body = Buffer.from(new URLSearchParams(form).toString());
    const reply = await this.#ask(uri, 'application/x-www-form-urlencoded', body, {});
    const answer = parseJson(reply.body);
    const token = textOf(answer, 'access_token') ?? textOf(answer, 'id_token');
    if (reply.status !== 200 || token === null) throw refusedBy(uri, reply, textOf(answer, 'error'));
    return { token, endsAt: Date.now() + secondsIn(fieldOf(answer, 'expires_in')) * 1_000 };
  }

  async #impersonated(uri: string, token: string, delegates: readonly string[]): Promise<Token> {
    const wanted = {
      scope: [SCOPE],
      lifetime: `${JWT_SECONDS}s`,
      delegates: delegates.map((name) =>
        name.startsWith('projects/') ? name : `projects/-/serviceAccounts/${name}`,
      ),
    };
    const reply = await this.#ask(uri, 'application/json', Buffer.from(JSON.stringify(wanted)), {
      Authorization: `Bearer ${token}`,
    });
    const answer = parseJson(reply.body);
    const found = textOf(answer, 'accessToken');
    if (reply.status !== 200 || found === null)
      throw refusedBy(uri, reply, textOf(fieldOf(answer, 'error'), 'status'));
    const until = Date.parse(textOf(answer, 'expireTime') ?? '');
    return { token: found, endsAt: Number.isNaN(until) ? Date.now() + JWT_SECONDS * 1_000 : until };
  }

  async #fromMetadata(host: string, scope: string): Promise<Token> {
    const path = '/computeMetadata/v1/instance/service-accounts/default/token';
    const url = URL.canParse(`http://${host}${path}`) ? new URL(`http://${host}${path}`) : null;
    if (url === null) throw new BackendFault('configuration', 'GCE_METADATA_HOST is not the name of a host');
    url.searchParams.set('scopes', scope);
    const reply = await exchange({
      method: 'GET',
      url,
      headers: { 'Metadata-Flavor': 'Google' },
      signal: AbortSignal.timeout(METADATA_MS_MAX),
      tls: {},
      trust: '',
    }).catch(() => null);
    const answer = reply?.status === 200 ? parseJson(reply.body) : null;
    const token = textOf(answer, 'access_token');
    if (token === null) throw new BackendFault('denied', 'there are no Google credentials', NO_CREDENTIALS);
    return { token, endsAt: Date.now() + secondsIn(fieldOf(answer, 'expires_in')) * 1_000 };
  }

  #ask(
    uri: string,
    type: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const url = URL.canParse(uri) ? new URL(uri) : null;
    const isOpen = url?.protocol === 'http:' && (isLoopback(url.hostname) || url.hostname === 'localhost');
    if (url === null || (url.protocol !== 'https:' && !isOpen)) {
      throw new BackendFault(
        'configuration',
        'the Google credentials name a token service that is not an https:// URL',
      );
    }
    return exchange({
      method: 'POST',
      url,
      headers: {
        'Content-Type': type,
        'Content-Length': String(body.length),
        'User-Agent': 'statehouse',
        ...headers,
      },
      body,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      tls: this.#config.ca === null ? {} : tlsOf(this.#config.ca.pem),
      trust: TRUST_BY_FILE,
    });
  }
}

/** The usual certificates, and one more. */
export function tlsOf(pem: string): Readonly<Record<string, unknown>> {
  return { ca: [...rootCertificates, pem] };
}

function tokenUri(file: unknown): string {
  return textOf(file, 'token_uri') ?? TOKEN_URI;
}

function required(file: unknown, name: string, from: string): string {
  const text = textOf(file, name);
  if (text !== null) return text;
  throw new BackendFault('configuration', `the Google credentials in ${from} have no ${name}`);
}

/** Only the name of the error is shown: what comes with it may repeat what was sent. */
function refusedBy(uri: string, { status }: Reply, error: string | null): BackendFault {
  const name = error !== null && /^[A-Za-z_]{1,40}$/.test(error) ? `, ${error}` : '';
  return new BackendFault(
    status >= 500 || status === 429 ? 'unreachable' : 'denied',
    `${new URL(uri).host} gave no access token: HTTP ${status}${name}`,
    'Check the Google credentials: a key may be deleted, and a login may have ended ("gcloud auth application-default login").',
  );
}

function secondsIn(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : JWT_SECONDS;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? fault.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new BackendFault('configuration', `the Google credentials ${path} cannot be read`, '', fault);
  }
}
