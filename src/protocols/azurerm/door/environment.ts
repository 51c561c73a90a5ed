import { z } from 'zod';
import type { Identity } from '../../../core/grant.ts';
import type { House } from '../../../house/house.ts';
import { sourceOf } from '../../caller.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { presentedBy } from '../../wire/authorization.ts';
import { readBody } from '../../wire/read-body.ts';
import { AZURE_PREFIX, BLOB_LABEL, METADATA_PATH } from '../layout.ts';
import { jsonReply } from './call.ts';
import { originOf } from './origin.ts';

/**
 * The one tenant. Its name tells Microsoft's libraries that this is no directory of Entra ID, which they would otherwise look for at
 * Microsoft first (microsoft-authentication-library-for-go, `authority.NewInfoFromAuthorityURI`).
 */
const TENANT = 'adfs';
export const TENANT_PREFIX: string = `/${TENANT}/`;
/** Where the resource manager is asked. No account can have this name. */
const MANAGER_PREFIX: string = `${AZURE_PREFIX}resource-manager/`;

/** How long a token is said to last: it is `ID.SECRET`, and good for as long as that is. */
const TOKEN_SECONDS = 3_600;
const FORM_BYTES_MAX: number = 16 * 1024;
const ACCOUNT_PATH =
  /^subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.storage\/storageaccounts\/([^/]+?)(\/listkeys)?$/i;

const NO_ASSERTIONS =
  'federated tokens and certificates (client_assertion) are not supported here: this server trusts no other issuer. Leave use_oidc and client_certificate_path out, and set client_id and client_secret to the id and the secret of a Statehouse credential, which a pipeline keeps among its secrets';

const FORM = z.object({
  grant_type: z.literal('client_credentials'),
  client_id: z.string(),
  client_secret: z.string(),
});

/** Whether a path is one of what stands around the blobs. */
export function isEnvironmentPath(path: string): boolean {
  return path === METADATA_PATH || path.startsWith(TENANT_PREFIX) || path.startsWith(MANAGER_PREFIX);
}

/** Azure around the blobs: where everything is, the token endpoint, and what the backend asks the resource manager. */
export class Environment {
  readonly #house: House;
  readonly #door: { readonly name: string };

  constructor(house: House, door: { readonly name: string }) {
    this.#house = house;
    this.#door = door;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const { path, method } = request;
    if (path === METADATA_PATH)
      return jsonReply('GetEndpoints', endpointsAt(originOf(request), request.header('host') ?? 'localhost'));
    if (path.startsWith(TENANT_PREFIX)) return this.#tenant(request, path.slice(TENANT_PREFIX.length));
    const [, , , account, keys] = ACCOUNT_PATH.exec(path.slice(MANAGER_PREFIX.length)) ?? [];
    if (account === undefined || (keys === undefined ? method !== 'GET' : method !== 'POST'))
      return managerError('unknown', 404, 'InvalidResourceType', `${method} ${path} is not supported here`);
    return this.#account(request, account.toLowerCase(), keys !== undefined);
  }

