import type { Milliseconds } from '../../../src/core/instant.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Pair } from '../../support/test-admin.ts';
import type { Dice } from '../time/dice.ts';
import { AwsCalls } from './aws-calls.ts';
import { stateOf } from './backend.ts';
import type { Client } from './client.ts';

/** The bucket of all uploads of a simulation, so that they count for themselves. */
export const UPLOADS_PROJECT = 'uploads';

/** What somebody uploads in parts, and how far it comes. */
export interface UploadPlan {
  readonly name: string;
  readonly beginsAt: Milliseconds;
  readonly subject: number;
  /** After so many of its calls it is abandoned; Infinity where it is not. */
  readonly calls: number;
}

/**
 * Uploads a state in parts at the S3 door, as `aws s3 cp` does, and worse: a part comes twice, with other bytes, and the upload is
 * completed twice.
 */
export class Uploader {
  readonly plan: UploadPlan;
  readonly #calls: AwsCalls;
  readonly #client: Client;
  readonly #path: string;
  readonly #text: string;
  readonly #isWrong: (rule: string, what: string) => void;
  #asked = 0;

  constructor(
    plan: UploadPlan,
    parts: { client: Client; pair: Pair; dice: Dice; isWrong: (rule: string, what: string) => void },
  ) {
    this.plan = plan;
    this.#client = parts.client;
    this.#calls = new AwsCalls(parts.client, parts.pair, parts.dice);
    this.#path = `/${UPLOADS_PROJECT}/${plan.name}.tfstate`;
    this.#text = stateOf(1, `lineage-${plan.name}`, plan.name).text;
    this.#isWrong = parts.isWrong;
  }

  begin(): void {
    this.#client.time.after(this.plan.beginsAt, () => void this.#go());
  }

  async #go(): Promise<void> {
    const begun = await this.#ask('POST', 'uploads=');
    const id = /<UploadId>([^<]+)</.exec(textOf(begun))?.[1];
    if (id === undefined) return;
    const first = this.#text.slice(0, 40);
    // What was begun is begun anew: the last part of a number counts.
    await this.#ask('PUT', `partNumber=1&uploadId=${id}`, 'x'.repeat(40));
    const part = await this.#ask('PUT', `partNumber=1&uploadId=${id}`, first);
    const last = await this.#ask('PUT', `partNumber=2&uploadId=${id}`, this.#text.slice(40));
    if (part?.status !== 200 || last?.status !== 200) return;
    const etags = [part, last].map(({ headers }) => headers['etag'] ?? headers['ETag']);
    const list = etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const complete = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    const done = await this.#ask('POST', `uploadId=${id}`, complete);
    if (done?.status !== 200) return;
    const again = await this.#ask('POST', `uploadId=${id}`, complete);
    if (again !== null && again.status < 500 && textOf(again) !== textOf(done)) {
      this.#isWrong('an upload that is completed again is answered as the first time', textOf(again));
    }
    const read = await this.#ask('GET', 'x-id=GetObject');
    if (read !== null && read.status < 500 && textOf(read) !== this.#text) {
      this.#isWrong('an upload that was answered is there as it was sent', `${read.status} ${textOf(read)}`);
    }
  }

  /** @returns null also where it is abandoned by then */
  async #ask(method: string, query: string, body = ''): Promise<WireReply | null> {
    if (this.#asked >= this.plan.calls) return null;
    this.#asked += 1;
    return this.#calls.ask({ service: 's3', method, path: this.#path, query, headers: {}, body });
  }
}

function textOf(reply: WireReply | null): string {
  return reply?.status === 200 ? Buffer.from(reply.body).toString() : `${reply?.status}`;
}
