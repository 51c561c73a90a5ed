import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { KubernetesPlace } from '../../src/cli/agent/kubernetes/api.ts';

const TOKEN = 'service-account-token';
const JOBS = '/apis/batch/v1/namespaces/runs/jobs';
const SECRETS = '/api/v1/namespaces/runs/secrets';

/** A Job as it was created, with what its pod is told. */
export interface PlayedJob {
  readonly manifest: Manifest;
  readonly secret: Manifest;
}

/** As much of a manifest as tests look at. */
export type Manifest = { readonly [name: string]: Manifest } & {
  readonly [index: number]: Manifest;
} & string;

/** Plays the API server of a cluster, as far as Jobs and their Secrets go. What a pod does is the test's. */
export class KubernetesCluster implements AsyncDisposable {
  readonly place: KubernetesPlace;
  /** The names of the Jobs that are there. */
  readonly jobs: Map<string, Manifest> = new Map();
  /** Answers each attempt to create a Job with that, if it is not null. */
  refusal: { readonly code: number; readonly message: string } | null = null;
  /** Plays the pod of a Job. Once it resolves, the Job is complete, and failed where it rejects. */
  pod: (job: PlayedJob) => Promise<void> = () => Promise.resolve();
  readonly #server: Server;
  readonly #ended = new Map<string, 'Complete' | 'Failed'>();

  private constructor(server: Server, account: string) {
    this.#server = server;
    this.place = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, account };
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#reply(request, response);
    });
  }

  static async start(): Promise<KubernetesCluster> {
    const account = await mkdtemp(join(tmpdir(), 'statehouse-account-'));
    for (const [name, content] of [
      ['token', TOKEN],
      ['namespace', 'runs'],
      ['ca.crt', ''],
    ] as const)
      await writeFile(join(account, name), `${content}\n`);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new KubernetesCluster(server, account);
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [code, body] = await this.#answer(request);
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  async #answer(request: IncomingMessage): Promise<readonly [number, object]> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.place.url);
    const body = await text(request);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return [401, { message: 'Unauthorized' }];
    const manifest = (body === '' ? {} : JSON.parse(body)) as Manifest;
    if (request.method === 'POST' && pathname === JOBS) {
      if (this.refusal !== null) return [this.refusal.code, this.refusal];
      const name = String(manifest['metadata']?.['name']);
      this.jobs.set(name, manifest);
      return [201, { metadata: { uid: `uid-${name}` } }];
    }
    if (request.method === 'POST' && pathname === SECRETS) {
      const name = String(manifest['metadata']?.['name']);
      const job = this.jobs.get(name);
      if (job === undefined) return [422, { message: 'there is no such Job' }];
      void this.pod({ manifest: job, secret: manifest }).then(
        () => this.#ended.set(name, 'Complete'),
        () => this.#ended.set(name, 'Failed'),
      );
      return [201, { metadata: { uid: 'secret' } }];
    }
    const name = pathname.slice(JOBS.length + 1);
    if (!pathname.startsWith(`${JOBS}/`) || !this.jobs.has(name)) return [404, { message: 'not found' }];
    if (request.method === 'DELETE') {
      if (searchParams.get('propagationPolicy') === 'Background') this.jobs.delete(name);
      return [200, {}];
    }
    const end = this.#ended.get(name);
    const conditions = end === undefined ? [] : [{ type: end, status: 'True' }];
    return [200, { metadata: { uid: `uid-${name}` }, status: { conditions } }];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.place.account, { recursive: true });
  }
}
