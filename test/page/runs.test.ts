import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { playedPrograms } from '../runs/played-program.ts';
import { RunningHouse, slugOf } from '../runs/running-house.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { signedIn, violations, type Visit } from './fixtures/signed-in.ts';
import { stateWith } from './fixtures/states.ts';

// What the server has executed on a state, and what makes more runs by itself, at the page.

const NET = { project: 'app', key: 'net', workspace: 'default' };
const FILES = {
  'plan.sh': 'echo \'planned <b>one</b>\'\ncase "$*" in *-refresh-only*) code=2;; esac\n',
  'apply.sh': "echo 'applied it all'\n",
  'show.json': JSON.stringify({
    format_version: '1.2',
    resource_drift: [
      { address: 'aws_subnet.a<i>', mode: 'managed', change: { actions: ['update'], before: {}, after: {} } },
    ],
  }),
};

describe.skipIf(NO_BROWSER !== null)(`runs at the page (skipped: ${NO_BROWSER})`, () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let browser: Browser;
  let open: Visit[] = [];

  beforeAll(async () => {
    programs = await playedPrograms();
    [house, browser] = await Promise.all([
      RunningHouse.open({ programs: programs.path, slots: 2 }),
      startBrowser(),
    ]);
    for (const key of ['net', 'web'])
      await house.house.ask('POST', `/http/app/${key}`, { body: stateWith(1) });
    const configuration = await house.configuration(await slugOf(FILES), { address: NET });
    const { id } = await house.run(configuration, { autoApply: true, message: 'for the <i>release</i>' });
    await house.until(id, 'applied');
  });
  afterEach(async () => {
    await Promise.all(open.map(({ context }) => context.close()));
    open = [];
  });
  afterAll(async () => {
    await browser.close();
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });

  async function enter(path: string, grants?: Parameters<typeof house.house.credential>[1]): Promise<Visit> {
    const as = grants === undefined ? {} : { as: await house.house.credential(`one-${open.length}`, grants) };
    const made = await signedIn(browser, house.house.url, { path, ...as });
    open.push(made);
    return made;
  }

  it('lists what the server has executed, and shows what the programs said', async () => {
    const { page, faults } = await enter('/s/app/net');
    await page.getByRole('link', { name: 'Runs' }).click();
    const row = page.getByRole('row', { name: /for the <i>release<\/i>/ });
    await row.getByText('applied', { exact: true }).waitFor();
    await row.getByRole('link').click();
    await page.getByText('planned <b>one</b>').waitFor();
    await page.getByRole('button', { name: 'apply', exact: true }).click();
    await page.getByText('applied it all').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('link', { name: 'Close' }).click();
    await page.getByText('applied it all').waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });

  it('looks for drift on a schedule and now, and shows what has drifted', async () => {
    const { page, faults } = await enter('/s/app/net?tab=runs');
    await page.getByLabel('Look at it').fill('whenever');
    await page.getByRole('button', { name: 'Save the schedule' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Look at it').fill('every 24h');
    await page.getByRole('button', { name: 'Save the schedule' }).click();
    await page.getByRole('definition').filter({ hasText: 'every 24h' }).waitFor();
    await page.getByRole('button', { name: 'Look now' }).click();
    await page.getByText('1 resource drifted').waitFor();
    await page.getByText('aws_subnet.a<i>').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('has applies of one state make runs of another, until that is removed', async () => {
    const { page, faults } = await enter('/s/app/web?tab=runs');
    await page.getByText('No run trigger').waitFor();
    await page.getByLabel('Make a run after each apply of').fill('app/net');
    await page.getByRole('button', { name: 'Add a run trigger' }).click();
    await page.getByRole('button', { name: 'Remove the run trigger after app/net' }).waitFor();
    const { text } = await house.house.ask('GET', '/api/v1/run-triggers?address=app/web');
    expect(JSON.parse(text)).toMatchObject({ triggers: [{ after: 'app/net' }] });
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove the run trigger after app/net' }).click();
    await page.getByText('No run trigger').waitFor();
    expect(faults).toEqual([]);
  });

  it('offers who may only read nothing to change', async () => {
    const { page, faults } = await enter('/s/app/net?tab=runs', [{ role: 'reader', pattern: 'app/*' }]);
    await page.getByText('for the <i>release</i>').waitFor();
    await page.getByText('No run trigger').waitFor();
    await page.getByRole('heading', { name: 'Drift' }).waitFor();
    expect(await page.getByRole('button', { name: 'Look now' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Add a run trigger' }).count()).toBe(0);
    expect(faults).toEqual([]);
  });
});
