import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExploredCsv } from '../../src/server/api/explored-csv.ts';
import { callApi, called, FOR_THE_PAGE, type ApiAnswer } from './api-client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { sampleLock } from '../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

let house: TestHouse;
let writer: Pair;

beforeAll(async () => {
  house = await TestHouse.open();
  writer = await house.credential('writer', [{ role: 'writer', pattern: 'acme/*' }]);
});
afterAll(async () => {
  await house.close();
  expect([...called].filter((name) => FOR_THE_PAGE.includes(name)).sort()).toEqual(FOR_THE_PAGE);
});

const get = async (path: string, as?: Pair): Promise<object> => {
  const { status, json } = await callApi(
    house,
    `GET ${path as `/${string}`}`,
    as === undefined ? {} : { as },
  );
  return { status, ...json };
};

function stateOf(serial: number, names: readonly string[], size: string): string {
  const resources = names.map((name) => ({
    mode: 'managed',
    type: 'terraform_data',
    name,
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [{ schema_version: 0, attributes: { id: name, input: size } }],
  }));
  const outputs = { size: { value: size, type: 'string' } };
  return JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial,
    lineage: 'l',
    outputs,
    resources,
  });
}

describe('what each version changed', () => {
  it('is counted against the one before it that is kept', async () => {
    const write = (serial: number, names: readonly string[], size: string): Promise<unknown> =>
      house.ask('POST', '/http/acme/net', { as: writer, body: stateOf(serial, names, size) });
    await write(1, ['a', 'b'], 's');
    await write(2, ['a', 'b', 'c'], 's');
    await write(3, ['a', 'c'], 'l');
    const counts = { outputs: 0, changed: 0, removed: 0 };
    const all = [
      { version: 3, before: 2, counts: { added: 0, changed: 2, removed: 1, outputs: 1, instances: 2 } },
      { version: 2, before: 1, counts: { ...counts, added: 1, instances: 3 } },
      { version: 1, before: null, counts: { ...counts, added: 2, outputs: 1, instances: 2 } },
    ].map((change) => ({ ...change, problem: null }));
    expect(await get('/state/changes?address=acme/net', writer)).toEqual({ status: 200, changes: all });
    // What was counted once is told by its digests.
    expect(await get('/state/changes?address=acme/net&before=3&limit=1', writer)).toMatchObject({
      changes: [all[1]],
    });
    expect(await get('/state/changes?address=acme/net&limit=21')).toMatchObject({ status: 400 });
  });

  it('says why where contents cannot be compared', async () => {
    const sealed = { encrypted_data: 'x', encryption_version: 'v0', meta: {}, serial: 1, lineage: 'l' };
    await house.ask('POST', '/http/acme/sealed', { as: writer, body: JSON.stringify(sealed) });
    expect(await get('/state/changes?address=acme/sealed')).toMatchObject({
      changes: [{ version: 1, counts: null, problem: 'encrypted' }],
    });
  });
});

describe('how long a lock was held', () => {
  it('is told of the last times, and whether somebody else ended it', async () => {
    for (const id of ['one', 'two', 'three'])
      for (const method of ['LOCK', 'UNLOCK'])
        await house.ask(method, '/http/acme/held', {
          body: sampleLock(id),
          as: method === 'UNLOCK' && id === 'two' ? TEST_ADMIN : writer,
        });
    await house.ask('LOCK', '/http/acme/held', { body: sampleLock('four'), as: writer });
    const hold = { heldMs: expect.any(Number) as number, operation: 'OperationTypeApply', shared: false };
    expect(await get('/state/holds?address=acme/held', writer)).toMatchObject({
      holds: [
        { ...hold, broken: false },
        { ...hold, broken: true },
        { ...hold, broken: false },
      ],
    });
  });
});

