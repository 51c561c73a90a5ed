import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generate } from 'selfsigned';

/** A request as it came. */
export interface AskedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly form: Readonly<Record<string, string>>;
}

/** What stands around a storage account, as far as the azurerm backend asks: a description of the cloud, tokens, and the account's keys. */
export class AzureCloud implements AsyncDisposable {
  readonly asked: AskedRequest[] = [];
  readonly certPath: string;
  readonly #server: Server;
  readonly #folder: string;
  readonly #account: { readonly blob: string | null; readonly key: string };

  private constructor(
    server: Server,
    folder: string,
    account: { readonly blob: string | null; readonly key: string },
  ) {
    this.#server = server;
    this.#folder = folder;
    this.#account = account;
    this.certPath = join(folder, 'ca.pem');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
  }

  /** @param account where its blobs are, null for an account without any; and its key */
  static async start(account: { readonly blob: string | null; readonly key: string }): Promise<AzureCloud> {
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-cloud-'));
    const made = await generate([{ name: 'commonName', value: 'cloud.test' }], {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });
    const server = createServer({ key: made.private, cert: made.cert }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cloud = new AzureCloud(server, folder, account);
    await writeFile(cloud.certPath, made.cert);
    return cloud;
  }

  /** As `metadata_host` names it. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `https://${this.host}`);
    const body = await text(request);
    const asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      form: Object.fromEntries(new URLSearchParams(body)),
    };
    this.asked.push(asked);
    const [status, answer] = this.#decide(asked);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  #decide({ method, path, query, headers, form }: AskedRequest): readonly [number, unknown] {
    const here = `https://${this.host}/`;
    if (path === '/metadata/endpoints') {
      return [
        200,
        {
          name: 'Test',
          resourceManager: here,
          microsoftGraphResourceId: 'https://graph.test/',
          authentication: {
            loginEndpoint: here,
            audiences: [here],
            tenant: 'common',
            identityProvider: 'AAD',
          },
          suffixes: { storage: 'core.test' },
        },
      ];
    }
    if (path.endsWith('/oauth2/v2.0/token')) {
      const isKnown = form['client_secret'] === 'secret' || form['client_assertion'] === 'of the pipeline';
      if (!isKnown)
        return [401, { error: 'invalid_client', error_description: `wrong ${form['client_secret']}` }];
      return [200, { access_token: `token for ${form['scope']}`, expires_in: 3_600, token_type: 'Bearer' }];
    }
    if (path === '/pipeline') return [200, { value: 'of the pipeline' }];
    if (path === '/identity')
      return [
        200,
        { access_token: `token for ${query['resource']}.default`, expires_in: '3600', token_type: 'Bearer' },
      ];
    if (!path.includes('/storageAccounts/')) return [404, {}];
    // Go's SDK puts a second slash in between.
    if (headers.authorization?.replace('//.default', '/.default') !== `Bearer token for ${here}.default`)
      return [403, { error: { code: 'AuthorizationFailed' } }];
    if (method === 'POST' && path.endsWith('/listKeys'))
      return [200, { keys: [{ keyName: 'key1', permissions: 'Full', value: this.#account.key }] }];
    return [
      200,
      {
        kind: 'StorageV2',
        location: 'here',
        properties: { primaryEndpoints: { blob: `${this.#account.blob ?? `${here}blobs`}/` } },
      },
    ];
  }
}
