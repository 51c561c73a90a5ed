import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import { sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

describe('many keys at the consul door', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const newPath = (): string => `acme/net/${++count}`;
  const send = (method: string, path: string, body?: string, as: Pair = TEST_ADMIN): Promise<Answer> =>
    house.ask(method, path, {
      as: null,
      headers: { 'x-consul-token': `${as.id}.${as.secret}` },
      ...(body === undefined ? {} : { body }),
    });
  const kv = (path: string, query = ''): string => `/v1/kv/${path}${query}`;
  const put = (path: string, serial: number): Promise<Answer> => send('PUT', kv(path), sampleState(serial));
  const newSession = async (as: Pair = TEST_ADMIN): Promise<string> => {
    const made = await send('PUT', '/v1/session/create', '{"TTL":"15s"}', as);
    return (JSON.parse(made.text) as { ID: string }).ID;
  };
  const indexOf = ({ headers }: Answer): number => Number(headers['x-consul-index']);
  const reader = (pattern: string): Promise<Pair> =>
    house.credential(`reader-${++count}`, [{ role: 'reader', pattern }]);

  describe('listed', () => {
    it.each(['keys', 'recurse'])('have an index that grows with each change: ?%s', async (how) => {
      const path = newPath();
      const look = async (): Promise<number> => indexOf(await send('GET', kv(`${path}/`, `?${how}`)));
      const id = await newSession();
      const seen = [await look()];
      for (const change of [
        () => put(`${path}/a`, 1),
        () => put(`${path}/a`, 2),
        () => send('PUT', kv(`${path}/a/.lock`, `?acquire=${id}`)),
        () => send('PUT', kv(`${path}/a/.lock`, `?release=${id}`)),
        () => send('DELETE', kv(`${path}/a`)),
        () => put(`${path}/b`, 1),
      ]) {
        expect(await change()).toMatchObject({ status: 200 });
        seen.push(await look());
      }
      expect(seen[0]).toBe(1);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.toSorted((a, b) => a - b)).toEqual(seen);
      await put(newPath(), 1);
      expect(await look()).toBe(seen.at(-1));
    });

    it('are waited for where an index is named, and tell what is new', async () => {
      const path = newPath();
      await put(`${path}/a`, 1);
      const before = indexOf(await send('GET', kv(`${path}/`, '?keys')));
      const waiting = send('GET', kv(`${path}/`, `?keys&index=${before}&wait=30s`));
      const withValues = send('GET', kv(`${path}/`, `?recurse&index=${before}&wait=30s`));
      let answered = false;
      void waiting.finally(() => {
        answered = true;
      });
      // What changes elsewhere is no news.
      await put(newPath(), 1);
      expect(answered).toBe(false);
      await put(`${path}/b`, 1);
      expect(JSON.parse((await waiting).text)).toEqual([`${path}/a`, `${path}/b`]);
      expect(JSON.parse((await withValues).text)).toHaveLength(2);
      expect(indexOf(await waiting)).toBeGreaterThan(before);
    });

    it('are answered at once for an index of the future, and after the wait where nothing changes', async () => {
      const path = newPath();
      await put(`${path}/a`, 1);
      const now = indexOf(await send('GET', kv(`${path}/`, '?keys&index=99999&wait=60s')));
      expect(now).toBeLessThan(99_999);
      const quiet = await send('GET', kv(`${path}/`, `?keys&index=${now}&wait=50ms`));
      expect([quiet.status, indexOf(quiet)]).toEqual([200, now]);
      expect(await send('GET', kv(`${path}/`, '?keys&index=x'))).toMatchObject({ status: 400 });
    });

    it('tell nobody, by their index either, of states that may not be seen', async () => {
      const path = newPath();
      await put(`${path}/mine`, 1);
      const as = await reader(`${path}/mine@*`);
      const look = (): Promise<Answer> => send('GET', kv(`${path}/`, '?keys'), undefined, as);
      const before = indexOf(await look());
      await put(`${path}/secret`, 1);
      const after = await look();
      expect([JSON.parse(after.text), indexOf(after)]).toEqual([[`${path}/mine`], before]);
    });

    it('are waited for by so many, and answered at once beyond that', async () => {
      const path = newPath();
      await put(`${path}/a`, 1);
      const as = await reader(`${path}/*`);
      const now = indexOf(await send('GET', kv(`${path}/`, '?keys'), undefined, as));
      let answered = 0;
      const warnings: Error[] = [];
      const warned = (warning: Error): void => void warnings.push(warning);
      process.on('warning', warned);
      const many = Array.from({ length: 110 }, () =>
        send('GET', kv(`${path}/`, `?keys&index=${now}&wait=60s`), undefined, as).finally(() => {
          answered += 1;
        }),
      );
      // One credential may have a hundred of them.
      await eventually('those without room are answered', () => answered === 10);
      await put(`${path}/b`, 1);
      expect((await Promise.all(many)).map(({ status }) => status)).toEqual(many.map(() => 200));
      process.off('warning', warned);
      expect(warnings).toEqual([]);
    });
  });

  describe('deleted', () => {
    it('are said to be gone where there are none, to whoever may delete there alone', async () => {
      const path = newPath();
      const [may, mayNot] = await Promise.all([
        house.credential('deletes', [{ role: 'operator', pattern: `${path}/*@*` }]),
        reader(`${path}/*@*`),
      ]);
      const ask = (as: Pair): Promise<Answer> =>
        send('DELETE', kv(`${path}/none/`, '?recurse'), undefined, as);
      expect(await ask(may)).toMatchObject({ status: 200, text: 'true' });
      expect(await ask(mayNot)).toMatchObject({ status: 403 });
      const outside = await send('DELETE', kv('other/none/', '?recurse'), undefined, may);
      expect(outside).toMatchObject({ status: 403 });
      expect(await send('DELETE', kv('acme/../x/', '?recurse'))).toMatchObject({ status: 400 });
    });
  });

  describe('in one transaction', () => {
    const txn = (operations: readonly object[], as: Pair = TEST_ADMIN): Promise<Answer> =>
      send('PUT', '/v1/txn', JSON.stringify(operations.map((KV) => ({ KV }))), as);
    const value = (serial: number): string => Buffer.from(sampleState(serial)).toString('base64');
    const stored = async (path: string): Promise<string> => (await send('GET', kv(path, '?raw'))).text;

    it('are read before the one that is changed, which holds to what was read', async () => {
      const path = newPath();
      const set = (serial: number, ...checks: object[]): Promise<Answer> =>
        txn([...checks, { Verb: 'set', Key: path, Value: value(serial) }]);
      expect(await set(1, { Verb: 'check-not-exists', Key: path })).toMatchObject({ status: 200 });
      const twice = await set(2, { Verb: 'check-not-exists', Key: path });
      expect(JSON.parse(twice.text)).toMatchObject({ Errors: [{ OpIndex: 0 }] });
      expect(await set(2, { Verb: 'check-index', Key: path, Index: 2 })).toMatchObject({ status: 200 });
      expect(await set(3, { Verb: 'check-index', Key: path, Index: 2 })).toMatchObject({ status: 409 });
      const read = await set(3, { Verb: 'get', Key: path });
      expect(JSON.parse(read.text)).toMatchObject({
        Results: [{ KV: { Value: value(2), ModifyIndex: 4 } }, { KV: { Value: null, ModifyIndex: 6 } }],
      });
      const other = { Verb: 'cas', Key: path, Value: value(4), Index: 4 };
      expect(await txn([{ Verb: 'check-index', Key: path, Index: 6 }, other])).toMatchObject({ status: 409 });
      expect(await stored(path)).toBe(sampleState(3));
      const removed = await txn([
        { Verb: 'check-index', Key: path, Index: 6 },
        { Verb: 'delete', Key: path },
      ]);
      expect(removed).toMatchObject({ status: 200 });
      expect(await send('GET', kv(path))).toMatchObject({ status: 404 });
    });

    it('are written under the lock of the session that is asked for, and under no other', async () => {
      const path = newPath();
      const lock = `${path}/.lock`;
      const writer = await house.credential('writes', [{ role: 'writer', pattern: 'acme/*@*' }]);
      const [id, another, theirs] = [await newSession(), await newSession(), await newSession(writer)];
      await send('PUT', kv(lock, `?acquire=${id}`));
      const write = (session: string, serial: number, as?: Pair): Promise<Answer> =>
        txn(
          [
            { Verb: 'check-session', Key: lock, Session: session },
            { Verb: 'set', Key: path, Value: value(serial) },
          ],
          as,
        );
      expect(await write(id, 1)).toMatchObject({ status: 200 });
      expect(await write(another, 2)).toMatchObject({ status: 409 });
      expect(await write(theirs, 2, writer)).toMatchObject({ status: 409 });
      // To know the ID of another's session is not to have it.
      expect(await write(id, 2, writer)).toMatchObject({ status: 500 });
      await send('PUT', kv(lock, `?release=${id}`));
      expect(await write(id, 2)).toMatchObject({ status: 409 });
      expect(await stored(path)).toBe(sampleState(1));
    });

    it('are refused by name, and nothing is changed, where they cannot be decided as one', async () => {
      const [path, other] = [newPath(), newPath()];
      await put(path, 1);
      const id = await newSession();
      const set = { Verb: 'set', Key: path, Value: value(2) };
      for (const [operations, words] of [
        [[set, { ...set, Key: other }], 'changes several keys'],
        [[set, { Verb: 'unlock', Key: `${path}/.lock`, Session: id }], 'changes several keys'],
        [[set, { Verb: 'get', Key: path }], 'comes last'],
        [[{ Verb: 'get-tree', Key: 'acme/' }, set], 'comes last'],
        [[{ Verb: 'check-not-exists', Key: other }, set], 'comes last'],
        [[{ Verb: 'get', Key: `${path}/.lock` }, set], 'comes last'],
        [
          [
            { Verb: 'check-index', Key: path, Index: 2 },
            { Verb: 'lock', Key: `${path}/.lock`, Session: id },
          ],
          'comes last',
        ],
      ] as const) {
        const answer = await txn(operations);
        expect(answer.status, words).toBe(501);
        expect(answer.text).toContain(words);
      }
      expect(await stored(path)).toBe(sampleState(1));
      expect(await send('GET', kv(other))).toMatchObject({ status: 404 });
    });

    it('lets one of many writers that checked the same index write', async () => {
      const path = newPath();
      await put(path, 1);
      const answers = await Promise.all(
        [2, 3, 4, 5].map((serial) =>
          txn([
            { Verb: 'check-index', Key: path, Index: 2 },
            { Verb: 'set', Key: path, Value: value(serial) },
          ]),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    });
  });
});
