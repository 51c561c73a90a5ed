import { readFile } from 'node:fs/promises';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { Milliseconds } from '../../../core/instant.ts';

/** Where a pod finds what its service account is (kubernetes.io/docs/tasks/run-application/access-api-from-pod). */
const ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The groups of the cluster's API. */
const [CORE, BATCH] = ['api/v1', 'apis/batch/v1'];
const PATIENCE: Milliseconds = 20_000;
const [CREATED, NOT_FOUND, CONFLICT, TOO_MANY] = [201, 404, 409, 429];

/** The API server says no, and would again. */
export class KubernetesRefusal extends Error {}

const OBJECT = z.object({ metadata: z.object({ uid: z.string() }) });
const JOB = OBJECT.extend({
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() })
    .optional(),
});
const PROBLEM = z.object({ message: z.string() });

/** Where the API server is, and who asks it. */
export interface KubernetesPlace {
  readonly url: string;
  /** The directory of the service account: its token, the certificate to trust, and its namespace. */
  readonly account: string;
}

/** Where the API server is, as a pod is told. @throws Error with words for the operator outside of a pod */
export function placeOfPod(env: Readonly<Record<string, string | undefined>>): KubernetesPlace {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined)
    throw new Error('KUBERNETES_SERVICE_HOST is not set: run --kubernetes-job in a pod of a cluster');
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, account: ACCOUNT_DIRECTORY };
}

/** The few things that are asked of a cluster: Jobs of one namespace, and the Secrets that go with them. */
export class KubernetesApi {
  readonly #place: KubernetesPlace;
  readonly #ca: Buffer;
  readonly #namespace: string;

  private constructor(place: KubernetesPlace, ca: Buffer, namespace: string) {
    this.#place = place;
    this.#ca = ca;
    this.#namespace = namespace;
  }

  /** @param namespace null for that of the service account */
  static async open(place: KubernetesPlace, namespace: string | null): Promise<KubernetesApi> {
    const read = (name: string): Promise<Buffer> => readFile(join(place.account, name));
    const own = namespace ?? (await read('namespace')).toString().trim();
    return new KubernetesApi(place, await read('ca.crt'), own);
  }

  /** @returns the UID of the Job, also where it is there already, because an answer was lost */
  async createJob(name: string, manifest: object): Promise<string> {
    const answer = await this.#ask('POST', this.#jobs(), manifest);
    const body = answer.status === CONFLICT ? (await this.#ask('GET', this.#jobs(name))).body : answer.body;
    return OBJECT.parse(JSON.parse(body)).metadata.uid;
  }

  async createSecret(manifest: object): Promise<void> {
    await this.#ask('POST', `/${CORE}/namespaces/${this.#namespace}/secrets`, manifest);
  }

  /** Whether a Job is at work, has ended, or is not there any more. */
  async lookAt(name: string): Promise<'at-work' | 'ended' | 'gone'> {
    const { status, body } = await this.#ask('GET', this.#jobs(name));
    if (status === NOT_FOUND) return 'gone';
    const { conditions = [] } = JOB.parse(JSON.parse(body)).status ?? {};
    const isEnd = ({ type, status: is }: { type: string; status: string }): boolean =>
      is === 'True' && (type === 'Complete' || type === 'Failed');
    return conditions.some(isEnd) ? 'ended' : 'at-work';
  }

  /** Removes a Job, its pod, and what goes with it. */
  async deleteJob(name: string): Promise<void> {
    await this.#ask('DELETE', `${this.#jobs(name)}?propagationPolicy=Background`);
  }

  #jobs(name?: string): string {
    const all = `/${BATCH}/namespaces/${this.#namespace}/jobs`;
    return name === undefined ? all : `${all}/${name}`;
  }

  async #ask(
    method: string,
    path: string,
    manifest?: object,
  ): Promise<{ readonly status: number; readonly body: string }> {
    const text = manifest === undefined ? '' : JSON.stringify(manifest);
    // A cluster gives its pods another token every hour.
    const token = (await readFile(join(this.#place.account, 'token'))).toString().trim();
    const answer = await this.#send(method, path, { text, token });
    const status = answer.statusCode ?? 0;
    const body = (await buffer(answer)).toString();
    const isExpected = status === NOT_FOUND ? method !== 'POST' : status === CONFLICT && method === 'POST';
    if ((status >= 200 && status <= CREATED) || status === 202 || isExpected) return { status, body };
    const words = `the Kubernetes API server answers ${status}: ${problemIn(body)}`;
    if (status >= 400 && status < 500 && status !== TOO_MANY) throw new KubernetesRefusal(words);
    throw new Error(words);
  }

  #send(
    method: string,
    path: string,
    { text, token }: { readonly text: string; readonly token: string },
  ): Promise<IncomingMessage> {
    const target = new URL(`${this.#place.url}${path}`);
    const isSecure = target.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (isSecure ? requestSecure : requestPlain)(
        target,
        {
          method,
          headers: {
            accept: 'application/json',
            authorization: `Bearer ${token}`,
            'user-agent': 'statehouse-agent',
            ...(text === ''
              ? {}
              : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          },
          ...(isSecure ? { ca: this.#ca } : {}),
        },
        resolve,
      );
      request.setTimeout(PATIENCE, () => request.destroy(new Error('the API server does not answer')));
      request.once('error', reject);
      request.end(text);
    });
  }
}

function problemIn(body: string): string {
  try {
    const read = PROBLEM.safeParse(JSON.parse(body));
    return read.success ? read.data.message.slice(0, 500) : 'no reason is given';
  } catch {
    return 'no reason is given';
  }
}
