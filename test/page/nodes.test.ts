import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyFactor } from '../support/busy-factor.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { signedIn, type Visit } from './fixtures/signed-in.ts';
import { handedOver, handOverMsMax, watchHandOver } from './fixtures/hand-over.ts';

const programs = await findPostgres();
const missing = NO_BROWSER ?? (programs === null ? 'postgres is not on PATH' : null);

describe.skipIf(missing !== null)(
  `the page of two nodes${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    let server: PostgresServer;
    let houses: readonly [TestHouse, TestHouse];
    let browser: Browser;
    let visits: readonly Visit[];
    let alice: Pair;
    let bob: Pair;

    beforeAll(async () => {
      [server, browser] = await Promise.all([PostgresServer.start(programs!), startBrowser()]);
      const store = { kind: 'postgres', url: server.url(await server.createDatabase()) } as const;
      const shared = { store, masterKeys: randomBytes(32).toString('base64') };
      houses = [await TestHouse.open(shared), await TestHouse.open(shared)];
      alice = await houses[0].credential('alice', [{ role: 'writer', pattern: 'acme/*' }]);
      bob = await houses[0].credential('bob', [{ role: 'operator', pattern: 'acme/*' }]);
      visits = [
        await signedIn(browser, houses[0].url, { as: alice }),
        await signedIn(browser, houses[1].url, { as: bob }),
      ];
      for (const { page } of visits) await page.getByText('live', { exact: true }).waitFor();
    });
    afterAll(async () => {
      await browser.close();
      await Promise.all(houses.map((house) => house.close()));
      await server[Symbol.asyncDispose]();
    });

    it('shows in the browsers of both nodes a lock that is handed over from one node to the other', async () => {
      const [one, other] = houses;
      const path = '/http/acme/handed';
      await one.ask('LOCK', path, { body: sampleLock('first'), as: alice });
      const second = other.ask('LOCK', `${path}?wait=1m`, { body: sampleLock('second'), as: bob });
      for (const { page } of visits) {
        await page.locator('.lock-row.holder', { hasText: 'alice' }).waitFor();
        await page.locator('.lock-row.waiter', { hasText: 'bob' }).waitFor();
        await watchHandOver(page, 'bob');
      }
      const released = Date.now();
      await one.ask('UNLOCK', path, { body: sampleLock('first'), as: alice });
      expect((await second).status).toBe(200);
      for (const { page } of visits) {
        expect((await handedOver(page, 'bob')) - released).toBeLessThan(handOverMsMax());
      }
      await other.ask('UNLOCK', path, { body: sampleLock('second'), as: bob });
      for (const { page } of visits) await page.getByText('No lock is held').waitFor();
      expect(visits.flatMap(({ faults }) => faults)).toEqual([]);
    });

    it('ends a session at one node that was ended or revoked at the other', async () => {
      const [one, other] = houses;
      const pair = await one.credential('soon-gone', [{ role: 'reader', pattern: 'acme/*' }]);
      const { page, context } = await signedIn(browser, other.url, { as: pair });
      const began = Date.now();
      const { text } = await one.ask('DELETE', `/api/v1/credentials/${pair.id}`);
      expect(text).toContain('revokedAt');
      await page.getByText('Your session has ended').waitFor();
      expect(Date.now() - began).toBeLessThan(2_500 * busyFactor());
      await context.close();
    });

    it('goes on at the other node when its own has ended', async () => {
      const [one, other] = houses;
      const { page, context, faults } = await signedIn(browser, other.url, { as: alice });
      // A balancer would send the browser elsewhere: the session is known there, too.
      const cookies = await context.cookies();
      await context.addCookies(cookies.map((cookie) => ({ ...cookie, domain: '127.0.0.1' })));
      await page.goto(`${one.url}/explore`);
      await page.getByRole('heading', { name: 'Explore' }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Credential').waitFor();
      await page.goto(`${other.url}/explore`);
      await page.getByLabel('Credential').waitFor();
      expect(faults).toEqual([]);
      await context.close();
    });
  },
);
