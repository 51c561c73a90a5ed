import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../../ports/environment.ts';
import { readDurationOrSeconds } from '../../../core/duration.ts';
import { isProblem } from '../../../core/read-value.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readBoolean, readCount, readObject, readText, readTexts, requireText } from '../../attributes.ts';
import { S3_WORKSPACE_PREFIX } from '../../../core/address.ts';
import type { S3Place } from '../layout.ts';

/** The s3 backend's settings (terraform internal/backend/remote-state/s3/backend.go). */
export interface S3Config {
  readonly place: S3Place;
  /** null: what the AWS configuration says. */
  readonly region: string | null;
  readonly useLockfile: boolean;
  readonly table: string | null;
  readonly encryption: S3Encryption;
  readonly acl: string | null;
  readonly skipChecksum: boolean;
  /** OpenTofu's, as a query string; empty for none. */
  readonly stateTags: string;
  readonly lockTags: string;
  /** As the block and the environment say them; null: the profile's, or AWS's own. */
  readonly endpoints: S3Endpoints;
  /** Whether what files and the environment say of endpoints does not count, as AWS_IGNORE_CONFIGURED_ENDPOINT_URLS asks. */
  readonly ignoresConfiguredEndpoints: boolean;
  /** The files that profiles are in, and the profile that counts. */
  readonly profileFiles: { readonly profile: string; readonly config: string; readonly credentials: string };
  readonly pathStyle: boolean;
  readonly dualstack: boolean;
  readonly fips: boolean;
  readonly maxAttempts: number;
  /** What terraform appends to its user agent. */
  readonly userAgent: string;
  readonly caBundle: string | null;
  readonly insecure: boolean;
  readonly credentials: CredentialConfig;
}

export interface S3Endpoints {
  readonly s3: string | null;
  readonly dynamodb: string | null;
  readonly sts: string | null;
}

export type S3Encryption =
  | { readonly type: 'none' }
  | { readonly type: 'aes256' }
  | { readonly type: 'kms'; readonly keyId: string }
  | { readonly type: 'customer'; readonly key: string };

export interface CredentialConfig {
  readonly accessKey: string | null;
  readonly secretKey: string | null;
  readonly token: string | null;
  readonly profile: string | null;
  readonly credentialsFile: string | null;
  readonly configFile: string | null;
  readonly assumeRole: RoleConfig | null;
  readonly webIdentity: WebIdentityConfig | null;
  /** Whether no program may be run for a credential, as profiles can ask for. */
  readonly noPrograms: boolean;
}

export interface RoleConfig {
  readonly roleArn: string;
  readonly sessionName: string | null;
  readonly externalId: string | null;
  readonly policy: string | null;
  readonly policyArns: readonly string[];
  readonly durationSeconds: number | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | null;
}

export interface WebIdentityConfig {
  readonly roleArn: string;
  readonly sessionName: string | null;
  readonly token: string | null;
  readonly tokenFile: string | null;
}

/** Attributes that name files; some of those files name programs to run. */
const FILE_ATTRIBUTES = [
  'shared_config_files',
  'shared_credentials_files',
  'shared_credentials_file',
  'custom_ca_bundle',
] as const;

