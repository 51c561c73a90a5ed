import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BackendFault } from '../../../ports/state-client.ts';
import type { Reply } from '../../exchange.ts';
import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';
import type { Cloud } from './cloud.ts';
import type { Identity, Oidc } from './config.ts';
import type { Plain } from './plain.ts';

/** An access token, and when it ends, in milliseconds of the clock. */
interface Token {
  readonly token: string;
  readonly endsAt: number;
}

/** A token is not used in its last minute. */
const MARGIN_MS = 60_000;
/** Where nothing tells how long a token lives. */
const TOKEN_SECONDS = 600;
const CLI_MS_MAX = 60_000;
/** What a token of a pipeline is for (Azure, "Workload identity federation"). */
const EXCHANGE_AUDIENCE = 'api://AzureADTokenExchange';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const CHECK =
  'Check the Azure credentials: ARM_CLIENT_ID, ARM_TENANT_ID, and ARM_CLIENT_SECRET, ARM_USE_OIDC or ARM_USE_MSI, or run "az login".';

/** The access tokens of an identity, for Azure's storage and its resource manager. */
export class Tokens {
  readonly #identity: Identity;
  readonly #plain: Plain;
  readonly #known = new Map<string, Promise<Token>>();

  constructor(identity: Identity, plain: Plain) {
    this.#identity = identity;
    this.#plain = plain;
  }

  /** @param resource what the token is for: a URL. @throws BackendFault when there is none to be had */
  async get(cloud: Cloud, resource: string): Promise<string> {
    const known = this.#known.get(resource);
    const found = known === undefined ? null : await known.catch(() => null);
    if (found !== null && found.endsAt - MARGIN_MS > Date.now()) return found.token;
    const asked = this.#fetch(cloud, resource);
    this.#known.set(resource, asked);
    return (await asked).token;
  }

  /** The server did not take the token: the next one is asked for anew. */
  renew(): void {
    this.#known.clear();
  }

  #fetch(cloud: Cloud, resource: string): Promise<Token> {
    const { tenant, client, certificate, secret, oidc, msi, cli } = this.#identity;
    if (tenant !== null && client !== null) {
      if (certificate) {
        throw new BackendFault(
          'configuration',
          'the azurerm backend names a client certificate, which is not supported here',
          'Set ARM_ACCESS_KEY, ARM_SAS_TOKEN or ARM_CLIENT_SECRET, or use OIDC, a managed identity or "az login".',
        );
      }
      const who = { tenant, client };
      if (secret !== null) return this.#login(cloud, resource, who, { client_secret: secret });
      if (oidc !== null && (oidc.token !== null || oidc.request !== null))
        return this.#federated(cloud, resource, who, oidc);
    }
    if (msi !== null) return this.#managed(resource, msi, client);
    if (cli) return fromCli(resource, tenant);
    throw new BackendFault('denied', 'there are no Azure credentials', CHECK);
  }

  async #federated(
    cloud: Cloud,
    resource: string,
    who: { readonly tenant: string; readonly client: string },
    oidc: Oidc,
  ): Promise<Token> {
    const assertion = oidc.token ?? (await this.#ofPipeline(oidc));
    return this.#login(cloud, resource, who, {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
    });
  }

  /** GitHub and Azure DevOps give their jobs a token when they ask for it. */
  async #ofPipeline({ request, serviceConnection }: Oidc): Promise<string> {
    if (request === null || !URL.canParse(request.url))
      throw new BackendFault('configuration', "the azurerm backend's oidc_request_url is not a URL");
    const url = new URL(request.url);
    const isAdo = serviceConnection !== null;
    if (isAdo) url.searchParams.set('serviceConnectionId', serviceConnection);
    if (isAdo) url.searchParams.set('api-version', '7.1');
    else url.searchParams.set('audience', EXCHANGE_AUDIENCE);
    const reply = await this.#plain.send({
      method: isAdo ? 'POST' : 'GET',
      url,
      headers: { Authorization: `Bearer ${request.token}`, Accept: 'application/json' },
      ...(isAdo ? { body: Buffer.from('{}'), type: 'application/json' } : {}),
    });
    const token = textOf(parseJson(reply.body), isAdo ? 'oidcToken' : 'value');
    if (reply.status !== 200 || token === null) throw refusedBy(url, reply, CHECK);
    return token;
  }

  async #login(
    cloud: Cloud,
    resource: string,
    { tenant, client }: { readonly tenant: string; readonly client: string },
    proof: Readonly<Record<string, string>>,
  ): Promise<Token> {
    const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, cloud.login);
    const scope = `${resource.replace(/\/$/, '')}/.default`;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client,
      scope,
      ...proof,
    });
    const body = Buffer.from(form.toString());
    const reply = await this.#plain.send({
      method: 'POST',
      url,
      headers: {},
      body,
      type: 'application/x-www-form-urlencoded',
    });
    return tokenIn(url, reply);
  }

  async #managed(resource: string, endpoint: string, client: string | null): Promise<Token> {
    if (!URL.canParse(endpoint))
      throw new BackendFault('configuration', "the azurerm backend's msi_endpoint is not a URL");
    const url = new URL(endpoint);
    url.searchParams.set('api-version', '2018-02-01');
    url.searchParams.set('resource', resource);
    if (client !== null) url.searchParams.set('client_id', client);
    const reply = await this.#plain.send({ method: 'GET', url, headers: { Metadata: 'true' } });
    return tokenIn(url, reply);
  }
}

