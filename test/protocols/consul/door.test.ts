import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { basic } from '../../support/request.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

const FLAGS = '3304740253564472344';

describe('the consul door', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const newPath = (): string => `acme/net/${++count}`;
  const send = (
    method: string,
    path: string,
    {
      body,
      headers,
      as = TEST_ADMIN,
    }: { body?: string | Uint8Array; headers?: Record<string, string>; as?: Pair } = {},
  ): Promise<Answer> =>
    house.ask(method, path, {
      as: null,
      headers: headers ?? { 'x-consul-token': `${as.id}.${as.secret}` },
      ...(body === undefined ? {} : { body }),
    });
  const kv = (path: string, query = ''): string => `/v1/kv/${path}${query}`;
  const txn = (...operations: object[]): Promise<Answer> =>
    send('PUT', '/v1/txn', { body: JSON.stringify(operations.map((operation) => ({ KV: operation }))) });
  const set = (path: string, serial: number, more: object = { Verb: 'set' }): Promise<Answer> =>
    txn({ Key: path, Value: Buffer.from(sampleState(serial)).toString('base64'), ...more });
  const newSession = async (settings: object = { TTL: '15s' }, as = TEST_ADMIN): Promise<string> => {
    const made = await send('PUT', '/v1/session/create', { body: JSON.stringify(settings), as });
    return (json(made) as { ID: string }).ID;
  };

  describe('for keys', () => {
    it('numbers versions, writes and deletes on condition of one, and says in Consul’s words what is stale', async () => {
      const path = newPath();
      expect(json(await set(path, 1))).toMatchObject({
        Results: [{ KV: { Key: path, ModifyIndex: 2, Value: null } }],
        Errors: null,
      });
      expect(json(await set(path, 2, { Verb: 'cas', Index: 2 }))).toMatchObject({
        Results: [{ KV: { ModifyIndex: 4 } }],
      });
      const stale = await set(path, 3, { Verb: 'cas', Index: 2 });
      expect(stale.status).toBe(409);
      expect(json(stale)).toEqual({
        Results: null,
        Errors: [{ OpIndex: 0, What: `failed to set key "${path}", index is stale` }],
      });
      expect((await send('PUT', kv(path, '?cas=0'), { body: sampleState(3) })).text).toBe('false');
      expect((await send('PUT', kv(path, '?cas=4'), { body: sampleState(3) })).text).toBe('true');
      expect((await send('GET', kv(path, '?raw'))).text).toBe(sampleState(3));
      expect((await send('DELETE', kv(path, '?cas=4'))).text).toBe('false');
      expect((await send('DELETE', kv(path, '?cas=6'))).text).toBe('true');
      const gone = await send('GET', kv(path));
      expect(gone).toMatchObject({ status: 404, text: '' });
      expect(gone.headers).toMatchObject({ 'x-consul-index': '7', 'x-consul-knownleader': 'true' });
      expect((await send('DELETE', kv(path))).text).toBe('true');
    });

    it('reads and deletes all that is below a prefix in a transaction, and reads what may be absent', async () => {
      const path = newPath();
      await set(`${path}/a`, 1);
      await set(`${path}/b`, 1);
      const read = await txn(
        { Verb: 'get-tree', Key: `${path}/` },
        { Verb: 'get-or-empty', Key: `${path}/c` },
        { Verb: 'get', Key: `${path}/a` },
      );
      expect(json(read)).toMatchObject({
        Results: ['a', 'b', 'c', 'a'].map((name) => ({ KV: { Key: `${path}/${name}` } })),
      });
      expect(json(await txn({ Verb: 'delete-tree', Key: `${path}/` }))).toMatchObject({ Results: [] });
      expect(await send('GET', kv(`${path}/a`))).toMatchObject({ status: 404 });
      expect(await txn({ Verb: 'delete-tree', Key: '' })).toMatchObject({ status: 400 });
    });

    it('unpacks gzip, and keeps nothing of what is cut, is no state, or is no transaction', async () => {
      const path = newPath();
      const packed = gzipSync(sampleState(1));
      const put = (bytes: Uint8Array): Promise<Answer> =>
        txn({ Verb: 'set', Key: path, Value: Buffer.from(bytes).toString('base64') });
      expect(await put(packed.subarray(0, 40))).toMatchObject({
        status: 400,
        text: expect.stringContaining('gzip') as string,
      });
      expect(await put(Buffer.from('{"no":"state"}'))).toMatchObject({ status: 400 });
      for (const body of ['', '[]', '{', '[{"KV":{"Verb":"set"}}]', '[{"Node":{"Verb":"get"}}]']) {
        expect(await send('PUT', '/v1/txn', { body }), body).toMatchObject({ status: 400 });
      }
      expect(await txn({ Verb: 'set', Key: path, Value: '%%%' })).toMatchObject({ status: 400 });
      expect(await send('GET', kv(path))).toMatchObject({ status: 404 });
      expect(await put(packed)).toMatchObject({ status: 200 });
      expect((await send('GET', kv(path, '?raw'))).text).toBe(sampleState(1));
    });

    it('takes a long transaction as it comes, and refuses one that is cut or has more in it', async () => {
      const path = newPath();
      const large = sampleState(1, { size: 6_000_000 });
      const head = `[{"KV":{"Verb":"cas","Key":"${path}","Value":"${Buffer.from(large).toString('base64')}"`;
      const whole = (index: number): string =>
        `${head},"Flags":0,"Index":${index},"Session":""},"Node":null}]`;
      expect(await send('PUT', '/v1/txn', { body: head })).toMatchObject({ status: 400 });
      expect(await send('PUT', '/v1/txn', { body: `${head}}},${whole(0).slice(1)}` })).toMatchObject({
        status: 400,
      });
      expect(await send('PUT', '/v1/txn', { body: whole(8) })).toMatchObject({ status: 409 });
      expect(await send('GET', kv(path))).toMatchObject({ status: 404 });
      expect(await send('PUT', '/v1/txn', { body: whole(0) })).toMatchObject({ status: 200 });
      expect((await send('GET', kv(path, '?raw'))).text).toBe(large);
    });

    it('lists states and locks, up to a separator, and workspaces as terraform asks for them', async () => {
      const path = newPath();
      await set(path, 1);
      await set(`${path}-env:dev`, 1);
      const id = await newSession();
      await send('PUT', kv(`${path}-env:dev/.lock`, `?acquire=${id}`));
      expect(json(await send('GET', kv(`${path}-env:`, '?keys=&separator=%2F')))).toEqual([
        `${path}-env:dev`,
        `${path}-env:dev/`,
      ]);
      const pairs = json(await send('GET', kv(path, '?recurse'))) as { Key: string }[];
      expect(pairs.map(({ Key }) => Key).sort()).toEqual(
        [path, `${path}-env:dev`, `${path}-env:dev/.lock`, `${path}-env:dev/.lockinfo`].sort(),
      );
      expect(await send('DELETE', kv(path, '?recurse'))).toMatchObject({ status: 200 });
      expect(await send('GET', kv(path))).toMatchObject({ status: 404 });
    });

    it('waits for a change where an index is named, and answers one of the future at once', async () => {
      const path = newPath();
      await set(path, 1);
      let answered = false;
      const waiting = send('GET', kv(path, '?index=2&wait=30s')).then((answer) => {
        answered = true;
        return answer;
      });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(answered).toBe(false);
      await set(path, 2);
      expect((await waiting).headers['x-consul-index']).toBe('4');
      expect((await send('GET', kv(path, '?index=999&wait=30s'))).headers['x-consul-index']).toBe('4');
      expect((await send('GET', kv(path, '?index=4&wait=50ms'))).status).toBe(200);
      expect(await send('GET', kv(path, '?index=-1'))).toMatchObject({ status: 400 });
      expect(await send('GET', kv(path, '?index=4&wait=soon'))).toMatchObject({ status: 400 });
    });

    it.each([
      ['alone', 'a project and a key'],
      ['acme/a/../b', '".." segment'],
      ['acme/a%2F..%2Fb', '".." segment'],
      ['acme//b', '"//"'],
      ['acme/a/', '"/"'],
      ['acme/a-env:default', 'the workspace default'],
      ['acme/a%00', 'control characters'],
      ['acme/%ff', 'UTF-8'],
    ])('refuses the path %s', async (path, because) => {
      const answer = await send('PUT', kv(path), { body: sampleState(1) });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain(because);
    });

    it('refuses by name what it does not do', async () => {
      const path = newPath();
      await set(path, 1);
      const chunk = `${path}/tfstate.${'a'.repeat(32)}/0`;
      for (const [method, target] of [
        ['PUT', kv(chunk)],
        ['PUT', kv(`${path}/.lock`)],
        ['PUT', kv(path, '?acquire=x')],
        ['GET', kv(path, '?ns=other')],
        ['GET', kv(path, '?dc=dc2')],
        ['GET', '/v1/catalog/services'],
        ['PUT', '/v1/agent/service/register'],
      ] as const) {
        const answer = await send(method, target, method === 'PUT' ? { body: '{}' } : {});
        expect([answer.status, answer.headers['content-type']], target).toEqual([
          501,
          'text/plain; charset=utf-8',
        ]);
      }
      expect(await send('POST', kv(path))).toMatchObject({ status: 405 });
      const both = await txn({ Verb: 'delete', Key: path }, { Verb: 'delete', Key: path });
      expect(both).toMatchObject({ status: 501 });
      expect(await send('GET', kv(path))).toMatchObject({ status: 200 });
    });
  });

  describe('for locks', () => {
    it('gives the lock to a session, shows it with its index and flags, and ends it with the session', async () => {
      const path = newPath();
      const lock = kv(`${path}/.lock`);
      const id = await newSession();
      expect((await send('PUT', `${lock}?acquire=${id}&flags=${FLAGS}`)).text).toBe('true');
      expect((await send('PUT', kv(`${path}/.lockinfo`), { body: sampleLock(id) })).text).toBe('true');
      const shown = await send('GET', lock);
      expect(shown.text).toContain(`"Flags":${FLAGS},`);
      expect(json(shown)).toMatchObject([{ LockIndex: 1, Session: id, Value: null, ModifyIndex: 2 }]);
      const change = send('GET', `${lock}?consistent=&index=2`);
      expect((await send('PUT', `/v1/session/destroy/${id}`)).text).toBe('true');
      expect(await change).toMatchObject({ status: 404 });
      // A destruction whose answer was lost comes again.
      expect((await send('PUT', `/v1/session/destroy/${id}`)).text).toBe('true');
      expect(await send('PUT', `/v1/session/renew/${id}`)).toMatchObject({ status: 404 });
      const late = await send('PUT', `${lock}?acquire=${id}`);
      expect(late).toMatchObject({ status: 500, text: expect.stringContaining('invalid session') as string });
    });

    it('takes a grant back from a session that ended while it waited', async () => {
      const path = newPath();
      const lock = kv(`${path}/.lock`);
      const [holder, waiter] = [await newSession(), await newSession()];
      await send('PUT', `${lock}?acquire=${holder}`);
      expect((await send('PUT', `${lock}?acquire=${waiter}`)).text).toBe('false');
      const parked = send('PUT', `${lock}?acquire=${waiter}`);
      await eventually('it is held open', () => house.house.parked === 1);
      await send('PUT', `/v1/session/destroy/${waiter}`);
      await send('PUT', `${lock}?release=${holder}`);
      expect(await parked).toMatchObject({ status: 500 });
      await eventually('the lock is free', async () => (await send('GET', lock)).status === 404);
    });

    it('keeps one’s session from others, and their locks from one’s session', async () => {
      const path = newPath();
      const other = await house.credential('somebody', [{ role: 'writer', pattern: 'acme/*' }]);
      const [mine, theirs] = [await newSession(), await newSession({ TTL: '15s' }, other)];
      const lock = kv(`${path}/.lock`);
      await send('PUT', `${lock}?acquire=${mine}`);
      expect(await send('PUT', `${lock}?acquire=${mine}`, { as: other })).toMatchObject({ status: 500 });
      expect((await send('PUT', `${lock}?acquire=${theirs}`, { as: other })).text).toBe('false');
      expect((await send('PUT', `${lock}?release=${theirs}`, { as: other })).text).toBe('false');
      for (const [method, target] of [
        ['PUT', `${lock}?release=${mine}`],
        ['PUT', `/v1/session/renew/${mine}`],
        ['PUT', `/v1/session/destroy/${mine}`],
        ['DELETE', lock],
      ] as const) {
        expect(await send(method, target, { as: other }), target).toMatchObject({ status: 403 });
      }
      expect(json(await send('GET', `/v1/session/info/${mine}`, { as: other }))).toEqual([]);
      expect(await set(path, 1)).toMatchObject({ status: 200 });
      const beside = await send('PUT', kv(path), { as: other, body: sampleState(2) });
      expect(beside).toMatchObject({ status: 409, text: expect.stringContaining('is locked') as string });
      expect((await send('GET', kv(path, '?raw'))).text).toBe(sampleState(1));
    });

    it('reads the names of JSON whatever their case, as Go does', async () => {
      const id = await newSession({ name: 'a run', ttl: '10s', behavior: 'delete' });
      expect(json(await send('GET', `/v1/session/info/${id}`))).toMatchObject([
        { Name: 'a run', TTL: '10s', Behavior: 'delete' },
      ]);
      const path = newPath();
      const value = Buffer.from(sampleState(1)).toString('base64');
      const body = JSON.stringify([{ kv: { verb: 'set', key: path, value } }]);
      expect(await send('PUT', '/v1/txn', { body })).toMatchObject({ status: 200 });
      expect((await send('GET', kv(path, '?raw'))).text).toBe(sampleState(1));
    });

    it('lists one’s own sessions, and refuses settings that a session cannot have', async () => {
      const other = await house.credential('lister', [{ role: 'reader', pattern: 'acme/*' }]);
      const id = await newSession({ Name: 'a run', TTL: '60s', LockDelay: '5000ms' }, other);
      expect(json(await send('GET', '/v1/session/list', { as: other }))).toMatchObject([
        { ID: id, Name: 'a run', TTL: '60s', LockDelay: 5_000_000_000, Behavior: 'release' },
      ]);
      for (const body of [
        '{"TTL":"1s"}',
        '{"TTL":"soon"}',
        '{"Behavior":"explode"}',
        '{"Node":"elsewhere"}',
        '{"NodeChecks":["mine"]}',
        '{"ID":"mine"}',
        '[1]',
        '{',
      ]) {
        expect(await send('PUT', '/v1/session/create', { body }), body).toMatchObject({ status: 400 });
      }
    });

    it('bounds the sessions of one credential', async () => {
      const other = await house.credential('greedy', [{ role: 'writer', pattern: 'acme/*' }]);
      const subject = (json(await send('GET', '/v1/acl/token/self', { as: other })) as { AccessorID: string })
        .AccessorID;
      const attributes = {
        subject,
        name: '',
        ttl: null,
        lockDelay: 0,
        behavior: 'release',
        createdAt: 0,
        endsAt: null,
        locks: [],
      };
      const kind = 'consul-session';
      await house.engine.apply(
        Array.from({ length: 5_000 }, (_, number) => ({
          type: 'put-entry' as const,
          entry: { kind, name: `greedy-${number}`, attributes },
          note: null,
        })),
      );
      // Another node's sessions are known after a moment.
      await eventually('the bound', async () => {
        const answer = await send('PUT', '/v1/session/create', { as: other, body: '{"TTL":"15s"}' });
        return answer.status === 429;
      });
      expect(await send('PUT', '/v1/session/create', { body: '{"TTL":"15s"}' })).toMatchObject({
        status: 200,
      });
    });
  });

  it('ends what it holds open when the server closes, or the credential is revoked', async () => {
    await using closing = await TestHouse.open();
    const pair = await closing.credential('waits', [{ role: 'reader', pattern: 'acme/*' }]);
    const wait = (as: Pair): Promise<Answer> =>
      closing.ask('GET', '/v1/kv/acme/none?index=1&wait=60s', {
        as: null,
        headers: { 'x-consul-token': `${as.id}.${as.secret}` },
      });
    const [revoked, closed] = [wait(pair), wait(TEST_ADMIN)];
    await new Promise((resolve) => setTimeout(resolve, 150));
    await closing.house.credentials.revoke(ADMIN_CALLER, pair.id);
    expect(await revoked).toMatchObject({ status: 403 });
    const ended = closing.close();
    expect(await closed).toMatchObject({ status: 404 });
    await ended;
  });

  it.each([
    ['in the header', '', { 'x-consul-token': 'nobody.atall' }],
    ['in the query', '?token=nobody.atall', {}],
  ])('slows down who guesses tokens: %s', async (_, query, headers) => {
    await using guessed = await TestHouse.open();
    const guess = (): Promise<Answer> =>
      guessed.ask('GET', `/v1/status/leader${query}`, { as: null, headers });
    // On a busy machine the first ones take a part of the time that the last would have to wait.
    const before = performance.now();
    for (let tries = 0; tries < 21; tries += 1) expect((await guess()).status).toBe(403);
    expect(performance.now() - before).toBeGreaterThan(700);
  });

  it('takes a token from header, query, bearer and http_auth, and none that is wrong', async () => {
    const token = `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`;
    const leader = '/v1/status/leader';
    for (const headers of [
      { 'x-consul-token': token },
      { authorization: `Bearer ${token}` },
      { authorization: basic(TEST_ADMIN) },
    ]) {
      expect(await send('GET', leader, { headers })).toMatchObject({ status: 200 });
    }
    expect(await send('GET', `${leader}?token=${token}`, { headers: {} })).toMatchObject({ status: 200 });
    for (const headers of [{}, { 'x-consul-token': 'nobody.atall' }, { 'x-consul-token': `${token}x` }]) {
      const answer = await send('GET', leader, { headers });
      expect(answer).toMatchObject({
        status: 403,
        text: expect.stringContaining('Permission denied') as string,
      });
    }
  });
});

function json({ text }: Answer): unknown {
  return JSON.parse(text);
}
