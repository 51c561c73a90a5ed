import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { askSigned } from '../support/ask-signed.ts';
import { sampleState } from '../support/sample-state.ts';
import { LATE_MS, slowestAnswer } from '../support/slowest-answer.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

const TRIES = 3;

// What a listing may cost everybody else where there are many states, on the engine that a server has by default.

const STATES = 10_000;
const PROJECTS = 200;
const AT_A_TIME = 500;

let directory: string;
let house: TestHouse;
let stranger: Pair;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-many-'));
  house = await TestHouse.open({ store: { kind: 'directory', path: join(directory, 'data') } });
  stranger = await house.credential('stranger', [{ role: 'reader', pattern: 'many/none*@*' }]);
  const body = Buffer.from(sampleState(1));
  for (let at = 0; at < STATES; at += AT_A_TIME) {
    await Promise.all(
      Array.from({ length: AT_A_TIME }, (_, offset) => {
        const number = at + offset;
        const project = number < PROJECTS ? `project-${number}` : 'many';
        const workspace = number % 2 === 0 ? 'default' : 'dev';
        const address = { project, key: `team-${number % 100}/state-${number}`, workspace };
        return house.house.states.write(ADMIN_CALLER, address, streamOf(body), {
          claim: { kind: 'none' },
          contentLength: body.length,
        });
      }),
    );
  }
}, 120_000);

afterAll(async () => {
  await house.close();
  await rm(directory, { recursive: true, force: true });
});

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const api =
  (target: string, as = (): Pair => TEST_ADMIN) =>
  async (): Promise<number> =>
    (await house.ask('GET', `/api/v1${target}`, { as: as() })).status;
const s3 =
  (path: string, query: readonly (readonly [string, string])[], as = (): Pair => TEST_ADMIN) =>
  async (): Promise<number> =>
    (await askSigned(house.url, { method: 'GET', path, service: 's3', query }, as())).status;

describe(`while ${STATES} states are listed, others are answered`, () => {
  it.each<readonly [string, () => Promise<number>]>([
    ['a page of the API', api('/states?limit=500')],
    ['a search that finds nothing', api('/states?search=nothing-of-the-kind')],
    ['for one who may see none of them', api('/states?limit=500', () => stranger)],
    ['the locks of them all', api('/locks?limit=500')],
    ['objects', s3('/many', [['list-type', '2']])],
    [
      'objects, by their folders',
      s3('/many', [
        ['list-type', '2'],
        ['delimiter', '/'],
      ]),
    ],
    [
      'workspaces',
      s3('/many', [
        ['list-type', '2'],
        ['prefix', 'env:/'],
      ]),
    ],
    ['objects, for one who may see none of them', s3('/many', [], () => stranger)],
    ['versions', s3('/many', [['versions', '']])],
    ['buckets', s3('/', [])],
  ])('%s', async (_, list) => {
    // What the machine does besides may keep an answer waiting once; what the listing does keeps it waiting every time.
    const waits: number[] = [];
    while (waits.length < TRIES && !waits.some((wait) => wait < LATE_MS)) {
      waits.push(await slowestAnswer(house.url, async () => expect(await list()).toBe(200)));
    }
    expect(Math.min(...waits)).toBeLessThan(LATE_MS);
  });
});

const PARTS = 10_000;
/** All of them are read by some at a time, so nobody waits for all. */
const PARTS_LATE_MS = LATE_MS / 2;

describe(`while an upload of ${PARTS} parts is looked at, others are answered`, () => {
  const path = '/many/parts.tfstate';

  async function begun(): Promise<string> {
    const query = [['uploads', '']] as const;
    const reply = await askSigned(house.url, { method: 'POST', path, service: 's3', query }, TEST_ADMIN);
    const id = /<UploadId>([^<]+)</.exec(reply.text)?.[1] ?? '';
    for (let from = 1; from <= PARTS; from += AT_A_TIME) {
      await house.engine.apply(
        Array.from({ length: AT_A_TIME }, (_, at) => {
          const attributes = { number: from + at, size: 10, md5: 'a', sha256: 'a', at: 1 };
          const entry = { kind: `upload ${id}`, name: String(from + at), attributes };
          return { type: 'put-entry', entry, note: null } as const;
        }),
      );
    }
    return id;
  }

  const list = Array.from({ length: PARTS }, (_, at) => [at + 1, at + 1 === PARTS ? 'b' : 'a'] as const).map(
    ([number, tag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${tag}</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;

  it.each<readonly [string, number, (id: string) => Parameters<typeof askSigned>[1]]>([
    ['listed', 200, (id) => ({ method: 'GET', path, service: 's3', query: [['uploadId', id]] })],
    // The last part is another than is kept.
    ['completed', 400, (id) => ({ method: 'POST', path, service: 's3', query: [['uploadId', id]], body })],
    ['aborted', 204, (id) => ({ method: 'DELETE', path, service: 's3', query: [['uploadId', id]] })],
  ])('%s', async (_, status, request) => {
    const waits: number[] = [];
    while (waits.length < TRIES && !waits.some((wait) => wait < PARTS_LATE_MS)) {
      const id = await begun();
      waits.push(
        await slowestAnswer(house.url, async () => {
          expect((await askSigned(house.url, request(id), TEST_ADMIN)).status).toBe(status);
        }),
      );
    }
    expect(Math.min(...waits)).toBeLessThan(PARTS_LATE_MS);
  });
});
