import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../e2e/fixtures/gate.ts';
import { httpFolder, resource } from '../e2e/fixtures/http-folder.ts';
import { untilHeld, untilParked } from '../e2e/fixtures/view.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { sampleLock } from '../support/sample-state.ts';
import { findTerraform } from '../support/terraform.ts';
import type { Pair } from '../support/test-admin.ts';
import { handedOver, handOverMsMax, watchHandOver } from './fixtures/hand-over.ts';
import { signedIn, violations, type Visit } from './fixtures/signed-in.ts';

const terraform = await findTerraform();

describe.skipIf(NO_BROWSER !== null)(`Now, in two browsers (skipped: ${NO_BROWSER})`, () => {
  let house: TestHouse;
  let browser: Browser;
  let alice: Pair;
  let bob: Pair;
  const open: Visit[] = [];

  beforeAll(async () => {
    [house, browser] = await Promise.all([TestHouse.open({ breakGuard: 0 }), startBrowser()]);
    alice = await house.credential('alice', [{ role: 'writer', pattern: 'acme/*' }]);
    bob = await house.credential('bob', [{ role: 'operator', pattern: 'acme/*' }]);
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map(({ context }) => context.close()));
  });

  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  async function enter(as: Pair): Promise<Visit> {
    const made = await signedIn(browser, house.url, { as });
    open.push(made);
    await made.page.getByText('live', { exact: true }).waitFor();
    return made;
  }

  it('moves a lock that is handed over before the eyes of both', async () => {
    const path = 'acme/handed';
    const [one, other] = [await enter(alice), await enter(bob)];
    await house.ask('LOCK', `/http/${path}`, { body: sampleLock('first'), as: alice });
    const second = house.ask('LOCK', `/http/${path}?wait=1m`, { body: sampleLock('second'), as: bob });
    for (const { page } of [one, other]) {
      await page.locator('.lock-row.holder', { hasText: 'alice' }).waitFor();
      await page.locator('.lock-row.waiter', { hasText: 'bob' }).waitFor();
      await watchHandOver(page, 'bob');
    }
    // The row of the waiter is the one that becomes the row of the holder.
    const row = await one.page.locator('[role="listitem"]', { hasText: 'bob' }).elementHandle();
    const released = Date.now();
    await house.ask('UNLOCK', `/http/${path}`, { body: sampleLock('first'), as: alice });
    expect((await second).status).toBe(200);
    for (const { page } of [one, other]) {
      expect((await handedOver(page, 'bob')) - released).toBeLessThan(handOverMsMax());
    }
    expect(await row?.textContent()).toContain('held');
    await house.ask('UNLOCK', `/http/${path}`, { body: sampleLock('second'), as: bob });
    await one.page.getByText('No lock is held').waitFor();
    expect([...one.faults, ...other.faults]).toEqual([]);
  });

  it('breaks a lock for an operator who types its key, and for nobody else', async () => {
    const path = 'acme/stuck/app';
    await house.ask('LOCK', `/http/${path}`, { body: sampleLock('stuck'), as: alice });
    const { page, faults } = await enter(bob);
    await page.getByRole('button', { name: 'Break in…' }).click();
    const dialog = page.getByRole('dialog');
    const button = dialog.getByRole('button', { name: 'Break the lock' });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type the key').fill('stuck/ap');
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type the key').fill('stuck/app');
    expect(await violations(page)).toEqual([]);
    await button.click();
    await dialog.getByText('The lock is broken.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByText('No lock is held').waitFor();
    const late = await house.ask('POST', `/http/${path}?ID=stuck`, {
      body: '{"version":4,"serial":1}',
      as: alice,
    });
    expect(late.status).toBeGreaterThanOrEqual(400);
    expect(faults).toEqual([]);
  });

  it('links to the run of a pipeline, and to nothing else that a lock info says', async () => {
    const run = 'https://gitlab.com/acme/net/-/jobs/7';
    const bad = 'https://evil.example/acme/infra/actions/runs/1';
    const locks = [
      ['acme/ci', { ...JSON.parse(sampleLock('ci')), Info: `deploy (${run})` }],
      ['acme/evil', { ...JSON.parse(sampleLock('evil')), Info: bad, Who: 'javascript:alert(1)' }],
    ] as const;
    for (const [path, info] of locks)
      expect(
        (await house.ask('LOCK', `/http/${path}`, { body: JSON.stringify(info), as: alice })).status,
      ).toBe(200);
    const { page, faults } = await enter(bob);
    const link = page.getByRole('link', { name: 'GitLab run' });
    await link.waitFor();
    expect([await link.getAttribute('href'), await link.getAttribute('rel')]).toEqual([
      run,
      'noopener noreferrer nofollow',
    ]);
    await page.getByText(bad).waitFor();
    const foreign = await page.locator('main a:not([href^="/"])').count();
    expect(foreign).toBe(1);
    expect(await violations(page)).toEqual([]);
    await page.goto(`${house.url}/s/acme/ci`);
    await link.waitFor();
    for (const [path, info] of locks)
      await house.ask('UNLOCK', `/http/${path}`, { body: JSON.stringify(info), as: alice });
    expect(faults).toEqual([]);
  });

  it('says of a grant that its client has not acknowledged it, for as long as that is so', async () => {
    const identity = { ...ADMIN_CALLER.identity, subject: 'token:alice' };
    const address = { project: 'acme', key: 'unheard', workspace: 'default' };
    const answer = await house.house.locks.lock({ ...ADMIN_CALLER, identity }, address, {
      lockId: 'unheard',
      operation: 'OperationTypeApply',
      info: Buffer.from(sampleLock('unheard')),
      tellsHoldersApart: true,
      alias: 'http',
      wait: null,
      gone: new AbortController().signal,
    });
    if (answer.type !== 'granted') throw new Error(answer.type);
    answer.undelivered.unheard?.(true);
    const { page, faults } = await enter(bob);
    const mark = page.locator('.lock-row.holder', { hasText: 'alice' }).getByText('not acknowledged');
    await mark.waitFor();
    expect(await violations(page)).toEqual([]);
    answer.undelivered.unheard?.(false);
    await mark.waitFor({ state: 'detached' });
    await house.house.locks.unlock(ADMIN_CALLER, address, { lockId: null, alias: null });
    expect(faults).toEqual([]);
  });

  it('says that it reconnects while the server is away, and what is so when it is back', async () => {
    const { page } = await enter(alice);
    await page.context().setOffline(true);
    await page.getByText('reconnecting…').waitFor();
    await house.ask('LOCK', '/http/acme/meanwhile', { body: sampleLock('meanwhile'), as: alice });
    await page.context().setOffline(false);
    await page.getByText('acme/meanwhile').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await house.ask('UNLOCK', '/http/acme/meanwhile', { body: sampleLock('meanwhile'), as: alice });
  });

  it.skipIf(terraform === null)(
    'shows a real apply that holds the lock, who waits for it, and the state that it wrote (needs terraform on PATH)',
    async () => {
      await using gate = await Gate.make();
      const path = 'acme/real';
      const run = 'https://github.com/acme/infra/actions/runs/81';
      const place = { url: house.url, path, as: alice, lockQuery: `run=${run}` };
      await using first = await httpFolder(terraform!, place, resource('one', 'one', gate.command));
      await using second = await first.copy({ TF_HTTP_USERNAME: bob.id, TF_HTTP_PASSWORD: bob.secret });
      await second.write('main.tf', resource('two'));
      const { page, faults } = await enter(bob);
      const holding = first.start(['apply', '-auto-approve']);
      await gate.reached();
      await untilHeld(house, path);
      await page.locator('.lock-row.holder', { hasText: 'alice' }).getByText('apply').first().waitFor();
      const link = page.locator('.lock-row.holder').getByRole('link', { name: 'GitHub Actions run' });
      expect(await link.getAttribute('href')).toBe(run);
      const waiting = second.start(['apply', '-auto-approve', '-lock-timeout=2m']);
      await untilParked(house, path, 1);
      await page.locator('.lock-row.waiter', { hasText: 'you' }).waitFor();
      await gate.open();
      await Promise.all([holding.end, waiting.end]);
      await page.getByText('No lock is held').waitFor();
      await page.goto(`${house.url}/s/${path}?tab=history`);
      await page.getByLabel('Compare version 2').waitFor();
      await page.getByText('+1', { exact: false }).first().waitFor();
      expect(faults).toEqual([]);
    },
  );
});
