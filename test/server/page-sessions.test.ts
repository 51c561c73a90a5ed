import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS } from '../../src/core/audit-actions.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { basic, comeFromElsewhere, type Answer, type Ask } from '../support/request.ts';
import type { Pair } from '../support/test-admin.ts';

const SESSION = '/api/v1/session';
const JSON_TYPE = { 'content-type': 'application/json' };
/** What a browser says of a request of a page of this server. */
const OWN = { 'sec-fetch-site': 'same-origin' };

let house: TestHouse;
let reader: Pair;

beforeAll(async () => {
  house = await TestHouse.open();
  reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
});
afterAll(() => house.close());

const signIn = (pair: Pair | string, more: Ask = {}): Promise<Answer> =>
  house.ask('POST', SESSION, {
    as: null,
    ...more,
    headers: { ...JSON_TYPE, ...OWN, ...more.headers },
    body: JSON.stringify({ credential: typeof pair === 'string' ? pair : `${pair.id}.${pair.secret}` }),
  });

/** The `Cookie` that a browser sends after this answer. */
function cookieOf({ headers }: Answer): string {
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

const by = (cookie: string, method = 'GET', path = SESSION, more: Ask = {}): Promise<Answer> =>
  house.ask(method, path, { as: null, ...more, headers: { cookie, ...OWN, ...more.headers } });

describe('a session of the page', () => {
  it('stands for the credential, in a cookie that no script reads and no other site sends', async () => {
    const begun = await signIn(reader);
    expect(begun.status).toBe(201);
    expect(begun.headers['set-cookie']).toHaveLength(1);
    expect(begun.headers['set-cookie']?.[0]).toMatch(
      /^statehouse-session=[\w-]{60,}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(begun.text).not.toContain(reader.secret);
    const shown = JSON.parse((await by(cookieOf(begun))).text) as Record<string, unknown>;
    expect(shown).toMatchObject({
      subject: 'token:reader',
      credential: reader.id,
      onServer: [],
      somewhere: ['read-outputs', 'read', 'read-history', 'list'],
      session: { since: expect.any(String) as string },
    });
    expect((await by(cookieOf(begun), 'GET', '/api/v1/whoami')).text).toContain('token:reader');
    expect((await by(cookieOf(begun), 'GET', '/api/v1/credentials')).status).toBe(403);
  });

  it('is Secure, and kept to this host, where a proxy that is trusted says that it ends TLS', async () => {
    await using behind = await TestHouse.open({ trustedProxies: ['127.0.0.0/8'] });
    const pair = await behind.credential('r', [{ role: 'reader', pattern: '*' }]);
    const headers = { ...JSON_TYPE, ...OWN, 'x-forwarded-proto': 'https' };
    const body = JSON.stringify({ credential: `${pair.id}.${pair.secret}` });
    const begun = await behind.ask('POST', SESSION, { as: null, headers, body });
    expect(begun.headers['set-cookie']?.[0]).toMatch(/^__Host-statehouse-session=.*; Secure$/);
    const cookie = cookieOf(begun);
    expect((await behind.ask('GET', SESSION, { as: null, headers: { ...headers, cookie } })).status).toBe(
      200,
    );
    // What came without TLS may have been planted.
    const planted = { ...headers, cookie: cookie.replace('__Host-', '') };
    expect((await behind.ask('GET', SESSION, { as: null, headers: planted })).status).toBe(401);
    // From anywhere else the header says nothing.
    const plain = await signIn(reader, { headers: { 'x-forwarded-proto': 'https' } });
    expect(plain.headers['set-cookie']?.[0]).not.toContain('Secure');
  });

  it('is good for the API alone', async () => {
    const cookie = cookieOf(await signIn(reader));
    for (const path of ['/http/acme/net', '/metrics', '/v1/kv/acme/net', '/storage/v1/b?project=x'])
      expect([401, 403], path).toContain((await by(cookie, 'GET', path)).status);
  });

  it('is of no use to other pages, not even of the same machine', async () => {
    const cookie = cookieOf(await signIn(reader));
    const status = async (method: string, headers: Ask['headers']): Promise<number> =>
      (await house.ask(method, SESSION, { as: null, headers: { cookie, ...headers } })).status;
    const host = new URL(house.url).host;
    expect(await status('GET', {})).toBe(200);
    expect(await status('GET', { 'sec-fetch-site': 'none' })).toBe(200);
    for (const site of ['cross-site', 'same-site'])
      expect(await status('GET', { 'sec-fetch-site': site })).toBe(403);
    for (const site of ['cross-site', 'same-site', 'none'])
      expect(await status('DELETE', { 'sec-fetch-site': site })).toBe(403);
    expect(await status('DELETE', {})).toBe(403);
    expect(await status('DELETE', { origin: 'http://127.0.0.1:1' })).toBe(403);
    expect(await status('DELETE', { origin: `http://${host}` })).toBe(200);
  });

  it('ends where it is ended, with the streams that were opened in it', async () => {
    const cookie = cookieOf(await signIn(reader));
    const other = cookieOf(await signIn(reader));
    const stream = await fetch(`${house.url}/api/v1/events`, { headers: { cookie, ...OWN } });
    expect(stream.status).toBe(200);
    const ended = await by(cookie, 'DELETE');
    expect(ended.text).toContain('"ended":true');
    expect(ended.headers['set-cookie']?.[0]).toMatch(/^statehouse-session=; .*Max-Age=0/);
    expect((await by(cookie)).status).toBe(401);
    expect((await by(other)).status).toBe(200);
    const began = Date.now();
    await stream.text().catch(() => undefined);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect((await house.ask('DELETE', SESSION, { as: reader })).text).toContain('"ended":false');
  });

  it('dies with its credential, at once and with its streams', async () => {
    const pair = await house.credential('leaver', [{ role: 'admin', pattern: '*' }]);
    const cookie = cookieOf(await signIn(pair));
    const stream = await fetch(`${house.url}/api/v1/events`, { headers: { cookie, ...OWN } });
    await house.house.credentials.revoke(ADMIN_CALLER, pair.id);
    expect((await by(cookie)).status).toBe(401);
    const began = Date.now();
    await stream.text().catch(() => undefined);
    expect(Date.now() - began).toBeLessThan(2_500);
  });

  it('ends with the expiry of its credential, which has no grace here', async () => {
    const pair = await house.credential('soon', [{ role: 'admin', pattern: '*' }], Date.now() + 1_500);
    const begun = await signIn(pair);
    expect(begun.headers['set-cookie']?.[0]).toMatch(/Max-Age=1;/);
    expect((await by(cookieOf(begun))).status).toBe(200);
    await eventually('it has ended', async () => (await by(cookieOf(begun))).status === 401);
    expect((await signIn(pair)).status).toBe(401);
  });

  it('ends when nothing is asked, goes on when something is, and ends at last', async () => {
    await using brief = await TestHouse.open({ pageSessionIdle: 1_000, pageSessionLength: 3_000 });
    const pair = await brief.credential('r', [{ role: 'reader', pattern: '*' }]);
    const body = JSON.stringify({ credential: `${pair.id}.${pair.secret}` });
    const begun = await brief.ask('POST', SESSION, { as: null, headers: { ...JSON_TYPE, ...OWN }, body });
    const began = Date.now();
    const first = cookieOf(begun);
    let cookie = first;
    while (Date.now() - began < 2_000) {
      const answer = await brief.ask('GET', SESSION, { as: null, headers: { cookie, ...OWN } });
      if (answer.status !== 200) throw new Error(`${answer.status} after ${Date.now() - began} ms`);
      cookie = cookieOf(answer) === '' ? cookie : cookieOf(answer);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const status = async (shown: string): Promise<number> =>
      (await brief.ask('GET', SESSION, { as: null, headers: { cookie: shown, ...OWN } })).status;
    // A copy of the cookie that was not kept in use is worth nothing any more.
    expect([await status(first), await status(cookie)]).toEqual([401, 200]);
    await eventually('it has ended', async () => {
      const answer = await brief.ask('GET', SESSION, { as: null, headers: { cookie, ...OWN } });
      cookie = cookieOf(answer) === '' ? cookie : cookieOf(answer);
      return answer.status === 401;
    });
    expect(Date.now() - began).toBeGreaterThan(2_500);
  });

  it('makes no other session, and there are ten of a credential at most', async () => {
    const pair = await house.credential('many', [{ role: 'reader', pattern: '*' }]);
    const cookies = [];
    for (const begun of await Promise.all(Array.from({ length: 12 }, () => signIn(pair))))
      cookies.push(cookieOf(begun));
    const statuses = await Promise.all(cookies.map(async (cookie) => (await by(cookie)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    const good = cookies[statuses.indexOf(200)] ?? '';
    expect((await by(good, 'POST', SESSION, { headers: JSON_TYPE, body: '{}' })).status).toBe(401);
  });

  it('is no other house’s, and no token that was changed', async () => {
    const cookie = cookieOf(await signIn(reader));
    const [name = '', token = ''] = cookie.split('=');
    await using elsewhere = await TestHouse.open({ store: { kind: 'memory' }, masterKeys: null });
    const other = await elsewhere.ask('GET', SESSION, { as: null, headers: { cookie, ...OWN } });
    expect(other.status).toBe(401);
    for (const wrong of ['', 'x', token.slice(0, -4), `${token.slice(0, -4)}AAAA`, 'A'.repeat(5_000)])
      expect((await by(`${name}=${wrong}`)).status, wrong).toBe(401);
  });

  it('is begun by no wrong secret, and whoever tries many is put off', async () => {
    comeFromElsewhere();
    const wrong = { id: reader.id, secret: `${reader.secret.slice(0, -4)}AAAA` };
    const refused = await signIn(wrong);
    expect([refused.status, refused.headers['set-cookie']]).toEqual([401, undefined]);
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer /);
    for (const text of ['', '.', 'x'.repeat(3_000)]) expect((await signIn(text)).status).toBe(401);
    // What else the request shows does not count.
    const headers = { authorization: basic(reader) };
    expect((await signIn(wrong, { headers })).status).toBe(401);
    const began = Date.now();
    for (let n = 0; n < 18; n += 1) await signIn(wrong);
    expect(Date.now() - began).toBeGreaterThan(1_000);
    comeFromElsewhere();
  });

  it('is in the audit log, from its begin to its end', async () => {
    const cookie = cookieOf(await signIn(reader));
    await by(cookie, 'DELETE');
    await house.house.audit.flush();
    const { text } = await house.ask('GET', '/api/v1/audit?subject=token:reader&limit=500');
    for (const action of ['sign-in', 'sign-out']) {
      expect(AUDIT_ACTIONS).toContain(action);
      expect(text).toContain(`"action":"${action}"`);
    }
    expect(text).not.toContain(cookie.slice(-20));
  });
});