/** @param noExternal whether nothing that the attributes name may be read or run */
export function readS3Config(attributes: BackendAttributes, env: Environment, noExternal = false): S3Config {
  if (noExternal) refuseFiles(attributes);
  const text = (name: string, ...variables: readonly string[]): string | null =>
    readText(attributes, name, env, ...variables);
  const yes = (name: string, ...variables: readonly string[]): boolean =>
    readBoolean(attributes, name, env, ...variables);
  const key = requireText('s3', attributes, 'key');
  if (key.startsWith('/') || key.endsWith('/') || key.includes('//')) {
    throw new BackendFault(
      'configuration',
      'the s3 backend\'s key may not begin or end with "/" nor contain "//"',
    );
  }
  if (text('http_proxy') !== null || text('https_proxy') !== null) {
    throw new BackendFault(
      'configuration',
      "the s3 backend's http_proxy and https_proxy are not supported here yet",
    );
  }
  const prefix = attributes['workspace_key_prefix'];
  const endpoints = readObject(attributes, 'endpoints') ?? {};
  const ignores = env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true';
  const configured = (service: string): readonly string[] => (ignores ? [] : [`AWS_ENDPOINT_URL_${service}`]);
  const everywhere = ignores ? [] : ['AWS_ENDPOINT_URL'];
  return {
    place: {
      bucket: requireText('s3', attributes, 'bucket'),
      key,
      // An empty prefix is one: workspaces are then at the bucket's root.
      workspacePrefix: typeof prefix === 'string' ? prefix : S3_WORKSPACE_PREFIX,
    },
    region: text('region', 'AWS_REGION', 'AWS_DEFAULT_REGION'),
    useLockfile: yes('use_lockfile'),
    table: text('dynamodb_table'),
    encryption: readEncryption(attributes, env),
    acl: text('acl'),
    skipChecksum: yes('skip_s3_checksum'),
    stateTags: readTags(attributes, 'state_tags'),
    lockTags: readTags(attributes, 'lock_tags'),
    endpoints: {
      s3:
        readText(endpoints, 's3') ?? text('endpoint', ...configured('S3'), 'AWS_S3_ENDPOINT', ...everywhere),
      dynamodb:
        readText(endpoints, 'dynamodb') ??
        text('dynamodb_endpoint', ...configured('DYNAMODB'), 'AWS_DYNAMODB_ENDPOINT', ...everywhere),
      sts:
        readText(endpoints, 'sts') ??
        text('sts_endpoint', ...configured('STS'), 'AWS_STS_ENDPOINT', ...everywhere),
    },
    ignoresConfiguredEndpoints: ignores,
    profileFiles: profileFiles(attributes, env, noExternal),
    pathStyle: yes('use_path_style') || yes('force_path_style'),
    dualstack: yes('use_dualstack_endpoint', 'AWS_USE_DUALSTACK_ENDPOINT'),
    fips: yes('use_fips_endpoint', 'AWS_USE_FIPS_ENDPOINT'),
    maxAttempts: readCount(attributes, 'max_retries', env, 'AWS_MAX_ATTEMPTS') ?? 5,
    userAgent: env['TF_APPEND_USER_AGENT'] ?? '',
    caBundle: text('custom_ca_bundle', 'AWS_CA_BUNDLE'),
    insecure: yes('insecure'),
    credentials: { ...readCredentials(attributes, env), noPrograms: noExternal },
  };
}

/** A folder that may be a stranger's chooses no profile. */
function profileFiles(
  attributes: BackendAttributes,
  env: Environment,
  noExternal: boolean,
): S3Config['profileFiles'] {
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  const { profile, configFile, credentialsFile } = readCredentials(attributes, env);
  return {
    profile: (noExternal ? null : profile) ?? readText({}, '', env, 'AWS_PROFILE') ?? 'default',
    config: configFile ?? readText({}, '', env, 'AWS_CONFIG_FILE') ?? join(folder, 'config'),
    credentials:
      credentialsFile ?? readText({}, '', env, 'AWS_SHARED_CREDENTIALS_FILE') ?? join(folder, 'credentials'),
  };
}

function refuseFiles(attributes: BackendAttributes): void {
  const web = readObject(attributes, 'assume_role_with_web_identity') ?? {};
  const named = FILE_ATTRIBUTES.find((name) => (attributes[name] ?? null) !== null);
  const found =
    named ?? ((web['web_identity_token_file'] ?? null) === null ? null : 'web_identity_token_file');
  if (found !== null && found !== undefined)
    throw new BackendFault(
      'configuration',
      `the s3 backend's ${found} names files, which --no-external does not read`,
      'Give credentials in the environment (AWS_ACCESS_KEY_ID …), or leave --no-external out if you trust the folder.',
    );
}

function readTags(attributes: BackendAttributes, name: string): string {
  const tags = readObject(attributes, name) ?? {};
  const pairs = Object.keys(tags).map((tag): [string, string] => [tag, readText(tags, tag) ?? '']);
  return new URLSearchParams(pairs).toString();
}

