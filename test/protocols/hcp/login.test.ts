import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LOGIN_CODE_KIND } from '../../../src/house/records/kinds.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { comeFromElsewhere, type Answer } from '../../support/request.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';

const TOKEN = `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`;
const REDIRECT = 'http://localhost:10003/login';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

interface Login {
  readonly query: Readonly<Record<string, string>>;
  readonly verifier: string;
}

function newLogin(more: Readonly<Record<string, string>> = {}): Login {
  const verifier = `${randomBytes(16).toString('hex')}.4711`;
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const query = {
    client_id: 'terraform-cli',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    redirect_uri: REDIRECT,
    response_type: 'code',
    state: 'a state & more',
    ...more,
  };
  return { query, verifier };
}

describe('the sign-in page', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());
  beforeEach(comeFromElsewhere);

  const page = ({ query }: Login): Promise<Answer> =>
    house.ask('GET', `/oauth/authorization?${new URLSearchParams(query).toString()}`, { as: null });
  const submit = (
    { query }: Login,
    credential: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    house.ask('POST', `/oauth/authorization?${new URLSearchParams(query).toString()}`, {
      as: null,
      headers: { ...FORM, ...headers },
      body: new URLSearchParams({ credential }).toString(),
    });
  const exchange = (
    login: Login,
    code: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    house.ask('POST', '/oauth/token', {
      as: null,
      headers: FORM,
      body: new URLSearchParams({
        client_id: 'terraform-cli',
        code,
        code_verifier: login.verifier,
        grant_type: 'authorization_code',
        redirect_uri: REDIRECT,
        ...more,
      }).toString(),
    });
  const codeOf = (answer: Answer): string =>
    new URL(answer.headers.location ?? '').searchParams.get('code') ?? '';

  it('gives a credential to the program that asked for it, once', async () => {
    const login = newLogin();
    const given = await submit(login, ` ${TOKEN}\n`, { 'sec-fetch-site': 'same-origin' });
    expect(given.status).toBe(302);
    const location = new URL(given.headers.location ?? '');
    expect(`${location.origin}${location.pathname}`).toBe(REDIRECT);
    expect(location.searchParams.get('state')).toBe('a state & more');
    expect(given.headers.location).not.toContain(TEST_ADMIN.secret);
    const code = codeOf(given);
    const exchanged = await exchange(login, code);
    expect(JSON.parse(exchanged.text)).toEqual({ access_token: TOKEN, token_type: 'bearer' });
    const again = await exchange(login, code);
    expect(again).toMatchObject({ status: 400, text: '{"error":"invalid_grant"}' });
  });

  it('keeps no credential that could be read from what is stored', async () => {
    const given = await submit(newLogin(), TOKEN);
    const entries = await house.engine.entries(LOGIN_CODE_KIND);
    expect(entries.length).toBeGreaterThan(0);
    const stored = JSON.stringify(entries);
    expect(stored).not.toContain(TEST_ADMIN.secret);
    expect(stored).not.toContain(codeOf(given));
  });

  it.each([
    ['another program', { code_verifier: 'somebody-elses-verifier' }],
    ['another address', { redirect_uri: 'http://localhost:10004/login' }],
    ['another client', { client_id: 'another' }],
  ])('gives nothing to %s, and nothing to anybody after that', async (_, more) => {
    const login = newLogin();
    const code = codeOf(await submit(login, TOKEN));
    expect((await exchange(login, code, more)).status).toBe(400);
    expect((await exchange(login, code)).status).toBe(400);
  });

  it('lets a code go after ten minutes, and has ten at a time of one credential', async () => {
    const login = newLogin();
    const code = codeOf(await submit(login, TOKEN));
    const name = createHash('sha256').update(code).digest('hex');
    const entry = await house.engine.entry(LOGIN_CODE_KIND, name);
    const aged = { ...entry!, attributes: { ...entry!.attributes, expiresAt: Date.now() - 1 } };
    await house.engine.apply([{ type: 'put-entry', entry: aged, note: null }]);
    expect((await exchange(login, code)).status).toBe(400);
    const pair = await house.credential('many', [{ role: 'reader', pattern: '*' }]);
    const statuses = [];
    for (let times = 0; times < 11; times += 1)
      statuses.push((await submit(newLogin(), `${pair.id}.${pair.secret}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(302), 429]);
  });

  it('tells who gives a wrong credential, or one that has expired', async () => {
    const brief = await house.credential('brief', [{ role: 'reader', pattern: '*' }], Date.now() + 300);
    await sleep(400);
    for (const wrong of ['', 'x', `${TEST_ADMIN.id}.wrong`, `${brief.id}.${brief.secret}`]) {
      const refused = await submit(newLogin(), wrong);
      expect(refused.status).toBe(401);
      expect(refused.text).toContain('missing or invalid');
    }
  });

  it.each([
    ['a program on another machine', { redirect_uri: 'http://example.com:10003/login' }],
    ['another port', { redirect_uri: 'http://localhost:10010/login' }],
    ['no address', { redirect_uri: 'javascript:alert(1)' }],
    ['an address with a user', { redirect_uri: 'http://localhost:1@example.com:10003/login' }],
    ['another kind of answer', { response_type: 'token' }],
    ['a challenge in the clear', { code_challenge_method: 'plain' }],
    ['no challenge', { code_challenge: '' }],
    ['another client', { client_id: 'another' }],
    ['a state without end', { state: 'x'.repeat(2_000) }],
  ])('is not shown for %s, which is sent nothing', async (_, more) => {
    const login = newLogin(more);
    expect((await page(login)).status).toBe(400);
    const answer = await submit(login, TOKEN);
    expect(answer.status).toBe(400);
    expect(answer.headers.location).toBeUndefined();
  });

  it("runs nothing, loads nothing, and is not another site's to send", async () => {
    const shown = await page(newLogin());
    const policy = shown.headers['content-security-policy'];
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' http:\/\/localhost:10003$/,
    );
    expect(shown.headers['referrer-policy']).toBe('no-referrer');
    expect((await submit(newLogin(), TOKEN, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it.each([
    ['/app/settings/tokens?source=terraform-login', 'statehouse credential create'],
    ['/app/acme/net/runs/run-1', 'Workspace net'],
    ['/app/acme/workspaces/net', 'Workspace net'],
    ['/app/%3Cscript%3E/x', '&#60;script&#62;'],
  ])('has pages beside it where terraform sends people: %s', async (path, text) => {
    const shown = await house.ask('GET', path, { as: null });
    expect(shown.status).toBe(200);
    expect(shown.text).toContain(text);
    expect(shown.text).not.toMatch(/<script/i);
    expect(shown.headers['content-security-policy']).toContain("form-action 'none'");
  });

  it.each([
    '',
    'grant_type=password',
    'grant_type=authorization_code',
    'grant_type=authorization_code&code=x&code_verifier=short',
    'x='.repeat(20_000),
  ])('exchanges nothing for %.40s', async (body) => {
    const answer = await house.ask('POST', '/oauth/token', { as: null, headers: FORM, body });
    expect(answer.status).toBe(400);
  });
});
