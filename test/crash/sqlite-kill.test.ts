import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { amountOf } from '../support/amount.ts';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { Acknowledged } from './acknowledged.ts';

const WRITERS = new URL('./sqlite-writers.mjs', import.meta.url).pathname;
const CYCLES = amountOf('STATEHOUSE_WRITER_DEATHS', { few: 20, many: 60 });
const CALLERS = 24;

it(`everything that was answered is there after each of ${CYCLES} kills`, { timeout: 600_000 }, async () => {
  const { directory, remove } = await newDirectory();
  const acknowledged = new Acknowledged();
  let kills = 0;
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const answers = join(directory, `answers-${cycle}`);
    const child = spawn(process.execPath, [WRITERS, directory, `${CALLERS}`, answers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    // Now and then while it opens and takes the log of the one before into the database.
    await setTimeout((cycle * 37) % 150);
    child.kill('SIGKILL');
    const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
    expect([code, signal]).toEqual([null, 'SIGKILL']);
    kills += 1;
    acknowledged.hear(readFileSync(answers, 'utf8'));
    const engine = await SqliteEngine.open({ directory });
    await acknowledged.verify(engine);
    await acknowledged.goOn(engine);
    await engine[Symbol.asyncDispose]();
  }
  await remove();
  console.log(`sqlite: ${kills} kills, ${acknowledged.answers} answers, all of them kept`);
  expect(acknowledged.answers).toBeGreaterThan(CYCLES * 10);
});
