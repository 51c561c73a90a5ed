import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readBoolean, readText, requireText } from '../../attributes.ts';
import { readCertificates } from '../../trusted-certificates.ts';

/** The azurerm backend's settings (terraform internal/backend/remote-state/azure/backend.go). */
export interface AzurermConfig {
  readonly account: string;
  readonly container: string;
  readonly key: string;
  /** Whether the state is kept as a snapshot before each write. */
  readonly snapshot: boolean;
  /** A built-in cloud by its name, or the host that describes another. */
  readonly cloud: { readonly name: string } | { readonly metadataHost: string };
  /** Whether the resource manager is asked where the account's blobs are. */
  readonly lookup: boolean;
  readonly subscription: string | null;
  readonly resourceGroup: string | null;
  readonly login: Login;
  readonly identity: Identity;
  /** Certificates that are trusted besides the usual ones. */
  readonly ca: { readonly path: string; readonly pem: string } | null;
}

/** What a request for blobs proves itself with. */
export type Login =
  | { readonly type: 'key'; readonly key: string }
  /** A signature in the query, without its question mark. */
  | { readonly type: 'sas'; readonly token: string }
  /** An access token. */
  | { readonly type: 'token' }
  /** The account's key, for which the resource manager is asked with an access token. */
  | { readonly type: 'listed-key' };

/** Where access tokens come from, in terraform's order: the first that is set. */
export interface Identity {
  readonly tenant: string | null;
  readonly client: string | null;
  /** A certificate is given, which only terraform itself can use. */
  readonly certificate: boolean;
  readonly secret: string | null;
  /** null unless OIDC is to be used. */
  readonly oidc: Oidc | null;
  /** Where a managed identity is asked for; null unless it is to be used. */
  readonly msi: string | null;
  readonly cli: boolean;
}

export interface Oidc {
  readonly token: string | null;
  /** A pipeline asks there for its token. */
  readonly request: { readonly url: string; readonly token: string } | null;
  /** In a pipeline of Azure DevOps. */
  readonly serviceConnection: string | null;
}

export interface ConfigSource {
  readonly env: Environment;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** Whether no file may be read that the attributes name, and no program be run. */
  readonly noExternal: boolean;
}

/** Where Azure's machines ask for the token of their identity. */
const MSI_ENDPOINT = 'http://169.254.169.254/metadata/identity/oauth2/token';

/** @throws BackendFault when it is not valid */
export function readAzurermConfig(attributes: BackendAttributes, source: ConfigSource): AzurermConfig {
  const { env } = source;
  const text = (name: string, ...variables: readonly string[]): string | null =>
    readText(attributes, name, env, ...variables);
  const account = requireText('azurerm', attributes, 'storage_account_name');
  // It becomes a part of a host's name.
  if (!/^[0-9a-z-]{1,63}$/.test(account)) {
    throw new BackendFault(
      'configuration',
      "the azurerm backend's storage_account_name is not made of small letters and digits",
    );
  }
  const metadataHost = text('metadata_host', 'ARM_METADATA_HOSTNAME', 'ARM_METADATA_HOST');
  if (metadataHost !== null && !URL.canParse(`https://${metadataHost}/`))
    throw new BackendFault('configuration', "the azurerm backend's metadata_host is not the name of a host");
  return {
    account,
    container: requireText('azurerm', attributes, 'container_name'),
    key: requireText('azurerm', attributes, 'key'),
    snapshot: readBoolean(attributes, 'snapshot', env, 'ARM_SNAPSHOT'),
    cloud:
      metadataHost === null ? { name: text('environment', 'ARM_ENVIRONMENT') ?? 'public' } : { metadataHost },
    lookup: readBoolean(attributes, 'lookup_blob_endpoint', env, 'ARM_USE_DNS_ZONE_ENDPOINT'),
    subscription: text('subscription_id', 'ARM_SUBSCRIPTION_ID'),
    resourceGroup: text('resource_group_name'),
    login: readLogin(attributes, env),
    identity: readIdentity(attributes, source),
    ca: readCertificates(env),
  };
}

