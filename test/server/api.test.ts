import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/server/api/table.ts';
import { playedPrograms } from '../runs/played-program.ts';
import { RunningHouse, slugOf } from '../runs/running-house.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { at, callApi, called, FOR_THE_PAGE, OF_AGENTS, OF_RUN_TRIGGERS } from './api-client.ts';

const NET = 'acme/net/terraform.tfstate@dev';
const NET_HTTP = '/http/acme/net/terraform.tfstate?workspace=dev';
/** What nobody may read who is not shown it on purpose. */
const SECRET = 'correct-horse-battery-staple';

/** A state with a secret output, an instance with a password, and a number that JSON.parse would change. */
function richState(serial: number, input: string): string {
  return `{"version":4,"terraform_version":"1.11.4","serial":${serial},"lineage":"rich",
    "outputs":{
      "greeting":{"value":${JSON.stringify(input)},"type":"string"},
      "huge":{"value":12345678901234567890.10,"type":"number"},
      "key":{"value":"${SECRET}","type":"string","sensitive":true}},
    "resources":[{"module":"module.net","mode":"managed","type":"terraform_data","name":"this",
      "provider":"provider[\\"terraform.io/builtin/terraform\\"]",
      "instances":[{"index_key":"a","schema_version":0,"attributes":{
        "id":"1","input":${JSON.stringify(input)},"password":"${SECRET}-${serial}"},"sensitive_attributes":[]}]}]}`;
}

