import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Environment } from '../../ports/environment.ts';
import { BackendFault } from '../../ports/state-client.ts';
import { exchange, type Reply } from '../exchange.ts';
import { parseJson, textOf } from '../wire/json-value.ts';
import { readXml, xmlText } from '../wire/xml-reader.ts';
import { parseSections } from './profiles.ts';
import type { AwsCredential } from './sign.ts';

/** A credential, and when it ends. */
interface Found {
  readonly credential: AwsCredential;
  /** null where it does not end. */
  readonly until: Instant | null;
}

/** So long before its end another one is asked for. */
const AHEAD: Milliseconds = 5 * 60_000;
/** A machine that is not Amazon's has nobody at that address. */
const MACHINE_MS: Milliseconds = 2_000;
const ANSWER_MS: Milliseconds = 10_000;
const MACHINE = 'http://169.254.169.254';
const CONTAINER = 'http://169.254.170.2';
/** Where a container may be told to ask: itself, and the two addresses that are Amazon's. */
const CONTAINER_HOSTS =
  /^(?:localhost|127(?:\.\d+){3}|\[::1\]|169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\])$/;

/**
 * The credential of a process on AWS, from where it usually comes, in Amazon's order: the environment, a token of a workload's identity,
 * the file of credentials, a container's own, a machine's own (AWS SDKs and Tools Reference Guide, "Standardized credential providers").
 */
export class AwsCredentials {
  readonly #env: Environment;
  #found: Found | null = null;
  #asking: Promise<Found> | null = null;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** @throws {BackendFault} where there is none */
  async get(): Promise<AwsCredential> {
    const known = this.#found;
    if (known !== null && (known.until === null || known.until - AHEAD > Date.now())) return known.credential;
    this.#asking ??= this.#find().finally(() => (this.#asking = null));
    this.#found = await this.#asking;
    return this.#found.credential;
  }

  /** Asks for another one the next time: this one was refused. */
  renew(): void {
    this.#found = null;
  }

  async #find(): Promise<Found> {
    for (const source of [fromEnvironment, fromIdentity, fromFile, fromContainer, fromMachine]) {
      const found = await source(this.#env);
      if (found !== null) return found;
    }
    throw new BackendFault(
      'denied',
      'there is no AWS credential in the environment, in a file, or from the machine',
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.',
    );
  }
}

async function fromEnvironment(env: Environment): Promise<Found | null> {
  const [accessKeyId = '', secret = ''] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (accessKeyId === '' || secret === '') return null;
  const token = env['AWS_SESSION_TOKEN'] ?? '';
  return { credential: { accessKeyId, secret, token: token === '' ? null : token }, until: null };
}

/** A pod's role, as EKS gives it (STS, `AssumeRoleWithWebIdentity`). */
async function fromIdentity(env: Environment): Promise<Found | null> {
  const [file = '', role = ''] = [env['AWS_WEB_IDENTITY_TOKEN_FILE'], env['AWS_ROLE_ARN']];
  if (file === '' || role === '') return null;
  const token = (await readOrFail(file)).trim();
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? '';
  const usual = region === '' ? 'https://sts.amazonaws.com' : `https://sts.${region}.amazonaws.com`;
  const url = new URL(env['AWS_ENDPOINT_URL_STS'] ?? env['AWS_ENDPOINT_URL'] ?? usual);
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] ?? 'statehouse',
    WebIdentityToken: token,
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await ask('POST', url, headers, ANSWER_MS, Buffer.from(form.toString()));
  const xml = reply.status === 200 ? readXml(reply.body) : null;
  const of = (name: string): string | null =>
    xml === null ? null : (xmlText(xml, 'AssumeRoleWithWebIdentityResult', 'Credentials', name) ?? null);
  return foundIn('STS', reply.status, [
    of('AccessKeyId'),
    of('SecretAccessKey'),
    of('SessionToken'),
    of('Expiration'),
  ]);
}

async function fromFile(env: Environment): Promise<Found | null> {
  const path = env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(env['HOME'] ?? homedir(), '.aws', 'credentials');
  const text = await readFile(path, 'utf8').catch(() => '');
  const profile = env['AWS_PROFILE'] ?? 'default';
  const section = parseSections(text).get(profile);
  const [accessKeyId, secret] = [section?.get('aws_access_key_id'), section?.get('aws_secret_access_key')];
  if (accessKeyId === undefined || secret === undefined) return null;
  // Whoever renews the file must be heard.
  const until = Date.now() + 2 * AHEAD;
  return { credential: { accessKeyId, secret, token: section?.get('aws_session_token') ?? null }, until };
}

async function fromContainer(env: Environment): Promise<Found | null> {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] ?? '';
  const full = env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '';
  if (relative === '' && full === '') return null;
  const url = relative === '' ? new URL(full) : new URL(relative, CONTAINER);
  if (url.protocol !== 'https:' && !CONTAINER_HOSTS.test(url.hostname)) {
    const message = `AWS_CONTAINER_CREDENTIALS_FULL_URI names ${url.host}, which is not asked without encryption`;
    throw new BackendFault('configuration', message);
  }
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] ?? '';
  const token = file === '' ? (env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] ?? '') : await readOrFail(file);
  const headers: Record<string, string> = token === '' ? {} : { authorization: token.trim() };
  return inJson('the container', await ask('GET', url, headers, ANSWER_MS));
}

/** Amazon EC2 User Guide, "Use the Instance Metadata Service", version 2. */
async function fromMachine(env: Environment): Promise<Found | null> {
  if (env['AWS_EC2_METADATA_DISABLED'] === 'true') return null;
  const base = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? MACHINE;
  const lasting = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' };
  const session = await ask('PUT', new URL('/latest/api/token', base), lasting, MACHINE_MS).catch(() => null);
  if (session?.status !== 200) return null;
  const headers = { 'x-aws-ec2-metadata-token': Buffer.from(session.body).toString() };
  const roles = new URL('/latest/meta-data/iam/security-credentials/', base);
  const listed = await ask('GET', roles, headers, MACHINE_MS);
  const [role = ''] = listed.status === 200 ? Buffer.from(listed.body).toString().split('\n') : [];
  if (role === '') return null;
  return inJson(
    'the machine',
    await ask('GET', new URL(encodeURIComponent(role), roles), headers, MACHINE_MS),
  );
}

function inJson(who: string, { status, body }: Reply): Found {
  const json = parseJson(body);
  const names = ['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration'];
  return foundIn(
    who,
    status,
    names.map((name) => textOf(json, name)),
  );
}

/** @param parts key, secret, token and end */
function foundIn(who: string, status: number, parts: readonly (string | null)[]): Found {
  const [accessKeyId = null, secret = null, token = null, end = null] = parts;
  if (accessKeyId === null || secret === null)
    throw new BackendFault('denied', `${who} gave no AWS credential: HTTP ${status}`);
  const until = Date.parse(end ?? '');
  return { credential: { accessKeyId, secret, token }, until: Number.isNaN(until) ? null : until };
}

async function readOrFail(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (fault) {
    throw new BackendFault('configuration', `${path} cannot be read, which has an AWS token`, '', fault);
  }
}

function ask(
  method: 'GET' | 'PUT' | 'POST',
  url: URL,
  headers: Readonly<Record<string, string>>,
  patience: Milliseconds,
  body?: Uint8Array,
): Promise<Reply> {
  const length: Record<string, string> =
    method === 'GET' ? {} : { 'content-length': String(body?.length ?? 0) };
  return exchange({
    method,
    url,
    headers: { ...length, ...headers },
    body,
    signal: AbortSignal.timeout(patience),
    tls: {},
    trust: '',
  });
}