function readLogin(attributes: BackendAttributes, env: Environment): Login {
  const sas = readText(attributes, 'sas_token', env, 'ARM_SAS_TOKEN');
  if (sas !== null) return { type: 'sas', token: sas.replace(/^\?/, '') };
  const key = readText(attributes, 'access_key', env, 'ARM_ACCESS_KEY');
  if (key === null)
    return {
      type: readBoolean(attributes, 'use_azuread_auth', env, 'ARM_USE_AZUREAD') ? 'token' : 'listed-key',
    };
  if (/^[A-Za-z0-9+/]+=*$/.test(key)) return { type: 'key', key };
  throw new BackendFault('configuration', "the azurerm backend's access_key is not base64");
}

function readIdentity(attributes: BackendAttributes, source: ConfigSource): Identity {
  const { env, noExternal } = source;
  const text = (name: string, ...variables: readonly string[]): string | null =>
    readText(attributes, name, env, ...variables)?.trim() ?? null;
  const isAks = readBoolean(attributes, 'use_aks_workload_identity', env, 'ARM_USE_AKS_WORKLOAD_IDENTITY');
  const ofAks = (variable: string): string | null => (isAks ? readText({}, '', env, variable) : null);
  const file = (name: string, variable: string): string | null =>
    readNamed(attributes, source, name, variable);
  const federated = ofAks('AZURE_FEDERATED_TOKEN_FILE');
  const url = text(
    'oidc_request_url',
    'ARM_OIDC_REQUEST_URL',
    'ACTIONS_ID_TOKEN_REQUEST_URL',
    'SYSTEM_OIDCREQUESTURI',
  );
  const token = text(
    'oidc_request_token',
    'ARM_OIDC_REQUEST_TOKEN',
    'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
    'SYSTEM_ACCESSTOKEN',
  );
  const usesOidc = isAks || readBoolean(attributes, 'use_oidc', env, 'ARM_USE_OIDC');
  return {
    tenant: ofAks('AZURE_TENANT_ID') ?? text('tenant_id', 'ARM_TENANT_ID'),
    client:
      ofAks('AZURE_CLIENT_ID') ??
      file('client_id_file_path', 'ARM_CLIENT_ID_FILE_PATH') ??
      text('client_id', 'ARM_CLIENT_ID'),
    certificate:
      text('client_certificate', 'ARM_CLIENT_CERTIFICATE') !== null ||
      text('client_certificate_path', 'ARM_CLIENT_CERTIFICATE_PATH') !== null,
    secret:
      file('client_secret_file_path', 'ARM_CLIENT_SECRET_FILE_PATH') ??
      text('client_secret', 'ARM_CLIENT_SECRET'),
    oidc: usesOidc
      ? {
          token:
            (federated === null ? null : readGiven(source, 'AZURE_FEDERATED_TOKEN_FILE', federated)) ??
            file('oidc_token_file_path', 'ARM_OIDC_TOKEN_FILE_PATH') ??
            text('oidc_token', 'ARM_OIDC_TOKEN'),
          request: url === null || token === null ? null : { url, token },
          serviceConnection: text(
            'ado_pipeline_service_connection_id',
            'ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID',
            'ARM_OIDC_AZURE_SERVICE_CONNECTION_ID',
          ),
        }
      : null,
    msi: readBoolean(attributes, 'use_msi', env, 'ARM_USE_MSI')
      ? (text('msi_endpoint', 'ARM_MSI_ENDPOINT') ?? MSI_ENDPOINT)
      : null,
    cli:
      !noExternal &&
      (text('use_cli', 'ARM_USE_CLI') === null || readBoolean(attributes, 'use_cli', env, 'ARM_USE_CLI')),
  };
}

/** What is in a file that a setting names; null where it names none. */
function readNamed(
  attributes: BackendAttributes,
  source: ConfigSource,
  name: string,
  variable: string,
): string | null {
  const written = readText(attributes, name);
  if (written !== null && source.noExternal) {
    throw new BackendFault(
      'configuration',
      `the azurerm backend's ${name} names a file, which --no-external does not read`,
      `Give it in the environment (${variable}), or leave --no-external out if you trust the folder.`,
    );
  }
  const path = written ?? readText({}, '', source.env, variable);
  return path === null ? null : readGiven(source, name, path);
}

function readGiven({ folder }: ConfigSource, name: string, path: string): string {
  try {
    return readFileSync(resolve(folder, path), 'utf8').trim();
  } catch (fault) {
    const message = `the azurerm backend's ${name} names ${path}, which cannot be read`;
    throw new BackendFault('configuration', message, '', fault);
  }
}
