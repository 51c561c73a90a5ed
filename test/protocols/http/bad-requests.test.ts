import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';

describe('a request that the http door cannot take', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
  });

  afterAll(async () => {
    expect((await house.ask('GET', '/readyz')).status).toBe(200);
    await house.close();
  });

  const keys: readonly (readonly [string, string])[] = [
    ['climbs with ".."', '/http/acme/a/../b'],
    ['climbs with an escaped ".."', '/http/acme/a/%2e%2e/b'],
    ['stands still with "."', '/http/acme/./a'],
    ['has "//"', '/http/acme/a//b'],
    ['ends with "/"', '/http/acme/a/'],
    ['has NUL', '/http/acme/a%00b'],
    ['has a line end', '/http/acme/a%0ab'],
    ['is invalid UTF-8', '/http/acme/a%ff%feb'],
    ['has half a surrogate pair', '/http/acme/a%ed%a0%80b'],
    ['has a broken escape', '/http/acme/a%zzb'],
    ['has half an escape', '/http/acme/a%2'],
    ['climbs behind an escaped "/"', '/http/acme/a%2F..%2Fb'],
    ['has an escaped "//"', '/http/acme/a%2F%2Fb'],
    ['ends with an escaped "/"', '/http/acme/a%2f'],
    ['has a "/" that is escaped twice in its project', '/http/acme%252Fa/b'],
    ['is 2 kB long', `/http/acme/${'k'.repeat(2_048)}`],
    ['is empty', '/http/acme/'],
    ['has no project', '/http/'],
    ['has a project that is none', '/http/a%20b/key'],
    ['names a lock file', '/http/acme/a.tflock'],
    ['has a workspace that is none', '/http/acme/a?workspace=a%2Fb'],
    ['has a broken escape in its query', '/http/acme/a?workspace=%zz'],
    ['waits for no duration', '/http/acme/a?wait=soon'],
  ];

  it.each(keys)('because its address %s, is answered 400', async (_what, target) => {
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', sampleState(1)],
      ['LOCK', sampleLock('lock-1')],
    ] as const) {
      const answer = await house.ask(method, target, body === undefined ? {} : { body });
      expect([method, answer.status]).toEqual([method, 400]);
      expect(JSON.parse(answer.text)).toMatchObject({
        error: 'address',
        message: expect.stringMatching(/\w{4,}/) as string,
      });
    }
    const page = await house.house.states.list(ADMIN_CALLER, { limit: 9, deleted: true });
    expect(page).toMatchObject({ states: [] });
  });

  it('because its path and query are longer than any address, is answered 414', async () => {
    const answer = await house.ask('GET', `/http/acme/${'k'.repeat(9_000)}`);
    expect(answer.status).toBe(414);
  });

  it('because its headers are longer than any client sends, is answered 431', async () => {
    const answer = await house.ask('GET', '/http/acme/a', { headers: { 'x-long': 'x'.repeat(40_000) } });
    expect(answer.status).toBe(431);
  });

  it.each(['/nowhere', '/http', '/HTTP/acme/a', '/.git/config', '/..'])(
    'because nobody answers at %s, is answered 404',
    async (target) => {
      const answer = await house.ask('GET', target);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.text)).toMatchObject({ error: 'unknown-route' });
    },
  );

  it('because its method is not done here, is answered 405 with those that are', async () => {
    const answer = await house.ask('PATCH', '/http/acme/a');
    expect(answer.status).toBe(405);
    expect(answer.text).toContain('GET, HEAD, POST, PUT, DELETE, LOCK, UNLOCK');
    expect(answer.headers.allow).toBe('GET, HEAD, POST, PUT, DELETE, LOCK, UNLOCK');
  });

  const locks: readonly (readonly [string, string, RegExp])[] = [
    ['is no JSON', 'let me in', /JSON/],
    ['is empty', '', /JSON/],
    ['is no object', '"lock"', /object/],
    ['has no ID', '{"Operation":"OperationTypeApply"}', /no ID/],
    ['has an ID that is no text', '{"ID":7}', /string/],
    ['was created at no time', '{"ID":"a","Created":"yesterday"}', /RFC 3339/],
    ['is longer than any', JSON.stringify({ ID: 'a', Info: 'x'.repeat(70_000) }), /at most/],
  ];

  it.each(locks)('because its lock info %s, is answered 400', async (_what, body, says) => {
    const answer = await house.ask('LOCK', '/http/acme/lock', { body });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(says);
    expect((await house.ask('GET', '/http/acme/lock?lock')).status).toBe(404);
  });

  it('because nothing is locked there, is answered 409', async () => {
    const answer = await house.ask('UNLOCK', '/http/acme/unlocked', { body: sampleLock('lock-1') });
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('not locked');
    expect((await house.ask('UNLOCK', '/http/acme/unlocked')).status).toBe(409);
  });

  it('because it unlocks with another ID, is answered 409 and told who holds the lock', async () => {
    const target = '/http/acme/held';
    await house.ask('LOCK', target, { body: sampleLock('lock-1') });
    const answer = await house.ask('UNLOCK', target, { body: sampleLock('lock-2') });
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('lock lock-1 is held by token:admin');
    expect((await house.ask('GET', `${target}?lock`)).status).toBe(200);
  });

  it('because it deletes what is not there, is answered 404', async () => {
    expect((await house.ask('DELETE', '/http/acme/absent')).status).toBe(404);
  });

  it('because two lengths are told of its body, is answered 400 by whoever reads it', async () => {
    await using connection = await RawConnection.open(house.url);
    connection.send(
      'POST /http/acme/a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    await eventually('the refusal comes', () => connection.heard !== '');
    expect(connection.heard).toMatch(/^HTTP\/1\.1 400 /);
    await eventually('the connection is closed', () => connection.closed);
  });

  it('because it is no HTTP at all, is answered 400', async () => {
    await using connection = await RawConnection.open(house.url);
    connection.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello?\r\n\r\n');
    await eventually('the refusal comes', () => connection.closed);
    expect(connection.heard).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a credential that does not open the http door', () => {
  let house: TestHouse;
  const state = sampleState(1);

  beforeAll(async () => {
    house = await TestHouse.open();
    expect((await house.ask('POST', '/http/acme/a', { body: state })).status).toBe(200);
  });

  afterAll(async () => {
    await house.close();
  });

  const attempts: readonly (readonly [string, string | undefined])[] = [
    ['is missing', undefined],
    ['has a wrong secret', `Basic ${base64(`${TEST_ADMIN.id}:${'x'.repeat(40)}`)}`],
    ['has an id that nobody has', `Basic ${base64(`SHNOBODY:${TEST_ADMIN.secret}`)}`],
    ['is empty', 'Basic '],
    ['is no base64', 'Basic !!!!'],
    ['has no colon', `Basic ${base64('justoneword')}`],
    ['is a bearer token that nobody has', 'Bearer SHNOBODY.secret'],
    ['is half a bearer token', `Bearer ${TEST_ADMIN.id}`],
    ['is of a scheme that is not taken', `Digest username="${TEST_ADMIN.id}"`],
    ['is longer than any', `Bearer ${'x'.repeat(20_000)}`],
  ];

  it.each(attempts)('because it %s, is answered 401, whatever is asked', async (_what, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', sampleState(2)],
      ['DELETE', undefined],
      ['LOCK', sampleLock('lock-1')],
      ['UNLOCK', undefined],
    ] as const) {
      const options = { as: null, headers, ...(body === undefined ? {} : { body }) };
      const answer = await house.ask(method, '/http/acme/a', options);
      expect([method, answer.status]).toEqual([method, 401]);
      expect(answer.headers['www-authenticate']).toContain('Basic');
      expect(answer.text).not.toContain('lineage-1');
    }
    expect((await house.ask('GET', '/http/acme/a')).text).toBe(state);
  });

  it('because it may only read, is answered 403 when it would change something', async () => {
    const pair = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    expect((await house.ask('GET', '/http/acme/a', { as: pair })).status).toBe(200);
    for (const [method, body] of [
      ['POST', sampleState(2)],
      ['DELETE', undefined],
      ['LOCK', sampleLock('lock-1')],
      ['UNLOCK', sampleLock('lock-1')],
    ] as const) {
      const options = { as: pair, ...(body === undefined ? {} : { body }) };
      const answer = await house.ask(method, '/http/acme/a', options);
      expect([method, answer.status]).toEqual([method, 403]);
      expect(answer.text).toContain('token:reader');
    }
    expect((await house.ask('GET', '/http/acme/a')).text).toBe(state);
  });

  it('because it is for another project, another key or another workspace, is answered 403', async () => {
    const pair = await house.credential('narrow', [{ role: 'writer', pattern: 'acme/net/*@dev' }]);
    const at = async (target: string): Promise<number> =>
      (await house.ask('GET', target, { as: pair })).status;
    expect(await at('/http/acme/net/x?workspace=dev')).toBe(404);
    expect(await at('/http/acme/net/x')).toBe(403);
    expect(await at('/http/acme/a?workspace=dev')).toBe(403);
    expect(await at('/http/other/net/x?workspace=dev')).toBe(403);
    expect(await at('/http/acme/network?workspace=dev')).toBe(403);
  });

  it('because it is only for outputs, is answered 403 for the whole state', async () => {
    const pair = await house.credential('outputs', [{ role: 'outputs', pattern: '*' }]);
    expect((await house.ask('GET', '/http/acme/a', { as: pair })).status).toBe(403);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
