import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amountOf } from '../support/amount.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

/** How often a server is closed, each time at another moment. */
const TIMES = amountOf('STATEHOUSE_TEST_CLOSINGS', { few: 4, many: 60 });

const LOCK = JSON.stringify({
  ID: '11111111-2222-4333-8444-555555555555',
  Operation: 'OperationTypeApply',
  Created: '2026-01-01T00:00:00Z',
});

describe('a server that is closed', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let out: string;

  beforeAll(async () => {
    programs = await playedPrograms();
    out = await mkdtemp(join(tmpdir(), 'statehouse-closing-'));
  });
  afterAll(async () => {
    await programs[Symbol.asyncDispose]();
    await rm(out, { recursive: true });
  });

  it('ends, wherever its runs stand', async () => {
    for (let time = 0; time < TIMES; time += 1) {
      const house = await RunningHouse.open({ programs: programs.path, slots: 1 });
      const slug = await slugOf({ 'main.tf': '' });
      const slow = await slugOf({ 'main.tf': '', 'plan.sh': 'sleep 30\n' });
      const at = (key: string, bytes = slug): Promise<string> =>
        house.configuration(bytes, { address: { project: 'app', key, workspace: 'default' } });
      await house.house.ask('LOCK', '/http/app/locked', { body: LOCK });
      await house.run(await at('locked'));
      const waits = await house.run(await at('waits'));
      const saved = await house.run(await at('saved'), { saves: true });
      const applies = await house.run(await at('applies'), { autoApply: true });
      if (time % 2 === 0) {
        await house.until(waits.id, 'planned');
        await house.until(saved.id, 'planned_and_saved');
        await house.until(applies.id, 'applied');
      }
      await house.run(await at('slow', slow));
      await house.run(await at('queued'));
      await house.run(await at('read'), { autoApply: true });
      await sleep(time % 2 === 0 ? 0 : (time * 37) % 600);
      const closed = house[Symbol.asyncDispose]().then(() => 'closed');
      expect(await Promise.race([closed, sleep(30_000, `still open, time ${time}`)])).toBe('closed');
    }
  }, 120_000);
});