/** Asks Azure's own command line, which knows who has logged in. */
async function fromCli(resource: string, tenant: string | null): Promise<Token> {
  const scope = `${resource.replace(/\/$/, '')}/.default`;
  const words = ['account', 'get-access-token', '--output', 'json', '--scope', scope];
  const all = tenant === null ? words : [...words, '--tenant', tenant];
  let said: string;
  try {
    const options = { timeout: CLI_MS_MAX, windowsHide: true, shell: process.platform === 'win32' };
    said = (await promisify(execFile)('az', all, options)).stdout;
  } catch (fault) {
    const isMissing = fault instanceof Error && 'code' in fault && fault.code === 'ENOENT';
    const message = isMissing
      ? 'there are no Azure credentials, and "az" is not installed'
      : '"az account get-access-token" gave no access token';
    throw new BackendFault('denied', message, CHECK);
  }
  const answer = parseJson(said);
  const token = textOf(answer, 'accessToken');
  if (token === null)
    throw new BackendFault('denied', '"az account get-access-token" gave no access token', CHECK);
  const ends = Number(fieldOf(answer, 'expires_on') ?? Number.NaN);
  return { token, endsAt: Number.isFinite(ends) ? ends * 1_000 : Date.now() + TOKEN_SECONDS * 1_000 };
}

function tokenIn(url: URL, reply: Reply): Token {
  const answer = parseJson(reply.body);
  const token = textOf(answer, 'access_token');
  if (reply.status !== 200 || token === null) throw refusedBy(url, reply, CHECK);
  // A managed identity tells it as a text.
  const seconds = Number(fieldOf(answer, 'expires_in') ?? Number.NaN);
  return { token, endsAt: Date.now() + (seconds > 0 ? seconds : TOKEN_SECONDS) * 1_000 };
}

/** Only the name of the error is shown: what comes with it may repeat what was sent. */
function refusedBy(url: URL, { status, body }: Reply, next: string): BackendFault {
  const error = textOf(parseJson(body), 'error');
  const name = error !== null && /^[A-Za-z_]{1,40}$/.test(error) ? `, ${error}` : '';
  return new BackendFault(
    status >= 500 || status === 429 ? 'unreachable' : 'denied',
    `${url.host} gave no access token: HTTP ${status}${name}`,
    next,
  );
}
