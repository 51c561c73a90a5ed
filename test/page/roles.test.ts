import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Grant } from '../../src/core/grant.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { go, signedIn } from './fixtures/signed-in.ts';
import { stateWith } from './fixtures/states.ts';

// For each role the page shows and offers what the API would, and nothing else.

const WHO: readonly (readonly [name: string, grant: Grant])[] = [
  ['outputs', { role: 'outputs', pattern: 'acme/*' }],
  ['reader', { role: 'reader', pattern: 'acme/*' }],
  ['writer', { role: 'writer', pattern: 'acme/*' }],
  ['operator', { role: 'operator', pattern: 'acme/*' }],
  ['admin', { role: 'admin', pattern: 'acme/*' }],
  ['admin of all', { role: 'admin', pattern: '*' }],
  ['reader elsewhere', { role: 'reader', pattern: 'other/*' }],
];

interface Row {
  readonly what: string;
  readonly path: string;
  /** Is there where it is shown or offered. */
  readonly shown: string;
  /** What the page would ask, in a form that changes nothing for the others. WHO is who asks. */
  readonly method: string;
  readonly target: string;
  readonly body?: object;
  /** What the answer has in it; without it, any answer that is not a refusal says yes. */
  readonly answers?: string;
}

const get = (what: string, path: string, shown: string, target: string, answers?: string): Row => ({
  what,
  path,
  shown,
  method: 'GET',
  target,
  ...(answers === undefined ? {} : { answers }),
});
const act = (what: string, path: string, shown: string, call: string, body?: object): Row => {
  const [method = '', target = ''] = call.split(' ');
  return { what, path, shown, method, target, ...(body === undefined ? {} : { body }) };
};

const NET = '/s/acme/net';
const OF_NET = 'address=acme/net';
const button = (name: string): string => `button:has-text("${name}")`;
const nav = (name: string): string => `nav[aria-label="Views"] a:text-is("${name}")`;
const UNTIL = new Date(Date.now() + 60_000).toISOString();

const ROWS: readonly Row[] = [
  get('a lock', '/', '.lock-row.holder', '/locks', 'acme/held'),
  act('breaking it', '/', button('Break in…'), 'POST /state/force-unlock?address=acme/held-WHO', {
    lockId: 'of-WHO',
  }),
  get('a state in the list', '/explore', '.state-row', '/states', 'acme/net'),
  get(
    'what is in states',
    '/explore?by=type&q=aws_instance',
    '.found-row',
    '/explore?type=aws_instance',
    'acme/net',
  ),
  get('a state', NET, 'section[aria-label="Newest version"]', `/state?${OF_NET}`),
  get('its contents', NET, '.bars li', `/state/snapshot?${OF_NET}`),
  act('freezing it', NET, button('Freeze…'), 'POST /freezes', {
    pattern: 'acme/x@y',
    reason: 'r',
    until: UNTIL,
  }),
  get('its versions', `${NET}?tab=history`, '.version-row:not(.head)', `/state/versions?${OF_NET}`),
  act('restoring one', `${NET}?tab=history`, button('Restore'), `POST /state/restore?${OF_NET}`, {
    version: 99,
  }),
  get('its outputs', `${NET}?tab=outputs`, 'td.value', `/state/outputs?${OF_NET}`),
  get('the whole text', `${NET}?tab=resources`, 'a[download]', `/state/content?${OF_NET}`),
  act('undeleting', '/s/acme/gone', button('Undelete'), `POST /state/undelete?${OF_NET}`),
  get('the audit log of all', '/activity', '.audit-row', '/audit'),
  get('the audit log of a state', `/activity?${OF_NET}`, '.audit-row', `/audit?${OF_NET}`),
  get('the numbers', '/numbers', 'section[aria-label="Stored"]', '/numbers'),
  get('what a project keeps', '/projects', 'a[href="/explore?q=acme%2F"]', '/projects', '"acme"'),
  act('changing a project', '/projects', button('Change…'), 'PATCH /projects/acme', {}),
  get('credentials', '/credentials', nav('Credentials'), '/credentials'),
  get('how the server is', '/settings', 'section[aria-label="Its keeping"]', '/house'),
];

