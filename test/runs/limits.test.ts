import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RUN_LIMITS } from '../../src/runs/limits.ts';
import type { Run } from '../../src/runs/run-book.ts';
import { eventually } from '../support/eventually.ts';
import { findOnPath } from '../support/find-program.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const bwrap = await findOnPath('bwrap');
const MEBIBYTE = 1_048_576;
const LIMITS = {
  ...RUN_LIMITS,
  plan: 10_000,
  disk: 50 * MEBIBYTE,
  memory: 200 * MEBIBYTE,
  processes: 80,
};

describe.each(['local', 'sandbox'] as const)('a run that uses more than it may, %s', (mode) => {
  describe.skipIf(mode === 'sandbox' && bwrap === null)('(skipped unless bwrap is on PATH)', () => {
    let programs: Awaited<ReturnType<typeof playedPrograms>>;
    let house: RunningHouse;
    let count = 0;

    beforeAll(async () => {
      programs = await playedPrograms();
      house = await RunningHouse.open({ mode, programs: programs.path, slots: 4, limits: LIMITS });
    });
    afterAll(async () => {
      await house[Symbol.asyncDispose]();
      await programs[Symbol.asyncDispose]();
    });

    /** Has a plan do something. @returns the run as it ended */
    const planning = async (script: string): Promise<Run> => {
      count += 1;
      const address = { project: 'app', key: `net${count}`, workspace: 'default' };
      const slug = await slugOf({ 'main.tf': '', 'plan.sh': `${script}\n` });
      const { id } = await house.run(await house.configuration(slug, { address, speculative: true }));
      return house.until(id, 'planned_and_finished', 'errored', 'canceled');
    };
    const running = async (words: string): Promise<boolean> =>
      promisify(execFile)('pgrep', ['-f', words]).then(
        () => true,
        () => false,
      );

    it.concurrent('of memory, in several processes, is ended', async () => {
      const eats = 'for i in 1 2 3 4; do (head -c 90m /dev/zero | tail | sleep 30) & done; sleep 30';
      expect(await planning(eats)).toMatchObject({
        status: 'errored',
        problem: 'the run used more than 200 MiB of memory',
      });
    });

    it.concurrent('of memory, in one process, gets no more of it', async () => {
      const run = await planning('head -c 900m /dev/zero | tail > /dev/null && exit 3; sleep 1; exit 1');
      expect(run).toMatchObject({ status: 'errored' });
      expect(await house.log(run.id, 'plan')).toMatch(/memory/);
    });

    it.concurrent('of processes is ended with all of them', async () => {
      const words = mode === 'local' ? 'sleep 61.573' : 'sleep 62.573';
      const run = await planning(`i=0; while [ $i -lt 3000 ]; do ${words} & i=$((i+1)); done; wait`);
      expect(run).toMatchObject({ status: 'errored', problem: 'the run had more than 80 processes' });
      await eventually('none of them runs', async () => !(await running(words)));
    });

    it.concurrent('of disk is ended, and nothing of it is left', async () => {
      const run = await planning('dd if=/dev/zero of=big bs=1M count=200; sleep 30');
      expect(run).toMatchObject({ status: 'errored', problem: 'the run used more than 50 MiB of disk' });
    });

    it.concurrent('of time is told to end', async () => {
      const run = await planning('sleep 60');
      expect(run).toMatchObject({ status: 'errored', problem: expect.stringMatching(/took longer than/) });
    });

    it.concurrent('of its log is not heard any more', async () => {
      const run = await planning('yes | head -c 40m');
      expect(run).toMatchObject({ status: 'planned_and_finished' });
      const log = await house.log(run.id, 'plan');
      expect(log.length).toBeLessThan(17 * MEBIBYTE);
      expect(log).toMatch(/The log is longer than 16777216 bytes: the rest is not kept/);
    });
  });
});
