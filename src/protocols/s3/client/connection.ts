import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type * as Providers from '@aws-sdk/credential-providers';
import { BackendFault } from '../../../ports/state-client.ts';
import type { RoleConfig, S3Config } from './config.ts';
import { withProfile } from './profile.ts';
import { loadDynamo, loadProviders, loadS3 } from './sdk.ts';

type Credentials = NonNullable<S3ClientConfig['credentials']>;
type MasterCredentials = NonNullable<
  Parameters<typeof Providers.fromTemporaryCredentials>[0]['masterCredentials']
>;

export async function connectS3(given: S3Config): Promise<S3Client> {
  const [{ S3Client }, config] = await Promise.all([loadS3(), withProfile(given)]);
  return new S3Client({
    ...(await sharedSettings(config, config.endpoints.s3)),
    forcePathStyle: config.pathStyle,
    ...(config.skipChecksum
      ? { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }
      : {}),
  });
}

export async function connectDynamo(given: S3Config): Promise<DynamoDBClient> {
  const [{ DynamoDBClient }, config] = await Promise.all([loadDynamo(), withProfile(given)]);
  return new DynamoDBClient(await sharedSettings(config, config.endpoints.dynamodb));
}

async function sharedSettings(config: S3Config, endpoint: string | null): Promise<SharedSettings> {
  return {
    credentials: await makeCredentials(config),
    maxAttempts: Math.max(1, config.maxAttempts),
    useDualstackEndpoint: config.dualstack,
    useFipsEndpoint: config.fips,
    ...(config.region === null ? {} : { region: config.region }),
    ...(endpoint === null ? {} : { endpoint }),
    // The SDK would look at another profile than the block's.
    ignoreConfiguredEndpointUrls: true,
    ...(config.credentials.profile === null ? {} : { profile: config.credentials.profile }),
    ...(config.userAgent === '' ? {} : { customUserAgent: agentOf(config.userAgent) }),
    ...requestHandler(config),
  };
}

interface SharedSettings {
  readonly credentials: Credentials;
  readonly maxAttempts: number;
  readonly useDualstackEndpoint: boolean;
  readonly useFipsEndpoint: boolean;
  readonly region?: string;
  readonly endpoint?: string;
  readonly ignoreConfiguredEndpointUrls: true;
  readonly profile?: string;
  readonly customUserAgent?: [string, string][];
  readonly requestHandler?: { readonly httpsAgent: Agent };
}

/** `name/version` words as the SDK takes them. */
function agentOf(text: string): [string, string][] {
  return text.split(' ').map((word): [string, string] => {
    const [name = '', ...version] = word.split('/');
    return [name, version.join('/')];
  });
}

function requestHandler({ caBundle, insecure }: S3Config): { requestHandler?: { httpsAgent: Agent } } {
  if (caBundle === null && !insecure) return {};
  try {
    const ca = caBundle === null ? {} : { ca: readFileSync(caBundle) };
    return {
      requestHandler: { httpsAgent: new Agent({ keepAlive: true, rejectUnauthorized: !insecure, ...ca }) },
    };
  } catch (fault) {
    throw new BackendFault(
      'configuration',
      `the s3 backend's CA bundle ${caBundle} cannot be read`,
      '',
      fault,
    );
  }
}

/** The SDK's own chain (environment, profiles, SSO, processes, containers, instances), and the roles configured on top. */
async function makeCredentials(config: S3Config): Promise<Credentials> {
  const { credentials, region, endpoints } = config;
  const providers = await loadProviders();
  const clientConfig = {
    ...(region === null ? {} : { region }),
    ...(endpoints.sts === null ? {} : { endpoint: endpoints.sts }),
  };
  const base = (): Credentials => {
    const { accessKey, secretKey, token } = credentials;
    if (accessKey !== null && secretKey !== null) {
      const identity = { accessKeyId: accessKey, secretAccessKey: secretKey };
      return () => Promise.resolve(token === null ? identity : { ...identity, sessionToken: token });
    }
    if (credentials.noPrograms) return withoutPrograms(providers);
    return providers.fromNodeProviderChain({
      clientConfig,
      // Outside of a cloud nobody answers there: do not make people wait for it.
      timeout: 1_000,
      maxRetries: 0,
      ...(credentials.profile === null ? {} : { profile: credentials.profile }),
      filepath: config.profileFiles.credentials,
      configFilepath: config.profileFiles.config,
    });
  };
  const web = credentials.webIdentity;
  if (web !== null) {
    const name = web.sessionName === null ? {} : { roleSessionName: web.sessionName };
    const role = { roleArn: web.roleArn, clientConfig, ...name };
    if (web.token !== null) return providers.fromWebToken({ ...role, webIdentityToken: web.token });
    return providers.fromTokenFile({
      ...role,
      ...(web.tokenFile === null ? {} : { webIdentityTokenFile: web.tokenFile }),
    });
  }
  if (credentials.assumeRole === null) return base();
  return providers.fromTemporaryCredentials({
    masterCredentials: base() as MasterCredentials,
    clientConfig,
    params: roleParameters(credentials.assumeRole),
  });
}

/** What of the SDK's chain reads no profile: a profile can name a program, and the folder can name the profile. */
function withoutPrograms(providers: typeof Providers): Credentials {
  const near = { timeout: 1_000, maxRetries: 0 };
  const inContainer =
    process.env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] ??
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  return providers.createCredentialChain(
    providers.fromEnv(),
    ...(process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] === undefined ? [] : [providers.fromTokenFile()]),
    inContainer === undefined ? providers.fromInstanceMetadata(near) : providers.fromContainerMetadata(near),
  );
}

function roleParameters(role: RoleConfig): RoleParameters {
  const optional = {
    ExternalId: role.externalId,
    Policy: role.policy,
    DurationSeconds: role.durationSeconds,
    SourceIdentity: role.sourceIdentity,
  };
  const given = Object.entries(optional).filter(([, value]) => value !== null);
  return {
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName ?? `statehouse-${process.pid}`,
    PolicyArns: role.policyArns.map((arn) => ({ arn })),
    Tags: Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })),
    TransitiveTagKeys: [...role.transitiveTagKeys],
    ...Object.fromEntries(given),
  };
}

interface RoleParameters {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly PolicyArns: { arn: string }[];
  readonly Tags: { Key: string; Value: string }[];
  readonly TransitiveTagKeys: string[];
}
