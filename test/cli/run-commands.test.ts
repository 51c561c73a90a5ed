import { afterAll, beforeAll, expect, it } from 'vitest';
import { playedPrograms } from '../runs/played-program.ts';
import { RunningHouse, slugOf } from '../runs/running-house.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

let programs: Awaited<ReturnType<typeof playedPrograms>>;
let house: RunningHouse;

beforeAll(async () => {
  programs = await playedPrograms();
  house = await RunningHouse.open({ programs: programs.path });
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
  await programs[Symbol.asyncDispose]();
});

function run(url: string, ...words: readonly string[]): ReturnType<typeof runStatehouse> {
  return statehouse(url, ['run', ...words]);
}

function statehouse(url: string, words: readonly string[]): ReturnType<typeof runStatehouse> {
  const env = { STATEHOUSE_SERVER: url, STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
  return runStatehouse(words, { env });
}

it('lists runs, shows their logs, confirms, discards and cancels them', async () => {
  const { url } = house.house;
  expect((await run(url, 'list', 'app/net')).out).toMatch(/No runs yet/);
  const slug = await slugOf({ 'plan.sh': 'echo größer\n', 'apply.sh': 'echo applied\n' });
  const { id } = await house.run(await house.configuration(slug));
  await house.until(id, 'planned');
  expect((await run(url, 'list', 'app/net')).out).toMatch(new RegExp(`${id} +planned +\\+1 ~0 -0`));
  expect((await run(url, 'confirm', id)).out).toBe(`${id} at app/net is confirmed.\n`);
  expect((await run(url, 'logs', id, '--apply', '--follow')).out).toMatch(
    /^Terraform v1\.2\.3\n[\s\S]*\napplied\n$/,
  );
  expect((await run(url, 'logs', id)).out).toMatch(/\ngrößer\n$/);
  const shown = JSON.parse((await run(url, 'logs', id, '--json')).out) as { log: string };
  expect(shown.log).toMatch(/größer\n$/);
  await house.until(id, 'applied');
  const late = await run(url, 'cancel', id);
  expect([late.code === 0, late.err]).toEqual([false, expect.stringMatching(/the run is applied/)]);
  const next = await house.run(await house.configuration(slug));
  await house.until(next.id, 'planned');
  expect((await run(url, 'discard', next.id)).out).toMatch(/is discarded/);
  expect((await run(url, 'discard', next.id)).code).toBe(0);
  expect((await run(url, 'cancel', 'run-unknown')).err).toMatch(/there is no run "run-unknown"/);
});

it('plans and applies again what was applied last, from anywhere', async () => {
  const { url } = house.house;
  const none = await run(url, 'again', 'app/never');
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/no run has applied a configuration/)]);
  const address = { project: 'app', key: 'again', workspace: 'default' };
  const state = {
    version: 4,
    terraform_version: '1.11.4',
    lineage: 'l',
    outputs: {},
    resources: [],
    serial: 1,
  };
  await house.house.ask('POST', '/http/app/again', { body: JSON.stringify(state) });
  const slug = await slugOf({ 'plan.sh': 'echo "planned $*"\n', 'apply.sh': 'echo done again\n' });
  const first = await house.run(await house.configuration(slug, { address }), { autoApply: true });
  await house.until(first.id, 'applied');
  const planned = await run(url, 'again', 'app/again', '--target', 'terraform_data.a', '--detailed-exitcode');
  expect([planned.code, planned.out]).toEqual([
    2,
    expect.stringMatching(/planned .*-target=terraform_data\.a/),
  ]);
  const asked = await run(url, 'again', 'app/again', '--apply');
  expect([asked.code, asked.err]).toEqual([2, expect.stringMatching(/Pass --auto-approve/)]);
  const applied = await run(url, 'again', 'app/again', '--apply', '--auto-approve', '--json');
  expect(applied.code).toBe(0);
  expect(JSON.parse(applied.out)).toMatchObject({ status: 'applied' });
  expect(applied.err).toMatch(/done again/);
  const id = (await run(url, 'again', 'app/again', '--apply', '--no-wait')).out.trim();
  await house.until(id, 'planned');
  expect((await run(url, 'discard', id)).code).toBe(0);
});

it('looks for drift, lists it, and says when it is looked for', async () => {
  const { url } = house.house;
  const drift = (...words: readonly string[]): ReturnType<typeof run> => statehouse(url, ['drift', ...words]);
  const address = { project: 'app', key: 'drifting', workspace: 'default' };
  const state = {
    version: 4,
    terraform_version: '1.11.4',
    lineage: 'l',
    outputs: {},
    resources: [],
    serial: 1,
  };
  await house.house.ask('POST', '/http/app/drifting', { body: JSON.stringify(state) });
  const none = await drift('list');
  expect([none.code, none.out]).toEqual([0, 'No drift is known.\n']);
  expect((await drift('show', 'app/drifting')).out).toMatch(/was not looked at yet/);
  const show = {
    format_version: '1.2',
    resource_drift: [{ address: 'local_file.a', change: { actions: ['delete'] } }],
  };
  const slug = await slugOf({ 'show.json': JSON.stringify(show) });
  const first = await house.run(await house.configuration(slug, { address }), { autoApply: true });
  await house.until(first.id, 'applied');
  const checked = await drift('check', 'app/drifting');
  expect([checked.code, checked.out]).toEqual([
    2,
    expect.stringMatching(/1 resource has drifted[\s\S]*local_file\.a +deleted/),
  ]);
  const listed = await drift('list', '--project', 'app', '--json');
  expect([listed.code, JSON.parse(listed.out)]).toMatchObject([
    2,
    { states: [{ address: 'app/drifting', count: 1 }] },
  ]);
  expect((await drift('schedule', 'app/drifting', 'daily', 'at', '03:00')).out).toMatch(
    /^daily at 03:00, next at 2/,
  );
  expect((await drift('schedule', 'app/drifting')).out).toMatch(/^daily at 03:00/);
  expect((await drift('schedule', 'app/drifting', 'never')).out).toBe('never\n');
  const bad = await drift('schedule', 'app/drifting', 'hourly');
  expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/expected "every 24h"/)]);
  const broken = await slugOf({ 'plan.sh': 'case "$*" in *-refresh-only*) exit 1; esac\n' });
  const second = await house.run(await house.configuration(broken, { address }), { autoApply: true });
  await house.until(second.id, 'applied');
  const failed = await drift('check', 'app/drifting');
  expect([failed.code, failed.err]).toEqual([
    1,
    expect.stringMatching(/the check is errored[\s\S]*statehouse run logs run-/),
  ]);
});

it('says that a server executes no runs', async () => {
  await using other = await TestHouse.open();
  expect((await run(other.url, 'list', 'app/net')).err).toMatch(/executes no runs: start it with --runs/);
});