  async #tenant(request: DoorRequest, rest: string): Promise<DoorReply> {
    if (rest === '.well-known/openid-configuration' || rest === 'v2.0/.well-known/openid-configuration') {
      const base = `${originOf(request)}${TENANT_PREFIX}`;
      return jsonReply('GetOpenIdConfiguration', {
        issuer: `${base.slice(0, -1)}`,
        authorization_endpoint: `${base}oauth2/authorize`,
        token_endpoint: `${base}oauth2/token`,
        jwks_uri: `${base}discovery/keys`,
        response_types_supported: ['code', 'token'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    }
    // No token here is signed.
    if (rest === 'discovery/keys') return jsonReply('GetKeys', { keys: [] });
    if (request.method === 'POST' && /^oauth2\/(?:v2\.0\/)?token$/.test(rest)) return this.#token(request);
    return tokenError(404, 'invalid_request', `${request.method} of this path is not supported here`);
  }

  /** A client's ID and secret are a credential's, and its token is both of them. */
  async #token(request: DoorRequest): Promise<DoorReply> {
    const bytes = await readBody(request, FORM_BYTES_MAX);
    const fields = new URLSearchParams(bytes?.toString('utf8') ?? '');
    if (fields.has('client_assertion')) return tokenError(400, 'unauthorized_client', NO_ASSERTIONS);
    const form = FORM.safeParse(Object.fromEntries(fields));
    if (!form.success)
      return tokenError(
        400,
        'invalid_request',
        'expected grant_type=client_credentials with client_id and client_secret',
      );
    const { client_id: user, client_secret: password } = form.data;
    const source = sourceOf(this.#door, request);
    const identity = await this.#house.identity.authenticate({ kind: 'basic', user, password }, source);
    if (identity === null)
      return {
        ...tokenError(
          401,
          'invalid_client',
          'the client ID or secret is wrong: set client_id and client_secret to the id and the secret of a Statehouse credential',
        ),
        stranger: true,
      };
    const wait = request.admit(identity.subject);
    if (wait !== null) return tokenError(429, 'temporarily_unavailable', `try again in ${wait} s`);
    return jsonReply('GetToken', {
      token_type: 'Bearer',
      expires_in: TOKEN_SECONDS,
      ext_expires_in: TOKEN_SECONDS,
      access_token: `${user}.${password}`,
    });
  }

  async #account(request: DoorRequest, account: string, wantsKeys: boolean): Promise<DoorReply> {
    const operation = wantsKeys ? 'ListAccountKeys' : 'GetStorageAccount';
    const presented = presentedBy(request);
    const source = sourceOf(this.#door, request);
    const identity = await this.#house.identity.authenticate(presented, source);
    if (identity === null)
      return {
        ...managerError(
          operation,
          401,
          'InvalidAuthenticationToken',
          'the token is missing or invalid: set client_id and client_secret to the id and the secret of a Statehouse credential',
        ),
        stranger: true,
      };
    const wait = request.admit(identity.subject);
    if (wait !== null)
      return managerError(operation, 429, 'TooManyRequests', `too many requests: try again in ${wait} s`);
    const shut = this.#house.gate.known(identity);
    if (shut !== null)
      return managerError(
        operation,
        403,
        'AuthorizationFailed',
        `the credential is ${shut.type}: use a valid one`,
      );
    if (!wantsKeys) return jsonReply(operation, describeAccount(request, account));
    const secret = presented?.kind === 'bearer' ? presented.token.split('.')[1] : undefined;
    if (secret === undefined || account !== nameOf(identity))
      return managerError(
        operation,
        403,
        'AuthorizationFailed',
        `the keys of the account "${account}" are not yours: set storage_account_name to the id of the credential in lower case, or use_azuread_auth = true`,
      );
    const key = { value: secret, permissions: 'FULL' };
    return jsonReply(operation, { keys: [{ keyName: 'key1', ...key }] });
  }
}

/** The account that is named after a credential. */
function nameOf({ credentialId }: Identity): string {
  return credentialId?.toLowerCase() ?? '';
}

/** As `https://management.azure.com/metadata/endpoints` tells of Azure itself. */
function endpointsAt(origin: string, host: string): object {
  return {
    name: 'Statehouse',
    portal: origin,
    authentication: {
      loginEndpoint: origin,
      audiences: [origin],
      tenant: TENANT,
      identityProvider: 'ADFS',
    },
    resourceManager: `${origin}${MANAGER_PREFIX.slice(0, -1)}`,
    microsoftGraphResourceId: origin,
    graph: origin,
    graphAudience: origin,
    suffixes: { storage: host },
  };
}

/** A storage account as the resource manager describes it: its blobs are at a path, which needs no name of its own. */
function describeAccount(request: DoorRequest, name: string): object {
  return {
    id: request.path.slice(MANAGER_PREFIX.length - 1),
    name,
    type: 'Microsoft.Storage/storageAccounts',
    location: 'statehouse',
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS', tier: 'Standard' },
    properties: {
      provisioningState: 'Succeeded',
      accessTier: 'Hot',
      supportsHttpsTrafficOnly: true,
      allowBlobPublicAccess: false,
      primaryLocation: 'statehouse',
      statusOfPrimary: 'available',
      primaryEndpoints: { [BLOB_LABEL]: `${originOf(request)}${AZURE_PREFIX}${name}/` },
    },
  };
}

function tokenError(status: number, error: string, description: string): DoorReply {
  return jsonReply('GetToken', { error, error_description: description }, status);
}

function managerError(operation: string, status: number, code: string, message: string): DoorReply {
  return jsonReply(operation, { error: { code, message } }, status);
}
