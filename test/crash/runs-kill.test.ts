import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HcpDriver } from '../runs/hcp-driver.ts';
import { PLAYED_VERSION, playedPrograms } from '../runs/played-program.ts';
import { slugOf } from '../runs/running-house.ts';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { processesOf } from '../support/process-tree.ts';
import { ask } from '../support/request.ts';

const KILLS = amountOf('STATEHOUSE_TEST_RUN_KILLS', { few: 2, many: 50 });
const FINAL = new Set(['applied', 'errored', 'canceled', 'discarded']);

/** Stores three states, and says each time that it did. */
const APPLY = (out: string): string => `echo begun >> ${out}
for serial in 1 2 3; do
  sleep 0.1
  curl -sf -X POST -u "$TF_HTTP_USERNAME:$TF_HTTP_PASSWORD" --data "{\\"version\\":4,\\"terraform_version\\":\\"1.11.4\\",\\"lineage\\":\\"l\\",\\"serial\\":$serial,\\"outputs\\":{},\\"resources\\":[]}" "$TF_HTTP_ADDRESS" || exit 1
  echo "stored $serial" >> ${out}
done
`;

/** Kills the server, and starts it again. */
async function killServer(house: HouseProcess, confirmed: Promise<void>): Promise<void> {
  await house.kill();
  await confirmed;
  await house.launch();
}

/** Kills one of the processes that the server has started: what stands above a program, the program, or what that has started. */
async function killExecutor(house: HouseProcess): Promise<void> {
  const pids = (await processesOf(house.pid)).filter((pid) => pid !== house.pid);
  const pid = pids[Math.floor(Math.random() * pids.length)];
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

it.each([
  { what: 'a server', kill: killServer },
  { what: 'an executor', kill: killExecutor },
])(
  'runs of $what that is killed at any moment end, are applied at most once, keep what they stored, and leave the lock free',
  { timeout: 30_000 + KILLS * 15_000 },
  async ({ kill: killOne }) => {
    await using programs = await playedPrograms();
    const out = await mkdtemp(join(tmpdir(), 'statehouse-killed-'));
    const flags = ['--runs=local', `--run-programs=${programs.path}`, `--run-directory=${join(out, 'runs')}`];
    await using house = await HouseProcess.start({ flags });
    const driver = new HcpDriver(house);
    const ends: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const address = { project: 'acme', key: `net-${kill}`, workspace: 'default' };
      const said = join(out, `said-${kill}`);
      await driver.workspace(address);
      const slug = await slugOf({ 'main.tf': '', 'plan.sh': 'sleep 0.1\n', 'apply.sh': APPLY(said) });
      const id = await driver.run(address, slug, PLAYED_VERSION);
      const confirmed = confirm(driver, id).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 900));
      await killOne(house, confirmed);
      await eventually('the run ends', async () => {
        const run = await driver.show(id);
        if (run?.status === 'planned') await driver.act(id, 'apply');
        return run !== null && FINAL.has(run.status);
      });
      const run = await driver.show(id);
      ends.push(run?.status ?? '');
      const lines = await readFile(said, 'utf8').catch(() => '');
      expect(lines.match(/begun/g)?.length ?? 0).toBeLessThanOrEqual(1);
      const stored = await ask(house.url, 'GET', `/http/acme/${address.key}`);
      const serial = stored.status === 404 ? 0 : (JSON.parse(stored.text) as { serial: number }).serial;
      expect(serial).toBeGreaterThanOrEqual(lines.match(/stored/g)?.length ?? 0);
      if (run?.status === 'applied') expect(serial).toBe(3);
      else
        await eventually('the log ends', async () =>
          (await driver.log(id, lines === '' ? 'plan' : 'apply')).endsWith('\x03'),
        );
      await eventually('the lock is free', async () => {
        const shown = await ask(house.url, 'GET', `/api/v1/state/lock?address=acme/${address.key}`);
        return (
          shown.status === 404 || (JSON.parse(shown.text) as { holders: unknown[] }).holders.length === 0
        );
      });
    }
    expect(ends.filter((end) => end === 'canceled' || end === 'discarded')).toEqual([]);
    await rm(out, { recursive: true, force: true });
  },
);

/** Confirms a run once it is planned, as long as there is a server. */
async function confirm(driver: HcpDriver, id: string): Promise<void> {
  for (;;) {
    const run = await driver.show(id);
    if (run?.status === 'planned') await driver.act(id, 'apply');
    if (run === null || FINAL.has(run.status)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
