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
  const env = { STATEHOUSE_SERVER: url, STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
  return runStatehouse(['run', ...words], { env });
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

it('says that a server executes no runs', async () => {
  await using other = await TestHouse.open();
  expect((await run(other.url, 'list', 'app/net')).err).toMatch(/executes no runs: start it with --runs/);
});