describe('the API', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await TestHouse.open();
  });
  afterEach(() => house.close());
  afterAll(() => {
    const elsewhere = [
      'events',
      'backup',
      'check',
      'follow-audit',
      ...FOR_THE_PAGE,
      ...OF_AGENTS,
      ...OF_RUN_TRIGGERS,
    ];
    expect([...called, ...elsewhere].sort()).toEqual(ROUTES.map(({ operation }) => operation).sort());
  });

  async function write(target: string, body: string): Promise<void> {
    expect((await house.ask('POST', target, { body })).status).toBe(200);
  }

  describe('lists states', () => {
    it('page by page, in order, each once', async () => {
      for (const key of ['d', 'a', 'c', 'b/x', 'b']) await write(`/http/acme/${key}`, sampleState(1));
      await write('/http/acme/a?workspace=dev', sampleState(2));
      const seen: string[] = [];
      let cursor = '';
      do {
        const page = await callApi(house, `GET /states?limit=2${cursor}`);
        seen.push(...Object.values(page.json['states'] ?? {}).map(({ address }) => String(address)));
        cursor = page.json['next'] === null ? '' : `&cursor=${String(page.json['next'])}`;
      } while (cursor !== '');
      expect(seen).toEqual(['acme/a', 'acme/a@dev', 'acme/b', 'acme/b/x', 'acme/c', 'acme/d']);
    });

    it('by project, prefix, text, lock, and deleted ones when asked', async () => {
      await write('/http/acme/net/a', sampleState(1));
      await write('/http/acme/app/b', sampleState(1));
      await write('/http/other/net/c', sampleState(1));
      await house.ask('LOCK', '/http/acme/app/b', { body: sampleLock('one') });
      await house.ask('DELETE', '/http/other/net/c');
      const found = async (query: string): Promise<unknown> => {
        const { json } = await callApi(house, `GET /states${query}`);
        return Object.values(json['states'] ?? {}).map(({ address }) => address);
      };
      expect(await found('')).toEqual(['acme/app/b', 'acme/net/a']);
      expect(await found('?project=acme')).toEqual(['acme/app/b', 'acme/net/a']);
      expect(await found('?prefix=net/')).toEqual(['acme/net/a']);
      expect(await found('?search=me/app')).toEqual(['acme/app/b']);
      expect(await found('?locked=true')).toEqual(['acme/app/b']);
      expect(await found('?deleted=true')).toEqual(['acme/app/b', 'acme/net/a', 'other/net/c']);
    });

    it('only as far as the caller may read', async () => {
      await write('/http/acme/a', sampleState(1));
      await write('/http/other/a', sampleState(1));
      const as = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
      const { json } = await callApi(house, 'GET /states', { as });
      expect(json['states']).toMatchObject([{ address: 'acme/a' }]);
      expect((await callApi(house, `GET /state${at('other/a')}`, { as })).status).toBe(403);
    });
  });

  describe('shows a state', () => {
    it('with its newest version and its lock, the serial with all its digits', async () => {
      const body = sampleState(9_007_199_254_740_993n);
      await write(NET_HTTP, body);
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
      const { json } = await callApi(house, `GET /state${at(NET)}`);
      expect(json).toMatchObject({
        address: NET,
        project: 'acme',
        key: 'net/terraform.tfstate',
        workspace: 'dev',
        deletedAt: null,
        newest: {
          version: 1,
          serial: '9007199254740993',
          lineage: 'lineage-1',
          terraformVersion: '1.11.4',
          size: body.length,
          sha256: createHash('sha256').update(body).digest('hex'),
          encrypted: false,
          door: 'http',
          subject: expect.stringContaining('token:') as string,
        },
        lock: { lockId: 'one', operation: 'OperationTypeApply', holders: 1, waiting: 0 },
      });
    });

    it('that is locked before it exists, and says of none that there is none', async () => {
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
      const { json } = await callApi(house, `GET /state${at(NET)}`);
      expect(json).toMatchObject({ newest: null, lock: { lockId: 'one' } });
      const none = await callApi(house, `GET /state${at('acme/none')}`);
      expect([none.status, none.json['error']]).toEqual([404, 'absent']);
    });
  });

  describe('gives versions', () => {
    beforeEach(async () => {
      for (const serial of [1, 2, 3]) await write(NET_HTTP, richState(serial, `said ${serial}`));
    });

    it('newest first, page by page, and each by its number', async () => {
      const first = await callApi(house, `GET /state/versions${at(NET, { limit: '2' })}`);
      expect(first.json['versions']).toMatchObject([{ version: 3 }, { version: 2, serial: '2' }]);
      const cursor = String(first.json['next']);
      const second = await callApi(house, `GET /state/versions${at(NET, { limit: '2', cursor })}`);
      expect(second.json).toMatchObject({ versions: [{ version: 1 }], next: null });
      const one = await callApi(house, `GET /state/version${at(NET, { version: '2' })}`);
      expect(one.json).toMatchObject({ version: 2, serial: '2' });
      const none = await callApi(house, `GET /state/version${at(NET, { version: '9' })}`);
      expect([none.status, none.json['message']]).toEqual([404, `there is no version 9 at ${NET}`]);
    });

    it('byte for byte, compressed if asked, and not again to who has it', async () => {
      const path = `GET /state/content${at(NET, { version: '2' })}` as const;
      const plain = await callApi(house, path);
      expect(plain.text).toBe(richState(2, 'said 2'));
      const packed = await callApi(house, path, { headers: { 'accept-encoding': 'gzip' } });
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(packed.bytes).toString()).toBe(richState(2, 'said 2'));
      const headers = { 'if-none-match': String(plain.headers['etag']) };
      const again = await callApi(house, path, { headers });
      expect([again.status, again.text]).toEqual([304, '']);
      const newest = await callApi(house, `GET /state/content${at(NET)}`);
      expect(newest.text).toBe(richState(3, 'said 3'));
    });

    it('and what is in them, with numbers as they are and secrets masked', async () => {
      const all = await callApi(house, `GET /state/snapshot${at(NET)}`);
      expect(all.json).toMatchObject({
        version: 3,
        serial: '3',
        summary: { resources: 1, instances: 1, modules: 1, outputs: 3 },
        instances: [{ address: 'module.net.terraform_data.this["a"]', attributes: null }],
      });
      expect(all.text).toContain('"value":12345678901234567890.10');
      const instance = 'module.net.terraform_data.this["a"]';
      const one = await callApi(house, `GET /state/snapshot${at(NET, { version: '1', instance })}`);
      expect(one.json['instances']).toMatchObject([
        { attributes: { input: 'said 1', password: '(sensitive value)' } },
      ]);
      expect(all.text + one.text).not.toContain(SECRET);
    });

    it('and how two of them differ, secrets masked', async () => {
      const { json, text } = await callApi(house, `GET /state/diff${at(NET, { from: '1', to: '3' })}`);
      expect(json).toMatchObject({
        from: 1,
        to: 3,
        same: false,
        serial: { before: '1', after: '3' },
        outputs: [{ path: 'greeting', before: { value: 'said 1' }, after: { value: 'said 3' } }],
        instances: [
          {
            address: 'module.net.terraform_data.this["a"]',
            kind: 'changed',
            attributes: [
              { path: 'input', before: { value: 'said 1' }, after: { value: 'said 3' } },
              {
                path: 'password',
                before: { value: '(sensitive value)', sensitive: true },
                after: { value: '(sensitive value)', sensitive: true },
              },
            ],
          },
        ],
      });
      expect(text).not.toContain(SECRET);
    });

    it('and their outputs: sensitive ones to readers, masked for whom the outputs role is enough', async () => {
      const outputs = await house.credential('outputs', [{ role: 'outputs', pattern: 'acme/*' }]);
      const masked = await callApi(house, `GET /state/outputs${at(NET)}`, { as: outputs });
      expect(masked.json['outputs']).toMatchObject([
        { name: 'greeting', value: 'said 3', sensitive: false },
        { name: 'huge' },
        { name: 'key', value: '(sensitive value)', sensitive: true },
      ]);
      expect(masked.text).not.toContain(SECRET);
      for (const path of ['', '/content', '/snapshot', '/versions', '/lock'] as const) {
        expect((await callApi(house, `GET /state${path}${at(NET)}`, { as: outputs })).status).toBe(403);
      }
      const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
      const { json } = await callApi(house, `GET /state/outputs${at(NET, { version: '2' })}`, { as: reader });
      expect(json['outputs']?.['2']).toMatchObject({ name: 'key', value: SECRET });
    });
  });

  it('says of an encrypted state that it cannot be shown, and gives its bytes', async () => {
    const sealed = '{"serial":4,"lineage":"l","meta":{},"encrypted_data":"x","encryption_version":"v0"}';
    await write(NET_HTTP, sealed);
    const shown = await callApi(house, `GET /state/snapshot${at(NET)}`);
    expect([shown.status, shown.json['error']]).toEqual([422, 'encrypted']);
    expect((await callApi(house, `GET /state/content${at(NET)}`)).text).toBe(sealed);
  });

  it('says what is wrong with a state that cannot be shown', async () => {
    await write('/http/acme/odd', '{"version":4,"serial":1,"lineage":"l","resources":[{"mode":"odd"}]}');
    const odd = await callApi(house, `GET /state/snapshot${at('acme/odd')}`);
    expect([odd.status, odd.json['error']]).toEqual([422, 'unreadable']);
    await write('/http/acme/large', sampleState(1, { size: 33 * 1024 * 1024 }));
    const large = await callApi(house, `GET /state/snapshot${at('acme/large')}`);
    expect([large.status, large.json]).toMatchObject([413, { error: 'too-large', limit: 33_554_432 }]);
  });

  it('deletes, undeletes, restores and purges', async () => {
    await write(NET_HTTP, sampleState(1, { said: 'first' }));
    await write(NET_HTTP, sampleState(2, { said: 'second' }));
    const restored = await callApi(house, `POST /state/restore${at(NET)}`, { body: { version: 1 } });
    expect(restored.json).toMatchObject({ version: 3, serial: '3', restoredFrom: 1 });
    expect((await callApi(house, `POST /state/restore${at(NET)}`, { body: { version: 8 } })).status).toBe(
      404,
    );
    expect((await callApi(house, `POST /state/undelete${at(NET)}`)).status).toBe(409);
    expect((await callApi(house, `POST /state/purge${at(NET)}`)).status).toBe(409);
    expect((await callApi(house, `DELETE /state${at(NET)}`)).json).toMatchObject({ version: 3 });
    expect((await house.ask('GET', NET_HTTP)).status).toBe(404);
    expect((await callApi(house, `POST /state/undelete${at(NET)}`)).json).toMatchObject({ version: 3 });
    expect((await house.ask('GET', NET_HTTP)).text).toBe(sampleState(3, { said: 'first' }));
    await callApi(house, `DELETE /state${at(NET)}`);
    const writer = await house.credential('writer', [{ role: 'writer', pattern: 'acme/*' }]);
    expect((await callApi(house, `POST /state/purge${at(NET)}`, { as: writer })).status).toBe(403);
    expect((await callApi(house, `POST /state/purge${at(NET)}`)).json).toEqual({ purged: NET });
    expect((await callApi(house, `GET /state/versions${at(NET)}`)).json['versions']).toEqual([]);
  });

  it('refuses to change a locked state, unless the lock is named by who holds it', async () => {
    await write(NET_HTTP, sampleState(1));
    await write(NET_HTTP, sampleState(2));
    await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
    const refused = await callApi(house, `POST /state/restore${at(NET)}`, { body: { version: 1 } });
    expect([refused.status, refused.json]).toMatchObject([423, { error: 'held', locks: ['one'] }]);
    expect((await callApi(house, `DELETE /state${at(NET)}`)).status).toBe(423);
    const body = { version: 1, lockId: 'one' };
    expect((await callApi(house, `POST /state/restore${at(NET)}`, { body })).status).toBe(200);
    expect((await callApi(house, `DELETE /state${at(NET, { lock: 'other' })}`)).status).toBe(409);
    expect((await callApi(house, `DELETE /state${at(NET, { lock: 'one' })}`)).status).toBe(200);
  });

  describe('shows locks', () => {
    it('with what their holders say of themselves, and who waits', async () => {
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
      // Who asks once and does not come back is no waiter.
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('two', 'OperationTypePlan') });
      const leaving = new AbortController();
      const parked = house
        .ask('LOCK', `${NET_HTTP}&wait=1m`, { body: sampleLock('three'), signal: leaving.signal })
        .catch(() => null);
      await expect.poll(() => house.house.parked).toBe(1);
      const { json } = await callApi(house, `GET /state/lock${at(NET)}`);
      expect(json).toMatchObject({
        address: NET,
        holders: [
          {
            lockId: 'one',
            door: 'http',
            operation: 'OperationTypeApply',
            fence: 1,
            shared: false,
            info: { ID: 'one', Who: 'alice@laptop', Version: '1.11.4' },
          },
        ],
        waiters: [{ position: 1, lockId: 'three', parked: true }],
      });
      const list = await callApi(house, 'GET /locks');
      expect(list.json).toMatchObject({ locks: [{ address: NET }], next: null });
      expect((await callApi(house, 'GET /locks?project=other')).json['locks']).toEqual([]);
      leaving.abort();
      await parked;
    });

    it('and breaks them, for an operator, by the ID that was seen', async () => {
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
      const writer = await house.credential('writer', [{ role: 'writer', pattern: 'acme/*' }]);
      const operator = await house.credential('operator', [{ role: 'operator', pattern: 'acme/*' }]);
      const breaking = `POST /state/force-unlock${at(NET)}` as const;
      const may = await callApi(house, breaking, { body: { lockId: 'one' }, as: writer });
      expect([may.status, may.json['error']]).toEqual([403, 'may-not-break']);
      const other = await callApi(house, breaking, { body: { lockId: 'x' }, as: operator });
      expect([other.status, other.json]).toMatchObject([409, { error: 'not-holder', locks: ['one'] }]);
      const done = await callApi(house, breaking, { body: { lockId: 'one' }, as: operator });
      expect(done.json).toEqual({ released: ['one'], broken: true });
      const late = await house.ask('POST', `${NET_HTTP}&ID=one`, { body: sampleState(1) });
      expect(late.status).toBe(409);
      expect((await callApi(house, breaking, { body: { lockId: 'y' }, as: operator })).status).toBe(409);
    });
  });

  describe('keeps credentials', () => {
    it('made with a secret that is told once, listed without it, and revoked', async () => {
      const grants = [{ role: 'writer', pattern: 'acme/*' }];
      const body = { name: 'ci', grants, expiresAt: '2099-01-01T00:00:00+02:00' };
      const made = await callApi(house, 'POST /credentials', { body });
      expect(made.status).toBe(201);
      expect(made.json).toMatchObject({ name: 'ci', grants, expiresAt: '2098-12-31T22:00:00.000Z' });
      const as = { id: String(made.json['id']), secret: String(made.json['secret']) };
      expect((await callApi(house, 'GET /whoami', { as })).json).toEqual({ subject: 'token:ci', grants });
      const list = await callApi(house, 'GET /credentials');
      expect(list.text).not.toContain(as.secret);
      expect(list.json['credentials']).toMatchObject([{}, { id: as.id, revokedAt: null }]);
      expect((await callApi(house, 'GET /credentials', { as })).status).toBe(403);
      const twice = await callApi(house, 'POST /credentials', { body });
      expect([twice.status, twice.json['error']]).toEqual([422, 'invalid']);
      const narrower = [{ role: 'reader', pattern: 'app/*' }];
      const changed = await callApi(house, `PATCH /credentials/${as.id}`, { body: { grants: narrower } });
      expect(changed.json).toMatchObject({ grants: narrower, revokedAt: null });
      expect((await callApi(house, `DELETE /credentials/${as.id}`)).json['revokedAt']).not.toBeNull();
      expect((await callApi(house, 'GET /whoami', { as })).status).toBe(401);
      expect((await callApi(house, 'DELETE /credentials/nobody')).status).toBe(404);
    });

    it('and lets none in that has expired, not even for what it holds', async () => {
      const expiring = await house.credential('soon', [{ role: 'admin', pattern: '*' }], Date.now() + 300);
      await house.ask('LOCK', NET_HTTP, { body: sampleLock('one'), as: expiring });
      await expect
        .poll(async () => (await callApi(house, `GET /state/lock${at(NET)}`, { as: expiring })).json['error'])
        .toBe('expired');
    });
  });

  it('sets how much history a project keeps', async () => {
    const set = await callApi(house, 'PATCH /projects/acme', { body: { keepVersions: 1 } });
    expect(set.json).toMatchObject({
      set: { keepVersions: 1, keepDays: null, minKeepDays: null },
      effective: { keepVersions: 1, minKeepDays: 7 },
    });
    const bare = await callApi(house, 'PATCH /projects/acme', { body: { minKeepDays: 0 } });
    expect(bare.json).toMatchObject({ set: { keepVersions: 1, minKeepDays: 0 } });
    for (const serial of [1, 2, 3]) await write(NET_HTTP, sampleState(serial));
    await expect
      .poll(async () => (await callApi(house, `GET /state/versions${at(NET)}`)).json['versions'])
      .toMatchObject([{ version: 3 }]);
    expect((await callApi(house, 'GET /projects')).json['projects']).toMatchObject([{ project: 'acme' }]);
    const unset = await callApi(house, 'PATCH /projects/acme', { body: { keepVersions: null } });
    expect(unset.json).toMatchObject({ effective: { keepVersions: null } });
    expect((await callApi(house, 'GET /projects/acme')).json).toEqual(unset.json);
    expect((await callApi(house, 'GET /projects/-x-')).status).toBe(400);
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    expect((await callApi(house, 'GET /projects/acme', { as: reader })).status).toBe(200);
    expect((await callApi(house, 'GET /projects/other', { as: reader })).status).toBe(403);
    expect((await callApi(house, 'PATCH /projects/acme', { body: {}, as: reader })).status).toBe(403);
  });

  it('tells what was done, of the house and of one address, page by page', async () => {
    await write(NET_HTTP, sampleState(1));
    await write('/http/other/a', sampleState(1));
    await house.ask('GET', NET_HTTP);
    const all = await callApi(house, 'GET /audit?limit=2');
    expect(all.json['records']).toMatchObject([{ action: 'read', address: NET }, { address: 'other/a' }]);
    const next = await callApi(house, `GET /audit?limit=2&cursor=${String(all.json['next'])}`);
    expect(next.json['records']?.['0']).toMatchObject({ action: 'write', address: NET });
    const writes = await callApi(house, 'GET /audit?action=write');
    expect(Object.values(writes.json['records'] ?? {})).toHaveLength(2);
    expect((await callApi(house, 'GET /audit?subject=token:nobody')).json['records']).toEqual([]);
    const since = encodeURIComponent(new Date(Date.now() + 60_000).toISOString());
    expect((await callApi(house, `GET /audit?since=${since}`)).json['records']).toEqual([]);
    expect((await callApi(house, `GET /audit?until=${since}&limit=2`)).json['records']).toHaveLength(2);
    const mistyped = await callApi(house, 'GET /audit?action=writes');
    expect([mistyped.status, JSON.stringify(mistyped.json)]).toEqual([
      400,
      expect.stringContaining('expected one of'),
    ]);
    const as = await house.credential('owner', [{ role: 'admin', pattern: 'acme/*' }]);
    expect((await callApi(house, 'GET /audit/head')).json).toEqual({ head: expect.any(String) as string });
    expect((await callApi(house, 'GET /audit/head', { as })).status).toBe(403);
    expect((await callApi(house, 'GET /audit', { as })).status).toBe(403);
    const own = await callApi(house, `GET /audit${at(NET)}`, { as });
    expect(own.json['records']).toMatchObject([
      { action: 'read' },
      { action: 'write', detail: { version: 1 } },
    ]);
  });

  it('says who asks and what the house is', async () => {
    expect((await callApi(house, 'GET /whoami')).json).toMatchObject({ grants: [{ role: 'admin' }] });
    expect((await callApi(house, 'GET /info')).json).toMatchObject({
      engine: 'memory',
      manyNodes: false,
      stateBytesMax: 512 * 1024 * 1024,
      backup: false,
    });
  });

  it('seals everything anew', async () => {
    await write(NET_HTTP, sampleState(1));
    const { json } = await callApi(house, 'POST /rotate-key');
    expect(json).toMatchObject({ newKey: false });
    const as = await house.credential('reader', [{ role: 'reader', pattern: '*' }]);
    expect((await callApi(house, 'POST /rotate-key', { as })).status).toBe(403);
    // No key was changed, so nothing is left under a former one.
    const again = await callApi(house, 'POST /rotate-key/reencrypt');
    expect(again.json).toMatchObject({ done: 0, damaged: 0, after: null });
    expect((await callApi(house, 'POST /rotate-key/reencrypt', { as })).status).toBe(403);
  });

  describe('refuses', () => {
    it('whom it does not know', async () => {
      const as = { id: 'SHNOBODYNOBODY23', secret: 'wrong' };
      for (const who of [null, as]) {
        const answer = await callApi(house, 'GET /states', { as: who });
        expect([answer.status, answer.json['error']]).toEqual([401, 'unauthenticated']);
      }
    });

    it('queries that are not what it takes, naming the field', async () => {
      for (const [path, field] of [
        ['/states?limit=0', 'limit'],
        ['/states?limit=501', 'limit'],
        ['/states?limit=x', 'limit'],
        ['/states?deleted=1', 'deleted'],
        ['/states?cursor=nonsense', 'cursor'],
        ['/states?project=..', 'project'],
        ['/states?prject=acme', 'prject'],
        ['/states?project=a&project=b', 'project'],
        ['/state', 'address'],
        ['/state?address=nothing', 'address'],
        ['/state?address=acme/..%2fetc', 'address'],
        [`/state/version${at(NET)}`, 'version'],
        [`/state/diff${at(NET, { from: '0' })}`, 'from'],
        [`/state/versions${at(NET, { cursor: 'WyJhIl0' })}`, 'cursor'],
      ] as const) {
        const answer = await callApi(house, `GET ${path}`);
        expect([path, answer.status]).toEqual([path, 400]);
        expect(answer.json['message']).toContain(field);
      }
    });

    it('bodies that are not what it takes', async () => {
      for (const [body, says] of [
        ['{', 'not JSON'],
        ['\u0000', 'not JSON'],
        ['[]', 'the body'],
        [{ version: 1, extra: true }, 'extra'],
        [{ version: '1' }, 'version'],
        [undefined, 'the body'],
      ] as const) {
        const answer = await callApi(house, `POST /state/restore${at(NET)}`, { body });
        expect([answer.status, answer.json['message']]).toEqual([400, expect.stringContaining(says)]);
      }
      const large = await house.ask('POST', '/api/v1/credentials', { body: ' '.repeat(70_000) });
      expect(large.status).toBe(413);
      const grant = { name: 'x', grants: [{ role: 'king', pattern: '*' }] };
      const { json } = await callApi(house, 'POST /credentials', { body: grant });
      expect(json['message']).toContain('grants.0.role');
    });

    it('routes and methods that there are not', async () => {
      const unknown = await house.ask('GET', '/api/v1/nothing');
      expect([unknown.status, JSON.parse(unknown.text)]).toMatchObject([404, { error: 'unknown-route' }]);
      expect((await house.ask('GET', '/api/v1/credentials/%zz')).status).toBe(404);
      const method = await house.ask('PUT', '/api/v1/states');
      expect([method.status, method.headers['allow']]).toEqual([405, 'GET']);
      expect((await house.ask('BREW', '/api/v1/states').catch(() => ({ status: 400 }))).status).toBe(400);
    });
  });

  it('lists refused writes, gives their bytes, and drops them', async () => {
    await write(NET_HTTP, sampleState(3));
    const refused = await house.ask('POST', NET_HTTP, { body: sampleState(2) });
    expect(refused.status).toBe(409);
    const { kept, message } = JSON.parse(refused.text) as { kept: string; message: string };
    expect(message).toContain(`statehouse rescue ${NET} ${kept}`);
    const listed = await callApi(house, `GET /refused${at(NET)}`);
    expect(listed.json['writes']).toMatchObject([
      {
        id: kept,
        address: NET,
        refused: 'stale',
        reason: 'serial-lower',
        serial: '2',
        newest: { version: 1 },
      },
    ]);
    expect((await callApi(house, 'GET /refused')).json).toEqual(listed.json);
    const bytes = await callApi(house, `GET /refused/content${at(NET, { id: kept })}`);
    expect(bytes.text).toBe(sampleState(2));
    const dropped = await callApi(house, `DELETE /refused${at(NET, { id: kept })}`);
    expect(dropped.json).toEqual({ dropped: kept });
    expect((await callApi(house, `GET /refused/content${at(NET, { id: kept })}`)).status).toBe(404);
  });

  it('freezes, shows what is frozen, and ends it', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const body = { pattern: 'acme/*', reason: 'release week', until };
    expect((await callApi(house, 'POST /freezes', { body })).json).toMatchObject(body);
    const past = { ...body, until: new Date(0).toISOString() };
    expect((await callApi(house, 'POST /freezes', { body: past })).status).toBe(422);
    expect((await callApi(house, 'GET /freezes')).json['freezes']).toMatchObject([body]);
    expect((await callApi(house, `GET /state/lock${at(NET)}`)).json['frozen']).toMatchObject(body);
    const locked = await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') });
    expect([locked.status, JSON.parse(locked.text)]).toMatchObject([
      423,
      { error: 'frozen', pattern: 'acme/*' },
    ]);
    const ended = await callApi(house, 'DELETE /freezes?pattern=acme/*');
    expect(ended.json).toEqual({ unfrozen: 'acme/*' });
    expect((await callApi(house, 'DELETE /freezes?pattern=acme/*')).status).toBe(404);
    expect((await house.ask('LOCK', NET_HTTP, { body: sampleLock('one') })).status).toBe(200);
  });

  it('lists and shows runs and their logs, and acts on them', async () => {
    await using programs = await playedPrograms();
    await using running = await RunningHouse.open({ programs: programs.path });
    const made = await running.run(await running.configuration(await slugOf({ 'plan.sh': 'echo said\n' })));
    await running.until(made.id, 'planned');
    const { house: other } = running;
    const run = { id: made.id, address: 'app/net', status: 'planned', counts: { additions: 1, imports: 0 } };
    expect((await callApi(other, 'GET /runs?address=app/net')).json).toMatchObject({ runs: [run] });
    expect((await callApi(other, `GET /runs/${made.id}`)).json).toMatchObject(run);
    const log = await callApi(other, `GET /run-log?run=${made.id}&phase=plan`);
    expect(log.json).toMatchObject({ text: expect.stringMatching(/^Terraform [^]*\nsaid\n$/), ended: true });
    const act = { body: { action: 'discard' } };
    expect((await callApi(other, `POST /runs/${made.id}`, act)).json).toMatchObject({ status: 'discarded' });
    const late = await callApi(other, `POST /runs/${made.id}`, { body: { action: 'confirm' } });
    expect([late.status, late.json['error']]).toEqual([409, 'stale']);
    expect((await callApi(other, 'GET /runs/run-x')).status).toBe(404);
    const again = await callApi(other, 'POST /runs?address=app/net', { body: {} });
    expect([again.status, again.json['message']]).toEqual([422, expect.stringMatching(/upload one$/)]);
    expect((await callApi(other, 'POST /state/drift-check?address=app/net')).status).toBe(422);
    const daily = { body: { schedule: 'daily at 03:00' } };
    expect((await callApi(other, 'POST /state/drift?address=app/never', daily)).status).toBe(404);
    await other.ask('POST', '/http/app/net', { body: sampleState(1) });
    const drift = { address: 'app/net', schedule: 'daily at 03:00', drifted: false, checkedAt: null };
    expect((await callApi(other, 'POST /state/drift?address=app/net', daily)).json).toMatchObject(drift);
    expect((await callApi(other, 'GET /state/drift?address=app/net')).json).toMatchObject(drift);
    expect((await callApi(other, 'GET /drift')).json).toEqual({ states: [], next: null });
    expect((await callApi(house, `GET /runs/${made.id}`)).status).toBe(404);
  });

  it('wants new states announced where that is set, and takes the announcement', async () => {
    const set = await callApi(house, 'PATCH /projects/guarded', { body: { announceFirst: true } });
    expect(set.json).toMatchObject({ project: 'guarded', announceFirst: true });
    const locked = await house.ask('LOCK', '/http/guarded/a', { body: sampleLock('one') });
    expect([locked.status, JSON.parse(locked.text)]).toMatchObject([423, { error: 'unannounced' }]);
    const announced = await callApi(house, 'POST /state/announce?address=guarded/a');
    expect(announced.json).toMatchObject({ address: 'guarded/a' });
    expect((await house.ask('LOCK', '/http/guarded/a', { body: sampleLock('one') })).status).toBe(200);
    await write('/http/guarded/a?ID=one', sampleState(1));
    expect((await callApi(house, 'POST /state/announce?address=guarded/a')).status).toBe(409);
  });

  it('makes, lists, tests and removes webhooks', async () => {
    const body = { name: 'pager', url: 'http://127.0.0.1:9/hook', events: ['lock-stuck'] };
    const made = await callApi(house, 'POST /webhooks', { body });
    expect(made.json).toMatchObject({ name: 'pager', host: '127.0.0.1:9', pattern: '*', format: 'json' });
    const listed = await callApi(house, 'GET /webhooks');
    expect(listed.json['webhooks']).toMatchObject([{ name: 'pager', events: ['lock-stuck'] }]);
    expect(listed.text).not.toContain('/hook');
    const tested = await callApi(house, 'POST /webhooks/test', { body: { name: 'pager' } });
    expect(tested.json).toMatchObject({ ok: false, status: null });
    expect((await callApi(house, 'DELETE /webhooks/pager')).json).toEqual({ removed: 'pager' });
    expect((await callApi(house, 'DELETE /webhooks/pager')).status).toBe(404);
    const wrong = { name: 'pager', url: 'file:///etc/passwd' };
    expect((await callApi(house, 'POST /webhooks', { body: wrong })).status).toBe(422);
  });

  it('answers HEAD as GET, without the body', async () => {
    await write(NET_HTTP, sampleState(1));
    const head = await house.ask('HEAD', `/api/v1/state/content${at(NET)}`);
    expect([head.status, head.text]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(String(sampleState(1).length));
    for (const path of ['/states', '/events']) {
      expect((await house.ask('HEAD', `/api/v1${path}`)).status).toBe(200);
    }
  });
});
