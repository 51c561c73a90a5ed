import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { basic, type Answer } from '../../support/request.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';

describe('what the http door answers', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });

  afterAll(async () => {
    await house.close();
  });

  const fresh = (): string => `/http/acme/answers-${(count += 1)}`;

  const lock = (target: string, lockId: string, query = ''): Promise<Answer> =>
    house.ask('LOCK', `${target}${query}`, { body: sampleLock(lockId) });

  it('takes an escaped "/" as a plain one, as blocks for GitLab write it, and keeps one state', async () => {
    const plain = fresh();
    const [, , project = '', name = ''] = plain.split('/');
    const names = [
      `/http/${project}/${name}%2Fnet`,
      `/http/${project}/${name}%2fnet`,
      `/http/${project}%2F${name}/net`,
    ];
    for (const [index, target] of names.entries()) {
      expect((await lock(target, `lock-${index}`)).status).toBe(200);
      const body = sampleState(index + 1);
      expect((await house.ask('POST', `${target}?ID=lock-${index}`, { body })).status).toBe(200);
      expect((await house.ask('GET', `${plain}/net`)).text).toBe(body);
      expect((await lock(`${plain}/net`, 'another')).status).toBe(423);
      const freed = await house.ask('UNLOCK', `${plain}/net`, { body: sampleLock(`lock-${index}`) });
      expect(freed.status).toBe(200);
    }
  });

  it.each([2_000, 600_000])(
    'gives a state of %d bytes back as it came, plain and compressed',
    async (size) => {
      const target = fresh();
      const state = sampleState(1, { size });
      const sha256 = createHash('sha256').update(state).digest('hex');
      const written = await house.ask('POST', target, { body: state });
      expect(written.headers).toMatchObject({ etag: `"${sha256}"`, 'x-statehouse-version': '1' });

      const plain = await house.ask('GET', target);
      expect(plain.text).toBe(state);
      expect(plain.headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(state.length),
        'content-md5': createHash('md5').update(state).digest('base64'),
        'cache-control': 'no-store',
        etag: `"${sha256}"`,
        vary: 'accept-encoding',
        'x-statehouse-serial': '1',
      });
      const packed = await house.ask('GET', target, { headers: { 'accept-encoding': 'gzip' } });
      expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', etag: `"${sha256}-gzip"` });
      expect(gunzipSync(packed.bytes).toString()).toBe(state);
      const refused = await house.ask('GET', target, { headers: { 'accept-encoding': 'gzip;q=0, br' } });
      expect(refused.text).toBe(state);
      const head = await house.ask('HEAD', target);
      expect([head.status, head.text, head.headers['content-length']]).toEqual([
        200,
        '',
        String(state.length),
      ]);
    },
  );

  it('sends nothing to who has it already, by either ETag', async () => {
    const target = fresh();
    await house.ask('POST', target, { body: sampleState(1) });
    const etag = (await house.ask('GET', target)).headers.etag ?? '';
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*', etag.replace(/"$/, '-gzip"')]) {
      const answer = await house.ask('GET', target, { headers: { 'if-none-match': tag } });
      expect([tag, answer.status, answer.text]).toEqual([tag, 304, '']);
      expect(answer.headers.etag).toContain(etag.slice(1, -1));
    }
    await house.ask('PUT', target, { body: sampleState(2) });
    const changed = await house.ask('GET', target, { headers: { 'if-none-match': etag } });
    expect(changed).toMatchObject({ status: 200, text: sampleState(2) });
  });

  it('grants the lock, again to who has it, and tells anybody else who that is', async () => {
    const target = fresh();
    const granted = await lock(target, 'mine');
    expect(granted.status).toBe(200);
    const again = await lock(target, 'mine');
    expect([again.status, again.headers['x-statehouse-fence']]).toEqual([
      200,
      granted.headers['x-statehouse-fence'],
    ]);
    const refused = await lock(target, 'yours');
    expect(refused.status).toBe(423);
    // The ID first: Terraform up to 1.14 looks for nothing else.
    expect(refused.text).toMatch(/^\{"ID":"mine","Operation":"OperationTypeApply","Info":"/);
    expect(JSON.parse(refused.text)).toMatchObject({
      Who: 'alice@laptop',
      Created: '2026-11-20T06:14:26.010866985Z',
      Info: expect.stringMatching(
        /^held by token:\S+ \(alice@laptop, apply\) for \ds; see http:\/\/[\d.:]+\/s\/acme\/\S+$/,
      ) as string,
    });
    const shown = await house.ask('GET', `${target}?lock`);
    expect(JSON.parse(shown.text)).toMatchObject({ ID: 'mine' });
    expect((await house.ask('UNLOCK', target, { body: sampleLock('mine') })).status).toBe(200);
    expect((await house.ask('UNLOCK', target, { body: sampleLock('mine') })).status).toBe(200);
    expect((await house.ask('GET', `${target}?lock`)).status).toBe(404);
    expect(Number((await lock(target, 'next')).headers['x-statehouse-fence'])).toBe(2);
  });

  it('tells Terraform before 1.15, which prints the ID alone, below the ID', async () => {
    const target = fresh();
    await lock(target, 'mine');
    const ask = async (version: string, agent: string): Promise<{ ID: string; Info: string }> => {
      const body = JSON.stringify({ ...(JSON.parse(sampleLock('yours')) as object), Version: version });
      const { text } = await house.ask('LOCK', target, { body, headers: { 'user-agent': agent } });
      return JSON.parse(text) as { ID: string; Info: string };
    };
    const told = await ask('1.14.9', 'Go-http-client/1.1');
    expect(told.ID.split('\n')).toEqual([
      'mine',
      expect.stringMatching(/^held by token:\S+ \(alice@laptop, apply\) for \ds$/),
      `see ${house.url}/s/${target.slice(6)}`,
      'to wait in line: -lock-timeout=10m; if its holder is dead:',
      `  statehouse force-unlock ${target.slice(6)}`,
      expect.stringContaining('before 1.15'),
    ]);
    expect((await ask('1.15.0', 'Go-http-client/1.1')).ID).toBe('mine');
    expect((await ask('1.14.9', 'curl/8')).ID).toBe('mine');
    expect((await ask('', 'Go-http-client/1.1')).ID).toBe('mine');
  });

  it('breaks no young lock for who does not name it, and says what does', async () => {
    const target = fresh();
    await lock(target, 'mine');
    const refused = await house.ask('UNLOCK', target);
    expect([refused.status, JSON.parse(refused.text)]).toEqual([
      425,
      expect.objectContaining({
        error: 'too-young',
        locks: ['mine'],
        message: expect.stringContaining(`statehouse force-unlock ${target.slice(6)}`) as string,
      }),
    ]);
    expect((await house.ask('GET', `${target}?lock`)).status).toBe(200);
    expect((await house.ask('UNLOCK', `${target}?ID=mine`)).status).toBe(200);
  });

  it('takes the lock by PUT and POST, and releases it by DELETE, with the ID in the body or in the query', async () => {
    const target = fresh();
    for (const method of ['PUT', 'POST', 'LOCK'] as const) {
      expect((await house.ask(method, `${target}?lock`, { body: sampleLock(method) })).status).toBe(200);
      const named = method === 'PUT' ? `${target}?lock&ID=PUT` : `${target}?lock`;
      const body = method === 'PUT' ? {} : { body: sampleLock(method) };
      expect((await house.ask('DELETE', named, body)).status).toBe(200);
    }
    expect((await house.ask('GET', target)).status).toBe(404);
  });

  it('takes a bearer token', async () => {
    const headers = { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
    expect((await house.ask('GET', fresh(), { as: null, headers })).status).toBe(404);
  });

  it('lets a forced push go back, and says in the history that it did', async () => {
    const target = fresh();
    await house.ask('POST', target, { body: sampleState(9) });
    await house.ask('LOCK', target, { body: sampleLock('push', 'state-push') });
    const pushed = await house.ask('POST', `${target}?ID=push`, {
      body: sampleState(3, { lineage: 'other' }),
    });
    expect(pushed.status).toBe(200);
    const [, , project = '', key = ''] = target.split('/');
    const address = { project, key, workspace: 'default' };
    expect(await house.house.history.versions(ADMIN_CALLER, address, { limit: 1 })).toMatchObject({
      type: 'versions',
      versions: [{ number: 2, forced: true, operation: 'state-push', lockId: 'push' }],
    });
  });

  it('refuses what a plan would write under its lock', async () => {
    const target = fresh();
    await house.ask('LOCK', target, { body: sampleLock('plan', 'OperationTypePlan') });
    const answer = await house.ask('POST', `${target}?ID=plan`, { body: sampleState(1) });
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('a plan may not write');
  });

  it('holds a request open with ?wait, hands it the lock, and takes back what its client never heard of', async () => {
    const target = fresh();
    await lock(target, 'holder');
    await using gone = await RawConnection.open(house.url);
    const body = sampleLock('gone');
    gone.send(
      `LOCK ${target}?wait=1m HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(TEST_ADMIN)}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await house.untilParked(1);
    const patient = lock(target, 'patient', '?wait=1m');
    await house.untilParked(2);
    gone.drop();
    await house.ask('UNLOCK', target, { body: sampleLock('holder') });
    expect((await patient).status).toBe(200);
    expect(JSON.parse((await house.ask('GET', `${target}?lock`)).text)).toMatchObject({ ID: 'patient' });
  });

  it('sends waiting requests away when the house closes, and closes without waiting for them', async () => {
    const closing = await TestHouse.open({ shutdownMs: 20_000 });
    await closing.ask('LOCK', '/http/acme/a', { body: sampleLock('holder') });
    const waiting = closing.ask('LOCK', '/http/acme/a?wait=10m', { body: sampleLock('waiter') });
    await closing.untilParked(1);
    const began = performance.now();
    await closing.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await waiting).toMatchObject({ status: 423 });
  });
});
