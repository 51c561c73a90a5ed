import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { sampleLock } from '../support/sample-state.ts';
import { go, settled, signedIn, signIn, violations, visit, type Visit } from './fixtures/signed-in.ts';
import { HOSTILE_TEXTS, stateWith } from './fixtures/states.ts';

/** Kilobytes of 1,000 bytes, compressed, that the first view may need. */
const FIRST_LOAD_MAX = 150;
const STATE = '/s/acme/net/app@dev';
const NAMED = 'workspace=dev';

describe.skipIf(NO_BROWSER !== null)(`the page (skipped: ${NO_BROWSER})`, () => {
  let house: TestHouse;
  let browser: Browser;
  let open: Visit[] = [];

  beforeAll(async () => {
    [house, browser] = await Promise.all([TestHouse.open(), startBrowser()]);
    for (const serial of [1, 2, 3]) await write(`acme/net/app?${NAMED}`, stateWith(serial));
  });

  afterEach(async () => {
    await Promise.all(open.map(({ context }) => context.close()));
    open = [];
  });

  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  async function write(path: string, state: string): Promise<void> {
    const answer = await house.ask('POST', `/http/${path}`, { body: state });
    if (answer.status !== 200) throw new Error(`${path} was not written: ${answer.status} ${answer.text}`);
  }

  async function lock(path: string, id: string): Promise<void> {
    const answer = await house.ask('LOCK', `/http/${path}`, { body: sampleLock(id) });
    if (answer.status !== 200) throw new Error(`${path} was not locked: ${answer.status}`);
  }

  async function enter(
    ...options: Parameters<typeof signedIn> extends [unknown, unknown, ...infer Rest] ? Rest : never
  ) {
    const made = await signedIn(browser, house.url, ...options);
    open.push(made);
    return made;
  }

  it('lets in who shows a credential, keeps it from scripts, and lets out', async () => {
    const made = await visit(browser, house.url, '/explore');
    open.push(made);
    const { page, context, faults } = made;
    await signIn(page, 'SHWRONG.secret');
    await page.getByRole('alert').waitFor();
    expect(await page.getByLabel('Credential').count()).toBe(1);
    await signIn(page);
    await page.getByRole('heading', { name: 'Explore' }).waitFor();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).toBe(
      '[{},{}]',
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Credential').waitFor();
    await page.reload();
    await page.getByLabel('Credential').waitFor();
    expect(faults).toEqual([]);
  });

  it('shows who is revoked nothing more, within seconds', async () => {
    const pair = await house.credential('soon-gone', [{ role: 'reader', pattern: 'acme/*' }]);
    const { page } = await enter({ as: pair });
    await page.getByText('live', { exact: true }).waitFor();
    await house.house.credentials.revoke(ADMIN_CALLER, pair.id, { breaks: false });
    await page.getByText('Your session has ended').waitFor({ timeout: 10_000 });
  });

  it('offers a reader what a reader may, and says what is for others', async () => {
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    await lock('acme/held', 'held-1');
    const { page, faults } = await enter({ as: reader, path: '/' });
    await page.getByText('acme/held').waitFor();
    expect(await page.getByRole('button', { name: 'Break in…' }).count()).toBe(0);
    const views = page.getByRole('navigation', { name: 'Views' });
    expect(await views.getByRole('link').allTextContents()).not.toContain('Credentials');
    await page.goto(`${house.url}/credentials`);
    await page.getByText('Your credential may not see').first().waitFor();
    await page.goto(`${house.url}${STATE}?tab=history`);
    await page.getByLabel('Compare version 1').waitFor();
    expect(await page.getByRole('button', { name: /^Restore/ }).count()).toBe(0);
    expect(faults).toEqual([]);
    await house.ask('UNLOCK', '/http/acme/held', { body: sampleLock('held-1') });
  });

  it('shows the versions of a state, what differs between two, and brings one back', async () => {
    const { page, faults } = await enter({ path: STATE });
    await page.getByText('Newest version').waitFor();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByLabel('Compare version 1').check();
    await page.getByLabel('Compare version 3').check();
    await page.getByRole('heading', { name: 'What changed from version 1 to 3' }).waitFor();
    const changes = page.getByRole('region', { name: /^What changed/ });
    await changes.getByText('1 instance added, 1 changed, 0 removed').waitFor();
    await changes.getByText('"ami-1"').waitFor();
    await changes.getByText('"ami-3"').waitFor();
    expect(await page.content()).not.toContain('hunter');
    await page.getByRole('button', { name: 'Restore version 1' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('0 instances added, 1 changed, 1 removed').waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Restore it' }).click();
    await dialog.getByText('Restored as version 4').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByText('restores 1').waitFor();
    const { text } = await house.ask('GET', `/http/acme/net/app?${NAMED}`);
    expect(JSON.parse(text)).toMatchObject({ serial: 4, resources: [{ name: 'web' }] });
    expect(faults).toEqual([]);
  });

  it('shows what is in a state, every digit of it and no secret, and what to paste', async () => {
    const { page, faults } = await enter({ path: `${STATE}?tab=resources&version=3` });
    await page.getByRole('link', { name: 'aws_instance.web' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('9007199254740993', { exact: true }).waitFor();
    expect(await dialog.textContent()).toContain('(sensitive value)');
    expect(await page.content()).not.toContain('hunter');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByLabel('Find resources').fill('queue');
    await page.getByRole('link', { name: 'aws_instance.web' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Connect' }).click();
    await page.getByText(`address        = "${house.url}/http/acme/net/app?workspace=dev"`).waitFor();
    expect(faults).toEqual([]);
  });

  it('finds a resource by its ID and leads to it', async () => {
    await eventually('the index has the state', async () =>
      (await house.ask('GET', '/api/v1/explore?value=i-0abc')).text.includes('aws_instance.web'),
    );
    const { page, faults } = await enter({ path: '/explore' });
    await page.getByLabel('Find', { exact: true }).selectOption('value');
    await page.getByLabel('What to find').fill('i-0abc');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'aws_instance.web' }).first().click();
    await page.getByRole('dialog', { name: 'Attributes' }).getByText('"i-0abc"').waitFor();
    expect(faults).toEqual([]);
  });

  it('brings a deleted state back', async () => {
    await write('acme/gone', stateWith(1));
    await house.ask('DELETE', '/http/acme/gone');
    const { page } = await enter({ path: '/explore?deleted=1' });
    await page.getByRole('link', { name: 'acme/gone' }).click();
    await page.getByRole('button', { name: 'Undelete' }).click();
    await page.getByRole('button', { name: 'Undelete' }).waitFor({ state: 'detached' });
    expect((await house.ask('GET', '/http/acme/gone')).status).toBe(200);
  });

  it('shows who was refused what, in words and in full, and saves it as a file', async () => {
    const curious = await house.credential('curious', [{ role: 'reader', pattern: 'other/*' }]);
    expect((await house.ask('GET', `/http/acme/net/app?${NAMED}`, { as: curious })).status).toBe(403);
    const { page, faults } = await enter({ path: '/activity' });
    await page.getByLabel('Only refused').check();
    await page.getByLabel('Who').fill('token:curious');
    await page.getByLabel('Who').press('Enter');
    const row = page.locator('.audit-row', { hasText: 'read the state' });
    await row.getByText('refused', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Details' }).click();
    await page.getByRole('dialog').getByText(curious.id).waitFor();
    await page.keyboard.press('Escape');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export CSV' }).click();
    const text = await readFile(await (await saved).path(), 'utf8');
    expect(text).toMatch(/^id,at,subject,.*\r\n\d+,[^,]+,token:curious,read,acme\/net\/app@dev,http,/);
    expect(faults).toEqual([]);
  });

  it('makes a credential, shows its secret once, and revokes it', async () => {
    const { page } = await enter({ path: '/credentials' });
    await page.getByRole('button', { name: 'New credential' }).click();
    await page.getByLabel('Name').fill('from-the-page');
    await page.getByLabel('On 1').fill('acme/net/*');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).click();
    const whole = (await page.getByRole('dialog').locator('pre').textContent()) ?? '';
    const [id = '', secret = ''] = whole.split('.');
    expect((await house.ask('GET', '/api/v1/whoami', { as: { id, secret } })).status).toBe(200);
    await page.getByRole('button', { name: 'I have it' }).click();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Revoke from-the-page' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect((await house.ask('GET', '/api/v1/whoami', { as: { id, secret } })).status).toBe(401);
  });

  it('is used with the keyboard alone', async () => {
    const { page, faults } = await enter({ path: '/settings' });
    await page.getByRole('heading', { name: 'This server' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.getByRole('heading', { name: 'Explore' }).waitFor();
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.getByRole('combobox').fill('net/app');
    await page.getByRole('option', { name: 'acme/net/app@dev' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('Newest version').waitFor();
    expect(new URL(page.url()).pathname).toBe(STATE);
    expect(faults).toEqual([]);
  });

  it('takes no text for markup, whoever wrote it, and shows what is not seen', async () => {
    for (const [index, text] of HOSTILE_TEXTS.entries()) {
      const key = encodeURIComponent(`hostile-${index}-${text}`.slice(0, 200));
      await write(`evil/${key}`, stateWith(1, { text, secret: 'x' }));
      const who = JSON.stringify({
        ...(JSON.parse(sampleLock(`id-${index}`)) as object),
        Who: text.slice(0, 900),
        Info: text.slice(0, 900),
      });
      expect((await house.ask('LOCK', `/http/evil/${key}`, { body: who })).status).toBe(200);
    }
    const { page, faults } = await enter({ path: '/?project=evil' });
    await page
      .locator('.lock-row.holder')
      .nth(HOSTILE_TEXTS.length - 1)
      .waitFor();
    expect(await page.locator('.lock-row').allTextContents()).not.toContainEqual(
      expect.stringContaining('\u202e'),
    );
    expect(await page.locator('bdi').allTextContents()).toContainEqual(expect.stringContaining('⟨U+202E⟩'));
    for (const tab of ['overview', 'resources', 'outputs', 'history', 'connect']) {
      await page.goto(`${house.url}/explore?q=evil/`);
      await page.locator('.state-row a').first().click();
      await page.goto(`${page.url()}?tab=${tab}`);
      await page.getByRole('navigation', { name: 'Parts of the state' }).waitFor();
      await settled(page);
    }
    expect(await page.evaluate('window.hacked')).toBe(undefined);
    expect(await page.locator('main img, main iframe, main script').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('shows a state of many thousand instances with a text of a megabyte', async () => {
    const many = amountOf('STATEHOUSE_PAGE_INSTANCES', { few: 2_000, many: 100_000 });
    await write('acme/huge', stateWith(1, { text: 'x'.repeat(1_000_000), instances: many }));
    const { page, faults } = await enter({ path: '/s/acme/huge?tab=resources' });
    await page.getByText(`${(many + 1).toLocaleString('en')} instances`).waitFor();
    await page.getByLabel('Find resources').fill('aws_instance.web');
    await page
      .getByRole('button', { name: /^▸ aws_instance|aws_instance/ })
      .first()
      .waitFor();
    expect(await page.locator('.tree-row').count()).toBeLessThan(150);
    await page.goto(`${house.url}/s/acme/huge?tab=outputs`);
    await page.getByText('more characters').first().waitFor();
    expect(faults).toEqual([]);
  });

  it('loads little at first, from this server alone, and tells no other who reads', async () => {
    const made = await visit(browser, 'about:blank', '');
    open.push(made);
    const { page } = made;
    const asked: string[] = [];
    const sizes: Promise<number>[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('response', (response) => {
      if (/\/assets\/|\/$/.test(response.url()))
        sizes.push(
          response
            .request()
            .sizes()
            .then(({ responseBodySize }) => responseBodySize),
        );
    });
    await page.goto(house.url);
    await signIn(page);
    await page.getByRole('heading', { name: 'Now' }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(sizes.length).toBeGreaterThan(3);
    expect(total / 1_000).toBeLessThan(FIRST_LOAD_MAX);
    expect(asked.filter((url) => !url.startsWith(house.url))).toEqual([]);
  });

  it.each([
    { scheme: 'light', on: 'a desk', viewport: { width: 1_280, height: 800 }, rules: null },
    { scheme: 'dark', on: 'a phone', viewport: { width: 390, height: 780 }, rules: ['color-contrast'] },
  ] as const)('keeps nobody out, in $scheme on $on', async ({ scheme, viewport, rules }) => {
    const { page, faults } = await enter({ colorScheme: scheme, viewport });
    const views = [
      '/',
      `${STATE}`,
      `${STATE}?tab=history&from=1&to=3`,
      `${STATE}?tab=resources`,
      `${STATE}?tab=outputs`,
    ];
    const others = [
      `${STATE}?tab=connect`,
      '/explore',
      '/activity',
      '/credentials?on=acme/net/app@dev',
      '/numbers',
      '/projects',
      '/settings',
    ];
    for (const path of [...views, ...others]) {
      await go(page, path);
      expect([path, await violations(page, rules)]).toEqual([path, []]);
      const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect([path, await page.evaluate(beyond)]).toEqual([path, 0]);
    }
    expect(faults).toEqual([]);
  });
});
