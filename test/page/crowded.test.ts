import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockOf, writeOf } from '../../src/contract/engine-commands.ts';
import type { Address } from '../../src/core/address.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { busyFactor } from '../support/busy-factor.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { signedIn, type Visit } from './fixtures/signed-in.ts';

// What a server of many states and locks costs a browser, in the measures of Lighthouse ("good" by web.dev/articles/vitals).

const STATES = 10_000;
const LOCKS = 1_000;
const COMMANDS_AT_A_TIME = 500;
const FIRST_PAINT_MS_MAX = 1_000;
const LARGEST_PAINT_MS_MAX = 2_500;
const SHIFT_MAX = 0.1;
/** What Lighthouse begins to warn of. */
const ELEMENTS_MAX = 1_400;

interface Vitals {
  readonly first: number;
  readonly largest: number;
  readonly shift: number;
  readonly elements: number;
}

/** Kept from the first moment of each page on. */
const WATCH = `
  window.vitals = { largest: 0, shift: 0 };
  new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntries()) vitals.largest = startTime;
  }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) vitals.shift += value;
  }).observe({ type: 'layout-shift', buffered: true });
`;

describe.skipIf(NO_BROWSER !== null)(`the page of a crowded server (skipped: ${NO_BROWSER})`, () => {
  let house: TestHouse;
  let browser: Browser;
  let visit: Visit;

  beforeAll(async () => {
    const store = { kind: 'memory' } as const;
    [house, browser] = await Promise.all([TestHouse.open({ store }), startBrowser()]);
    await inParts(STATES, (number) => writeOf(addressOf(number), 1n));
    await inParts(LOCKS, (number) => lockOf(addressOf(number * 10), `lock-${number}`, { info: null }));
    visit = await signedIn(browser, house.url, { path: '/settings' });
    await visit.context.addInitScript(WATCH);
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  async function inParts(
    count: number,
    commandOf: (number: number) => Parameters<TestHouse['engine']['apply']>[0][number],
  ): Promise<void> {
    for (let from = 0; from < count; from += COMMANDS_AT_A_TIME)
      await house.engine.apply(
        Array.from({ length: Math.min(COMMANDS_AT_A_TIME, count - from) }, (_, at) => commandOf(from + at)),
      );
  }

  async function vitalsOf(path: string, awaited: string): Promise<Vitals> {
    const { page } = visit;
    await page.goto(house.url + path);
    await page.locator(awaited).first().waitFor();
    return (await page.evaluate(`({
      ...vitals,
      first: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      elements: document.querySelectorAll('*').length,
    })`)) as Vitals;
  }

  const lastOf = async (page: Page): Promise<number> => {
    // What comes into the window is measured only then, so that the end may move once more.
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    return Number(await page.getByRole('listitem').last().getAttribute('aria-posinset'));
  };

  it.each([
    ['/', '.lock-row.holder'],
    ['/explore', '.state-row'],
    ['/numbers', '.panel'],
    ['/projects', '.panel'],
  ])('paints %s soon, moves nothing that was painted, and stays small', async (path, awaited) => {
    const { first, largest, shift, elements } = await vitalsOf(path, awaited);
    expect(first).toBeLessThan(FIRST_PAINT_MS_MAX * busyFactor());
    expect(largest).toBeLessThan(LARGEST_PAINT_MS_MAX * busyFactor());
    expect(shift).toBeLessThan(SHIFT_MAX);
    expect(elements).toBeLessThan(ELEMENTS_MAX);
    expect(visit.faults).toEqual([]);
  });

  it('has every lock in its list, of which those are in the page that are seen', async () => {
    const { page } = visit;
    await page.goto(house.url);
    await page.getByText(`${LOCKS.toLocaleString('en')} locks held`).waitFor();
    await expect.poll(() => lastOf(page), { timeout: 10_000 }).toBe(2 * LOCKS);
    expect(await page.locator('.lock-row').count()).toBeLessThan(100);
  });

  it('has every state in its list, read as far as somebody scrolls', async () => {
    const { page } = visit;
    await page.goto(`${house.url}/explore`);
    await page.locator('.state-row').first().waitFor();
    await expect.poll(() => lastOf(page), { timeout: 10_000 }).toBeGreaterThan(500);
    expect(await page.locator('.state-row').count()).toBeLessThan(100);
  });
});

function addressOf(number: number): Address {
  return {
    project: `project-${number % 4}`,
    key: `folder-${number % 7}/state-${number}`,
    workspace: 'default',
  };
}