function readEncryption(attributes: BackendAttributes, env: Environment): S3Encryption {
  if (!readBoolean(attributes, 'encrypt')) return { type: 'none' };
  const keyId = readText(attributes, 'kms_key_id');
  const customer = readText(attributes, 'sse_customer_key', env, 'AWS_SSE_CUSTOMER_KEY');
  if (keyId !== null && customer !== null) {
    throw new BackendFault('configuration', 'the s3 backend takes kms_key_id or sse_customer_key, not both');
  }
  if (keyId !== null) return { type: 'kms', keyId };
  if (customer === null) return { type: 'aes256' };
  if (Buffer.from(customer, 'base64').length !== 32) {
    throw new BackendFault('configuration', "the s3 backend's sse_customer_key is not 32 bytes in base64");
  }
  return { type: 'customer', key: customer };
}

function readCredentials(
  attributes: BackendAttributes,
  env: Environment,
): Omit<CredentialConfig, 'noPrograms'> {
  const text = (name: string): string | null => readText(attributes, name);
  const profile = text('profile');
  // The SDK's chain looks at the process's own environment: whoever gives another one means that.
  const given = (name: string, variable: string): string | null =>
    profile === null ? readText(attributes, name, env, variable) : text(name);
  return {
    accessKey: given('access_key', 'AWS_ACCESS_KEY_ID'),
    secretKey: given('secret_key', 'AWS_SECRET_ACCESS_KEY'),
    token: given('token', 'AWS_SESSION_TOKEN'),
    profile,
    credentialsFile:
      readTexts(attributes, 'shared_credentials_files')?.[0] ?? text('shared_credentials_file'),
    configFile: readTexts(attributes, 'shared_config_files')?.[0] ?? null,
    assumeRole: readRole(attributes),
    webIdentity: readWebIdentity(readObject(attributes, 'assume_role_with_web_identity'), env),
  };
}

/** The block, or the older attributes beside the bucket that OpenTofu still takes. */
function readRole(attributes: BackendAttributes): RoleConfig | null {
  const block = readObject(attributes, 'assume_role');
  const flat = readText(attributes, 'role_arn') !== null;
  if (block === null && !flat) return null;
  const from = block ?? attributes;
  const named = (name: string): string =>
    block === null && name !== 'role_arn' ? `assume_role_${name}` : name;
  const tags = readObject(from, named('tags')) ?? {};
  const seconds = readText(from, block === null ? 'assume_role_duration_seconds' : 'duration');
  return {
    roleArn: requireText('s3', from, 'role_arn'),
    sessionName: readText(from, 'session_name'),
    externalId: readText(from, 'external_id'),
    policy: readText(from, named('policy')),
    policyArns: readTexts(from, named('policy_arns')) ?? [],
    durationSeconds: seconds === null ? null : readSeconds(seconds),
    tags: Object.fromEntries(Object.keys(tags).map((name) => [name, readText(tags, name) ?? ''])),
    transitiveTagKeys: readTexts(from, named('transitive_tag_keys')) ?? [],
    sourceIdentity: readText(from, 'source_identity'),
  };
}

function readWebIdentity(block: BackendAttributes | null, env: Environment): WebIdentityConfig | null {
  if (block === null) return null;
  return {
    roleArn: requireText('s3', block, 'role_arn', env, 'AWS_ROLE_ARN'),
    sessionName: readText(block, 'session_name', env, 'AWS_ROLE_SESSION_NAME'),
    token: readText(block, 'web_identity_token'),
    tokenFile: readText(block, 'web_identity_token_file', env, 'AWS_WEB_IDENTITY_TOKEN_FILE'),
  };
}

/** `1h30m`, or seconds. In seconds. */
function readSeconds(text: string): number {
  const duration = readDurationOrSeconds(text);
  if (!isProblem(duration)) return Math.round(duration / 1_000);
  throw new BackendFault('configuration', `the s3 backend's assume_role has an ${duration.problem}`);
}
