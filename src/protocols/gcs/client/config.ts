import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readText, readTexts, requireText } from '../../attributes.ts';
import { JSON_PREFIX } from '../layout.ts';
import { readPrefix, type GcsPlace } from './names.ts';
import { readCertificates } from '../../trusted-certificates.ts';

/** The gcs backend's settings (terraform internal/backend/remote-state/gcs/backend.go). */
export interface GcsConfig {
  readonly place: GcsPlace;
  /** Where the JSON API is. Ends with a slash. */
  readonly endpoint: URL;
  /** Whether that is another than Google's own. */
  readonly isCustom: boolean;
  readonly login: Login;
  /** The service account that is acted for; null for one's own. */
  readonly impersonate: Impersonation | null;
  /** A key of the customer's own, 32 bytes in base64: for states, not for locks. */
  readonly encryptionKey: string | null;
  /** The name of a key of Cloud KMS. */
  readonly kmsKey: string | null;
  /** What terraform appends to its user agent. */
  readonly userAgent: string;
  /** Certificates that are trusted besides the usual ones. */
  readonly ca: { readonly path: string; readonly pem: string } | null;
}

export interface Impersonation {
  readonly account: string;
  readonly delegates: readonly string[];
}

/** Where the access token comes from. */
export type Login =
  | { readonly type: 'token'; readonly token: string }
  /** The text of a credential file, and where it was found. */
  | { readonly type: 'credentials'; readonly text: string; readonly from: string }
  /** What the machine knows: gcloud's file where it is there, or the metadata server of Google's machines. */
  | { readonly type: 'ambient'; readonly file: string; readonly metadataHost: string }
  /** An emulator asks for none. */
  | { readonly type: 'none' };

export interface ConfigSource {
  readonly env: Environment;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** Whether no file may be read that the attributes name. */
  readonly noExternal: boolean;
}

const KEY_BYTES = 32;
/** Where Google's machines ask for their own token. */
const METADATA_HOST = '169.254.169.254';

export function readGcsConfig(attributes: BackendAttributes, source: ConfigSource): GcsConfig {
  const { env } = source;
  const text = (name: string, ...variables: readonly string[]): string | null =>
    readText(attributes, name, env, ...variables);
  const encryptionKey = readKey(attributes, source);
  const kmsKey = text('kms_encryption_key', 'GOOGLE_KMS_ENCRYPTION_KEY');
  if (encryptionKey !== null && kmsKey !== null) {
    throw new BackendFault(
      'configuration',
      'the gcs backend takes encryption_key or kms_encryption_key, not both',
    );
  }
  const custom = text(
    'storage_custom_endpoint',
    'GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT',
    'GOOGLE_STORAGE_CUSTOM_ENDPOINT',
  );
  const emulator = readText({}, '', env, 'STORAGE_EMULATOR_HOST');
  const universe = text('universe_domain', 'GOOGLE_CLOUD_UNIVERSE_DOMAIN') ?? 'googleapis.com';
  const account = text(
    'impersonate_service_account',
    'GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT',
    'GOOGLE_IMPERSONATE_SERVICE_ACCOUNT',
  );
  const delegates = readTexts(attributes, 'impersonate_service_account_delegates') ?? [];
  return {
    place: {
      bucket: requireText('gcs', attributes, 'bucket'),
      prefix: readPrefix(readText(attributes, 'prefix') ?? ''),
    },
    endpoint: readEndpoint(
      custom ?? (emulator === null ? `https://storage.${universe}${JSON_PREFIX}` : emulatorAt(emulator)),
    ),
    isCustom: custom !== null || emulator !== null,
    login: readLogin(attributes, source, emulator !== null),
    impersonate: account === null ? null : { account, delegates },
    encryptionKey,
    kmsKey,
    userAgent: env['TF_APPEND_USER_AGENT'] ?? '',
    ca: readCertificates(env),
  };
}

function readEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new BackendFault(
      'configuration',
      "the gcs backend's storage_custom_endpoint is not a URL that begins with http:// or https://",
      `It is written as https://HOST${JSON_PREFIX}.`,
    );
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** As Google's own library takes STORAGE_EMULATOR_HOST (cloud.google.com/go/storage, `NewClient`). */
function emulatorAt(host: string): string {
  const origin = host.includes('://') ? host : `http://${host}`;
  return `${origin.replace(/\/+$/, '')}${JSON_PREFIX}`;
}

/** In terraform's order: a token, a key, and what the machine knows. */
function readLogin(attributes: BackendAttributes, source: ConfigSource, isEmulator: boolean): Login {
  const { env } = source;
  const token = readText(attributes, 'access_token', env, 'GOOGLE_OAUTH_ACCESS_TOKEN');
  if (token !== null) return { type: 'token', token };
  const written = readText(attributes, 'credentials');
  const given = written ?? readText({}, '', env, 'GOOGLE_BACKEND_CREDENTIALS', 'GOOGLE_CREDENTIALS');
  if (given !== null) {
    const isJson = given.trimStart().startsWith('{');
    if (isJson) return { type: 'credentials', text: given, from: 'credentials' };
    if (written !== null) refuseFile(source, 'credentials');
    return {
      type: 'credentials',
      text: readGiven(source, 'credentials', given, 'is neither JSON nor a file that can be read'),
      from: given,
    };
  }
  if (isEmulator) return { type: 'none' };
  const named = readText({}, '', env, 'GOOGLE_APPLICATION_CREDENTIALS');
  if (named !== null) {
    const text = readGiven(source, 'GOOGLE_APPLICATION_CREDENTIALS', named);
    return { type: 'credentials', text, from: named };
  }
  const gcloud = env['CLOUDSDK_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.config', 'gcloud');
  return {
    type: 'ambient',
    file: join(gcloud, 'application_default_credentials.json'),
    metadataHost: env['GCE_METADATA_HOST'] ?? METADATA_HOST,
  };
}

/** The key, or a file that has it, as terraform takes both. */
function readKey(attributes: BackendAttributes, source: ConfigSource): string | null {
  const written = readText(attributes, 'encryption_key');
  const given = written ?? readText({}, '', source.env, 'GOOGLE_ENCRYPTION_KEY');
  if (given === null || isKey(given)) return given;
  if (written !== null) refuseFile(source, 'encryption_key');
  // It may be a secret with a slip in it, so no error shows it.
  const key = readGiven(source, 'encryption_key', given, 'is neither 32 bytes in base64 nor a file').trim();
  if (isKey(key)) return key;
  throw new BackendFault('configuration', "the gcs backend's encryption_key is not 32 bytes in base64");
}

function isKey(text: string): boolean {
  return /^[A-Za-z0-9+/]+=*$/.test(text) && Buffer.from(text, 'base64').length === KEY_BYTES;
}

function refuseFile({ noExternal }: ConfigSource, name: string): void {
  if (!noExternal) return;
  throw new BackendFault(
    'configuration',
    `the gcs backend's ${name} names a file, which --no-external does not read`,
    'Give credentials in the environment (GOOGLE_OAUTH_ACCESS_TOKEN …), or leave --no-external out if you trust the folder.',
  );
}

/** @param problem what to say where there is no such file; the path is shown only where there is none */
function readGiven({ env, folder }: ConfigSource, name: string, path: string, problem?: string): string {
  try {
    return readFileSync(
      resolve(
        folder,
        path.replace(/^~(?=\/|$)/, () => env['HOME'] ?? homedir()),
      ),
      'utf8',
    );
  } catch (fault) {
    const why = problem ?? `names ${path}, which cannot be read`;
    throw new BackendFault(
      'configuration',
      `the gcs backend's ${name} ${why}`,
      '',
      problem === undefined ? fault : undefined,
    );
  }
}
