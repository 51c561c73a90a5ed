import { BackendFault } from '../../../ports/state-client.ts';
import { fieldOf, listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { AZURE_PREFIX, BLOB_LABEL } from '../layout.ts';
import type { AzurermConfig } from './config.ts';
import type { Plain } from './plain.ts';
import type { Tokens } from './tokens.ts';

/** One of Azure's clouds. */
export interface Cloud {
  /** Where tokens are had. Ends with a slash. */
  readonly login: URL;
  /** Where the resource manager is, and what its tokens are for. */
  readonly resourceManager: URL;
  readonly audience: string;
  /** What the hosts of storage accounts end with, and perhaps a port. */
  readonly storageSuffix: string;
  /** Where a Statehouse server is that describes itself as a cloud, without a slash at its end; null for Azure's own. */
  readonly house: string | null;
}

/** What tokens for blobs are for, in every cloud. */
export const STORAGE_RESOURCE = 'https://storage.azure.com';

/** The clouds that terraform knows by name (go-azure-sdk, `sdk/environments`). */
const CLOUDS: Readonly<Record<string, readonly [login: string, manager: string, suffix: string]>> = {
  public: ['login.microsoftonline.com', 'management.azure.com', 'core.windows.net'],
  usgovernment: ['login.microsoftonline.us', 'management.usgovcloudapi.net', 'core.usgovcloudapi.net'],
  china: ['login.chinacloudapi.cn', 'management.chinacloudapi.cn', 'core.chinacloudapi.cn'],
};
/** What a Statehouse server calls its cloud. */
const HOUSE_NAME = 'Statehouse';
const METADATA_VERSION = '2022-09-01';
const MANAGER_VERSION = '2023-01-01';

/** Finds the cloud: by its name, or by what a host says of it. */
export async function findCloud({ cloud }: AzurermConfig, plain: Plain): Promise<Cloud> {
  if ('metadataHost' in cloud) return described(cloud.metadataHost, plain);
  const found = CLOUDS[cloud.name.toLowerCase()];
  if (found === undefined) {
    throw new BackendFault(
      'configuration',
      `the azurerm backend's environment "${cloud.name}" is not known`,
      `Known are ${Object.keys(CLOUDS).join(', ')}; for others set metadata_host.`,
    );
  }
  const [login, manager, storageSuffix] = found;
  return {
    login: new URL(`https://${login}/`),
    resourceManager: new URL(`https://${manager}/`),
    audience: `https://${manager}/`,
    storageSuffix,
    house: null,
  };
}

/** Where the account's blobs are. Ends with a slash. */
export async function findEndpoint(config: AzurermConfig, cloud: Cloud, ask: Manager): Promise<URL> {
  const { account, lookup, login } = config;
  // There the account may be in the path, which needs no name and no certificate for it.
  if (cloud.house !== null) return new URL(`${cloud.house}${AZURE_PREFIX}${account}/`);
  const usual = `https://${account}.${BLOB_LABEL}.${cloud.storageSuffix}/`;
  // Terraform takes what the resource manager says whenever it has asked it.
  const said =
    lookup || login.type === 'listed-key'
      ? textOf(fieldOf(fieldOf(await ask.account(), 'properties'), 'primaryEndpoints'), 'blob')
      : usual;
  if (said === null || !URL.canParse(said))
    throw new BackendFault('missing', `the storage account ${account} does not say where its blobs are`);
  const url = new URL(said);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** Azure's resource manager, as far as the backend asks it. */
export class Manager {
  readonly #config: AzurermConfig;
  readonly #cloud: Cloud;
  readonly #plain: Plain;
  readonly #tokens: Tokens;

  constructor(config: AzurermConfig, cloud: Cloud, plain: Plain, tokens: Tokens) {
    this.#config = config;
    this.#cloud = cloud;
    this.#plain = plain;
    this.#tokens = tokens;
  }

  account(): Promise<unknown> {
    return this.#ask('GET', '', {});
  }

  /** A key that may do everything. */
  async key(): Promise<string> {
    const answer = await this.#ask('POST', '/listKeys', { $expand: 'kerb' });
    const full = listOf(answer, 'keys').find(
      (key) => textOf(key, 'permissions')?.toLowerCase() === 'full' && textOf(key, 'value') !== null,
    );
    const value = textOf(full, 'value');
    if (value !== null) return value;
    throw new BackendFault('denied', `the storage account ${this.#config.account} has no key that may write`);
  }

  async #ask(
    method: 'GET' | 'POST',
    more: string,
    query: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const { account, subscription, resourceGroup } = this.#config;
    if (subscription === null || resourceGroup === null) {
      throw new BackendFault(
        'configuration',
        'the azurerm backend has no credential for blobs: it needs access_key, sas_token or use_azuread_auth, or subscription_id and resource_group_name to ask for the key',
        'Set one of ARM_ACCESS_KEY, ARM_SAS_TOKEN and ARM_USE_AZUREAD.',
      );
    }
    const path = [
      'subscriptions',
      subscription,
      'resourceGroups',
      resourceGroup,
      'providers',
      'Microsoft.Storage',
      'storageAccounts',
      account,
    ];
    const url = new URL(path.map(encodeURIComponent).join('/') + more, this.#cloud.resourceManager);
    for (const [name, value] of Object.entries({ 'api-version': MANAGER_VERSION, ...query }))
      url.searchParams.set(name, value);
    const token = await this.#tokens.get(this.#cloud, this.#cloud.audience);
    const body = method === 'POST' ? { body: Buffer.alloc(0) } : {};
    const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
    const reply = await this.#plain.send({ method, url, headers, ...body });
    if (reply.status === 200) return parseJson(reply.body);
    const code = textOf(fieldOf(parseJson(reply.body), 'error'), 'code')?.slice(0, 100) ?? '';
    const text = `the resource manager did not tell of the storage account ${account}: HTTP ${reply.status} ${code}`;
    if (reply.status === 404) throw new BackendFault('missing', text.trim());
    const isDenied = reply.status === 401 || reply.status === 403;
    throw new BackendFault(
      isDenied ? 'denied' : reply.status >= 500 ? 'unreachable' : 'other',
      text.trim(),
      isDenied
        ? 'The identity needs Microsoft.Storage/storageAccounts/listKeys/action, or set use_azuread_auth.'
        : '',
    );
  }
}

async function described(host: string, plain: Plain): Promise<Cloud> {
  const url = new URL(`https://${host}/metadata/endpoints`);
  url.searchParams.set('api-version', METADATA_VERSION);
  const reply = await plain.send({ method: 'GET', url, headers: { Accept: 'application/json' } });
  const answer = parseJson(reply.body);
  const authentication = fieldOf(answer, 'authentication');
  const login = textOf(authentication, 'loginEndpoint');
  const manager = textOf(answer, 'resourceManager');
  const [audience] = listOf(authentication, 'audiences');
  const storageSuffix = textOf(fieldOf(answer, 'suffixes'), 'storage');
  if (reply.status !== 200 || storageSuffix === null || !isUrl(login) || !isUrl(manager)) {
    const message = `${host} does not describe a cloud of Azure: HTTP ${reply.status}`;
    throw new BackendFault('configuration', message, 'Check metadata_host (ARM_METADATA_HOSTNAME).');
  }
  return {
    login: withSlash(login),
    resourceManager: withSlash(manager),
    audience: typeof audience === 'string' ? audience : manager,
    storageSuffix,
    house: textOf(answer, 'name') === HOUSE_NAME ? url.origin : null,
  };
}

function isUrl(text: string | null): text is string {
  return text !== null && URL.canParse(text);
}

function withSlash(text: string): URL {
  return new URL(text.endsWith('/') ? text : `${text}/`);
}
