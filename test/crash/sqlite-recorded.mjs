// A house's day in short, to be recorded: busy hours, quiet ones in which the log is emptied, a stop and a start.
// Arguments: the data directory, and the file beside it that takes what was answered, in step with what was written.
import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { SqliteEngine } from '../../dist/engines/sqlite/engine.js';
import { cycle } from './sqlite-callers.mjs';

const [, , directory, answers] = process.argv;
const out = openSync(answers, 'a');
const say = (text) => writeSync(out, text);

for (let day = 0; day < 3; day += 1) {
  const engine = await SqliteEngine.open({ directory });
  for (let hour = 0; hour < 3; hour += 1) {
    const callers = Array.from({ length: hour === 1 ? 1 : 12 }, async (_, index) => {
      for (let round = 0; round < 4; round += 1) await cycle(engine, `caller-${index}`, say);
    });
    await Promise.all(callers);
    await setTimeout(300);
  }
  await engine[Symbol.asyncDispose]();
}