/** What each row says for each of them, as the rules have it: whoever changes these changes what people see. */
const EXPECTED: Readonly<Record<string, string>> = {
  'a lock': '-yyyyy-',
  'breaking it': '---yyy-',
  'a state in the list': '-yyyyy-',
  'what is in states': '-yyyyy-',
  'a state': '-yyyyy-',
  'its contents': '-yyyyy-',
  'freezing it': '---yyy-',
  'its versions': '-yyyyy-',
  'restoring one': '--yyyy-',
  'its outputs': 'yyyyyy-',
  'the whole text': '-yyyyy-',
  undeleting: '--yyyy-',
  'the audit log of all': '-----y-',
  'the audit log of a state': '----yy-',
  'the numbers': '-yyyyyy',
  'what a project keeps': '-yyyyy-',
  'changing a project': '-----y-',
  credentials: '-----y-',
  'how the server is': '-----y-',
};

describe.skipIf(NO_BROWSER !== null)(`what each role sees of the page (skipped: ${NO_BROWSER})`, () => {
  let house: TestHouse;
  let browser: Browser;

  beforeAll(async () => {
    [house, browser] = await Promise.all([TestHouse.open(), startBrowser()]);
    for (const serial of [1, 2]) await house.ask('POST', '/http/acme/net', { body: stateWith(serial) });
    await house.ask('POST', '/http/acme/gone', { body: stateWith(1) });
    await house.ask('DELETE', '/http/acme/gone');
    await house.ask('LOCK', '/http/acme/held', { body: sampleLock('held') });
    await house.ask('PATCH', '/api/v1/projects/acme', {
      headers: { 'content-type': 'application/json' },
      body: '{"keepVersions":9}',
    });
    await eventually('the index has the state', async () =>
      (await house.ask('GET', '/api/v1/explore?type=aws_instance')).text.includes('acme/net'),
    );
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  async function apiAllows(slug: string, as: Pair, { method, target, body, answers }: Row): Promise<boolean> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body).replace('WHO', slug) };
    const headers = { 'content-type': 'application/json' };
    const { status, text } = await house.ask(method, `/api/v1${target.replace('WHO', slug)}`, {
      as,
      headers,
      ...sent,
    });
    expect(status).not.toBe(401);
    return answers === undefined ? status !== 403 : status === 200 && text.includes(answers);
  }

  /** Whether it is shown once the view has been read; what is expected is waited for. */
  async function isShown(page: Page, { path, shown }: Row, expected: boolean): Promise<boolean> {
    await go(page, path);
    const found = page.locator(shown).first();
    if (!expected) return (await found.count()) > 0;
    return found.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
  }

  it.each(WHO.map(([name, grant], index) => ({ name, grant, index })))(
    'is for $name what the API would do',
    async ({ name, grant, index }) => {
      const slug = name.replaceAll(' ', '-');
      const pair = await house.credential(slug, [grant]);
      await house.ask('LOCK', `/http/acme/held-${slug}`, { body: sampleLock(`of-${slug}`) });
      const { page, context, faults } = await signedIn(browser, house.url, { as: pair });
      const ofPage: Record<string, boolean> = {};
      const ofApi: Record<string, boolean> = {};
      for (const row of ROWS) {
        const allowed = await apiAllows(slug, pair, row);
        ofApi[row.what] = allowed;
        ofPage[row.what] = await isShown(page, row, allowed);
      }
      await context.close();
      const expected = Object.entries(EXPECTED).map(([what, who]) => [what, who[index] === 'y']);
      expect(ofApi).toEqual(Object.fromEntries(expected));
      expect(ofPage).toEqual(ofApi);
      expect(faults).toEqual([]);
    },
  );
});
