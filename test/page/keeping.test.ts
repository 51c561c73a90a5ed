import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { signedIn, violations, type Visit } from './fixtures/signed-in.ts';
import { stateWith } from './fixtures/states.ts';

// What whoever keeps the server does at the page.

describe.skipIf(NO_BROWSER !== null)(`keeping a server by its page (skipped: ${NO_BROWSER})`, () => {
  let house: TestHouse;
  let browser: Browser;
  let writer: Pair;
  let open: Visit[] = [];

  beforeAll(async () => {
    [house, browser] = await Promise.all([TestHouse.open(), startBrowser()]);
    writer = await house.credential('writer', [{ role: 'writer', pattern: '*' }]);
    await house.ask('POST', '/http/acme/net', { body: stateWith(1), as: writer });
  });
  afterEach(async () => {
    await Promise.all(open.map(({ context }) => context.close()));
    open = [];
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  async function enter(path: string): Promise<Visit> {
    const made = await signedIn(browser, house.url, { path });
    open.push(made);
    return made;
  }

  const lock = (path: string, id: string, method = 'LOCK'): Promise<{ status: number }> =>
    house.ask(method, `/http/${path}`, { body: sampleLock(id), as: writer });
  const submit = (page: Page, name: string): Promise<void> =>
    page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

  it('freezes applies with a reason, and ends it', async () => {
    const { page, faults } = await enter('/s/acme/net');
    await page.getByRole('button', { name: 'Freeze…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Freeze applies' });
    expect(await dialog.getByLabel('What').inputValue()).toBe('acme/net@default');
    await dialog.getByLabel('Why').fill('a <b>release</b>');
    expect(await violations(page)).toEqual([]);
    await submit(page, 'Freeze');
    await page.getByText('Applies are frozen until').waitFor();
    expect((await lock('acme/net', 'refused')).status).toBe(423);
    await page.goto(`${house.url}/projects`);
    const row = page.getByRole('row', { name: /acme\/net@default/ });
    await row.getByText('a <b>release</b>').waitFor();
    await row.getByRole('button', { name: 'End the freeze of acme/net@default' }).click();
    await submit(page, 'End it');
    await page.getByText('Nothing is frozen').waitFor();
    expect((await lock('acme/net', 'granted')).status).toBe(200);
    await lock('acme/net', 'granted', 'UNLOCK');
    expect(faults).toEqual([]);
  });

  it('sets what a project keeps, how much, and that new states are announced', async () => {
    const { page, faults } = await enter('/projects');
    await page.getByRole('button', { name: 'Change acme' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settings of acme' });
    await dialog.getByLabel('Versions to keep').fill('50');
    await dialog.getByLabel('States', { exact: true }).fill('1');
    await dialog.getByLabel('A new state must be announced').check();
    expect(await violations(page)).toEqual([]);
    await submit(page, 'Save');
    const row = page.getByRole('row', { name: /acme/ });
    await row.getByText('keeps the last 50 versions, quotas').waitFor();
    await row.getByText('1 of 1', { exact: true }).waitFor();
    await row.getByText('new states are announced').waitFor();
    const { text } = await house.ask('GET', '/api/v1/projects/acme');
    expect(JSON.parse(text)).toMatchObject({
      announceFirst: true,
      set: { keepVersions: 50, keepDays: null },
      quota: { set: { quotaStates: 1, quotaSize: null } },
    });
    expect((await lock('acme/mistyped', 'one')).status).toBeGreaterThanOrEqual(400);
    await page.getByRole('button', { name: 'Change acme' }).click();
    await dialog.getByLabel('States', { exact: true }).fill('');
    await dialog.getByLabel('A new state must be announced').uncheck();
    await submit(page, 'Save');
    await row.getByText('new states are announced').waitFor({ state: 'detached' });
    expect((await lock('acme/new', 'one')).status).toBe(200);
    await lock('acme/new', 'one', 'UNLOCK');
    expect(faults).toEqual([]);
  });

  it('makes a credential of several grants, and shows what it may do as a matrix', async () => {
    const { page, faults } = await enter('/credentials');
    await page.getByRole('button', { name: 'New credential' }).click();
    const dialog = page.getByRole('dialog', { name: 'New credential' });
    await dialog.getByLabel('Name').fill('ci-prod');
    await dialog.getByLabel('On 1').fill('acme/*@dev');
    for (const pattern of ['never', 'acme/net']) {
      await dialog.getByRole('button', { name: 'Add a grant' }).click();
      await dialog.getByLabel('On').last().fill(pattern);
    }
    await dialog.getByRole('button', { name: 'Remove grant 2' }).click();
    expect(await dialog.getByLabel('On 2').inputValue()).toBe('acme/net');
    expect(await violations(page)).toEqual([]);
    await submit(page, 'Create');
    await submit(page, 'I have it');
    const row = page.getByRole('row', { name: /^ci-prod/ });
    await row.getByText('acme/*@dev').waitFor();
    await row.getByText('acme/net', { exact: true }).waitFor();
    const may = async (address: string, what: string): Promise<string | null> => {
      await page.getByLabel('State', { exact: true }).fill(address);
      const matrix = page.getByRole('region', { name: 'Rights' });
      const cells = matrix.getByRole('row', { name: /ci-prod/ });
      await cells.waitFor();
      const heads = await matrix.getByRole('columnheader').allTextContents();
      return cells.locator('th, td').nth(heads.indexOf(what)).textContent();
    };
    expect(await may('acme/net@dev', 'write')).toBe('yes');
    expect(await may('acme/net@prod', 'read')).toBe('yes');
    expect(await may('acme/net@prod', 'write')).toBe('–');
    expect(faults).toEqual([]);
  });

  it('changes what a credential may do and until when, after showing what that means', async () => {
    // Without resources, which other tests look for.
    const body = '{"version":4,"serial":1,"lineage":"changed","outputs":{},"resources":[]}';
    const made = await house.credential('ci-wide', [{ role: 'operator', pattern: 'acme/*' }]);
    expect((await house.ask('POST', '/http/acme/changed', { body, as: made })).status).toBe(200);
    const { page, faults } = await enter('/credentials');
    await page.getByRole('button', { name: 'Change ci-wide' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change this credential' });
    const button = dialog.getByRole('button', { name: 'Change it' });
    expect(await button.isDisabled()).toBe(true);
    expect(await dialog.getByLabel('On 1').inputValue()).toBe('acme/*');
    await dialog.getByLabel('Role 1').selectOption('reader');
    await dialog.getByLabel('With the state').fill('acme/changed');
    const row = dialog.getByRole('row', { name: /^write / });
    expect((await row.getByRole('cell').allTextContents()).map((text) => text.trim())).toEqual([
      'yes',
      '– no more',
    ]);
    await dialog.getByRole('row', { name: /^read yes yes$/ }).waitFor();
    await dialog.getByLabel('Ends').selectOption('30');
    expect(await violations(page)).toEqual([]);
    await submit(page, 'Change it');
    await dialog.waitFor({ state: 'detached' });
    const changed = page.getByRole('row', { name: /ci-wide/ });
    await changed.getByText('reader', { exact: true }).waitFor();
    expect((await house.ask('POST', '/http/acme/changed', { body, as: made })).status).toBe(403);
    expect((await house.ask('GET', '/http/acme/changed', { as: made })).status).toBe(200);
    const { text } = await house.ask('GET', '/api/v1/credentials');
    const { credentials } = JSON.parse(text) as { credentials: { id: string; expiresAt: string | null }[] };
    const days =
      (Date.parse(credentials.find(({ id }) => id === made.id)?.expiresAt ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(30);
    // A pattern that is none is refused by the server, and said.
    await page.getByRole('button', { name: 'Change ci-wide' }).click();
    await dialog.getByLabel('On 1').fill('acme');
    await submit(page, 'Change it');
    await dialog.getByRole('alert').waitFor();
    expect(faults).toEqual([]);
  });

  it('shows how long a lock was held the last times', async () => {
    for (const id of ['one', 'two', 'three']) {
      await lock('acme/net', id);
      if (id !== 'three') await lock('acme/net', id, 'UNLOCK');
    }
    const { page, faults } = await enter('/');
    const bars = page.locator('.lock-row.head', { hasText: 'acme/net' }).getByRole('img');
    await bars.waitFor();
    expect(await bars.getAttribute('aria-label')).toMatch(
      /^The last 3 holds: the newest [\d.]+s, the longest/,
    );
    expect(await bars.locator('rect').count()).toBe(3);
    await lock('acme/net', 'three', 'UNLOCK');
    await page.getByText('No lock is held').waitFor();
    await lock('acme/net', 'four');
    await bars.waitFor();
    await expect.poll(() => bars.locator('rect').count()).toBe(4);
    await lock('acme/net', 'four', 'UNLOCK');
    expect(faults).toEqual([]);
  });

  it('saves what is found as a table', async () => {
    const { page } = await enter('/explore?by=type&q=aws_instance');
    await page.getByText('aws_instance.web').waitFor();
    const saved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export CSV' }).click();
    expect((await saved).suggestedFilename()).toBe('explore.csv');
  });
});
