import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import type { Milliseconds } from '../../core/instant.ts';
import {
  AgentUnknown,
  JobLost,
  TokenRefused,
  type JobLink,
  type JobServer,
} from '../../runs/agents/job-server.ts';
import {
  AGENTS_PREFIX,
  JOB,
  LOG_SIZE,
  REGISTERED,
  SIGNAL,
  TAKEN_OVER,
  VARIABLES_TOLD,
  type AboutAgent,
  type Job,
  type Registered,
} from '../../runs/agents/wire.ts';
import type { Connection } from '../server/connection.ts';

/** Longer than it was asked to wait, by this, no server is silent that can be reached. */
const SILENCE: Milliseconds = 10_000;
const NO_CONTENT = 204;
const [UNAUTHORIZED, NOT_FOUND, GONE] = [401, 404, 410];

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body?: Uint8Array;
  readonly wait?: Milliseconds;
  readonly signal?: AbortSignal;
}

/** A server that an agent asks over HTTP: every connection goes out from the agent. */
export class JobClient implements JobServer {
  readonly #connection: Connection;
  readonly #token: string;

  /** @param token of a pool */
  constructor(connection: Connection, token: string) {
    this.#connection = connection;
    this.#token = token;
  }

  async register(about: AboutAgent, signal: AbortSignal): Promise<Registered> {
    const answer = await this.#ask({
      method: 'POST',
      path: '',
      token: this.#token,
      body: jsonOf(about),
      signal,
    });
    return read(REGISTERED, await this.#settled(answer));
  }

  async leave(agent: string): Promise<void> {
    const answer = await this.#ask({ method: 'DELETE', path: `/${agent}`, token: this.#token });
    await this.#settled(answer);
  }

  async next(agent: string, wait: Milliseconds, signal: AbortSignal): Promise<Job | null> {
    const path = `/${agent}/next?wait=${Math.round(wait)}`;
    const answer = await this.#ask({ method: 'POST', path, token: this.#token, wait, signal });
    if (answer.statusCode === NOT_FOUND) throw new AgentUnknown('the server has forgotten the agent');
    const body = await this.#settled(answer);
    return answer.statusCode === NO_CONTENT ? null : read(JOB, body);
  }

  job(job: Job): JobLink {
    const { run, secret: token } = job;
    const at = `/jobs/${run.id}`;
    const asked = async (asking: Omit<Asked, 'token'>): Promise<IncomingMessage> => {
      const answer = await this.#ask({ ...asking, token });
      const { statusCode = 0 } = answer;
      if (statusCode !== GONE && statusCode !== UNAUTHORIZED) return answer;
      answer.resume();
      throw new JobLost();
    };
    const said = async (method: string, name: string, body?: Uint8Array, wait = 0): Promise<Buffer> =>
      this.#settled(
        await asked({ method, path: `${at}/${name}`, wait, ...(body === undefined ? {} : { body }) }),
      );
    const kept = async (name: string): Promise<IncomingMessage | null> => {
      const answer = await asked({ method: 'GET', path: `${at}/${name}` });
      if (answer.statusCode === 200) return answer;
      if (answer.statusCode !== NOT_FOUND) await this.#settled(answer);
      answer.resume();
      return null;
    };
    return {
      archive: async () => kept('configuration'),
      variables: async () => read(VARIABLES_TOLD, await said('GET', 'variables')),
      part: async (part) => {
        const answer = await kept(`parts/${part}`);
        return answer === null ? null : buffer(answer);
      },
      putPart: async (part, bytes) => void (await said('PUT', `parts/${part}`, bytes)),
      log: async (offset, bytes) => read(LOG_SIZE, await said('POST', `log?offset=${offset}`, bytes)).size,
      beat: async (wait) =>
        read(SIGNAL, await said('POST', `beat?wait=${Math.round(wait)}`, undefined, wait)).signal,
      end: async (result) => void (await said('POST', 'end', jsonOf(result))),
      handBack: async () => void (await said('POST', 'hand-back')),
      takeOver: async () => ({ ...job, ...read(TAKEN_OVER, await said('POST', 'take-over')) }),
    };
  }

  /** The body of an answer that is a good one. @throws Error for any other, with what the server says */
  async #settled(answer: IncomingMessage): Promise<Buffer> {
    const body = await buffer(answer);
    const { statusCode = 0 } = answer;
    if (statusCode >= 200 && statusCode < 300) return body;
    if (statusCode === UNAUTHORIZED) throw new TokenRefused();
    throw new Error(`the server answers ${statusCode}: ${body.toString().slice(0, 200).trim()}`);
  }

  #ask({ method, path, token, body, wait = 0, signal }: Asked): Promise<IncomingMessage> {
    const { url, ca, insecure } = this.#connection;
    const target = new URL(`${url}${AGENTS_PREFIX}${path}`);
    const secure = target.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? requestSecure : requestPlain)(
        target,
        {
          method,
          headers: {
            'user-agent': 'statehouse-agent',
            authorization: `Bearer ${token}`,
            'content-length': String(body?.length ?? 0),
          },
          ...(signal === undefined ? {} : { signal }),
          ...(secure ? { rejectUnauthorized: !insecure } : {}),
          ...(ca === null ? {} : { ca: ca.pem }),
        },
        resolve,
      );
      request.setTimeout(wait + SILENCE, () => request.destroy(new Error('the server does not answer')));
      request.once('error', reject);
      request.end(body);
    });
  }
}

function jsonOf(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function read<T>(schema: z.ZodType<T>, body: Buffer): T {
  return schema.parse(JSON.parse(body.toString()));
}