describe('what is in states', () => {
  it('is found, as far as the caller may read it, and the index is made anew on demand', async () => {
    await house.ask('POST', '/http/acme/found', { as: writer, body: stateOf(1, ['needle'], 'hay') });
    const find = (as?: Pair): Promise<object> => get('/explore?type=terraform_data&value=needle', as);
    await eventually('it is found', async () => JSON.stringify(await find()).includes('acme/found'));
    expect(await find(writer)).toMatchObject({
      states: [
        {
          address: 'acme/found',
          matches: 1,
          resources: [{ address: 'terraform_data.needle', values: [{ path: 'id', value: 'needle' }, {}] }],
        },
      ],
      next: null,
    });
    const other = await house.credential('other', [{ role: 'reader', pattern: 'beta/*' }]);
    expect(await find(other)).toMatchObject({ status: 200, states: [] });
    expect(await get('/explore?cursor=AAAA')).toMatchObject({ status: 400 });
    expect(await get('/numbers?project=acme', writer)).toMatchObject({
      busiest: expect.any(Array) as unknown[],
    });
    expect(await get('/graph?address=acme/found', writer)).toMatchObject({ edges: [], cut: false });
    expect((await callApi(house, 'POST /reindex')).json).toEqual({ reindexing: true });
  });

  it('comes as CSV, in which a spreadsheet runs nothing', async () => {
    const evil = stateOf(1, ['thread'], 'hay').replace('1.11.4', '=HYPERLINK(0)');
    await house.ask('POST', '/http/acme/evil', { as: writer, body: evil });
    const read = (path: `/${string}`, as: Pair): Promise<ApiAnswer> => callApi(house, `GET ${path}`, { as });
    await eventually('it is found', async () =>
      (await read('/explore/csv?text=thread', writer)).text.includes('acme/evil'),
    );
    const { headers, text } = await read('/explore/csv?text=thread', writer);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="explore.csv"',
    });
    const [head, line, ...rest] = text.split('\r\n');
    expect(head).toBe('state,version,written,writer,terraform,resource,type,provider,values');
    expect(line).toMatch(/^acme\/evil,1,[^,]+,token:writer,'=HYPERLINK\(0\),terraform_data.thread,/);
    expect(rest).toEqual(['']);
    const stranger = await house.credential('stranger', [{ role: 'reader', pattern: 'beta/*' }]);
    expect((await read('/explore/csv?text=thread', stranger)).text).toBe(`${head}\r\n`);
  });

  it('comes as CSV to a few at a time, and to the others when those are done', async () => {
    const csv = new ExploredCsv(house.house);
    const [one, two] = [await csv.begin(ADMIN_CALLER, {}), await csv.begin(ADMIN_CALLER, {})];
    expect([one.type, two.type]).toEqual(['lines', 'lines']);
    expect(await csv.begin(ADMIN_CALLER, {})).toEqual({ type: 'busy' });
    if (one.type === 'lines') one.end();
    const third = await csv.begin(ADMIN_CALLER, {});
    if (third.type === 'lines') for await (const _lines of third.lines);
    expect((await csv.begin(ADMIN_CALLER, {})).type).toBe('lines');
  });
});

describe('a session', () => {
  it('is begun, shown and ended in the shapes that the document says', async () => {
    const credential = `${writer.id}.${writer.secret}`;
    const begun = await callApi(house, 'POST /session', { as: null, body: { credential } });
    const cookie = begun.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const shown = await callApi(house, 'GET /session', { as: null, headers });
    expect(shown.json).toMatchObject({
      credential: writer.id,
      session: { since: begun.json['session']?.['since'] },
    });
    expect((await callApi(house, 'DELETE /session', { as: null, headers })).json).toEqual({ ended: true });
    expect((await callApi(house, 'POST /session', { as: null, body: {} })).status).toBe(401);
  });
});

describe('the way in', () => {
  it('is a block for each backend, for the address by which the server was reached', async () => {
    const { blocks } = (await get('/state/blocks?address=acme/new@dev', writer)) as {
      blocks: { backend: string; block: string }[];
    };
    expect(blocks.map(({ backend }) => backend)).toEqual([
      'http',
      's3',
      'gcs',
      'azurerm',
      'consul',
      'cloud',
      'remote',
    ]);
    expect(blocks[0]?.block).toContain(`${house.url}/http/acme/new?workspace=dev`);
  });

  it('has nothing of a host name that is none', async () => {
    const headers = { 'x-forwarded-host': 'x" } resource "evil" {' };
    const answer = await house.ask('GET', '/api/v1/state/blocks?address=acme/a', { headers });
    expect(answer.text).not.toContain('evil');
  });
});

describe('who may what', () => {
  it('is told by the grants, of oneself to anybody and of others to an admin', async () => {
    const own = await get('/rights?address=acme/net', writer);
    const by = [{ role: 'writer', pattern: 'acme/*' }];
    expect(own).toMatchObject({ rights: [{ credential: writer.id, subject: 'token:writer', by }] });
    expect(JSON.stringify(own)).not.toContain('force-unlock');
    expect(await get('/rights?address=beta/net', writer)).toMatchObject({
      rights: [{ actions: [], by: [] }],
    });
    const other = await get(`/rights?address=acme/net&credential=${writer.id}`);
    expect(other).toMatchObject({ rights: [{ by }] });
    expect(await get('/rights?address=acme/net&credential=NOBODY')).toMatchObject({ status: 404 });
    const all = (await get('/rights?address=acme/net&all=true')) as { rights: { subject: string }[] };
    expect(all.rights.map(({ subject }) => subject)).toContain('token:writer');
    const forbidden = await get(`/rights?address=acme/net&credential=${writer.id}`, writer);
    expect(forbidden).toMatchObject({ status: 403 });
  });

  it('shows when a credential was last used, and how the server is', async () => {
    const { credentials } = (await get('/credentials')) as {
      credentials: { id: string; lastUsed: { door: string; peer: string } | null }[];
    };
    const used = credentials.find(({ id }) => id === writer.id)?.lastUsed;
    expect(used).toMatchObject({ peer: expect.stringMatching(/^127\./) as string });
    expect(await get('/house')).toMatchObject({
      status: 200,
      stored: { states: expect.any(Number) as number },
      backup: { last: null },
      nodes: [{ self: true }],
      reencrypting: false,
    });
  });
});
