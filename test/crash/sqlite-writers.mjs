// Many callers at a time, until the process is killed or the engine stops.
// Arguments: the data directory, how many callers, and the file that takes what was answered: unlike what waits in a pipe
// that is full, what was written to it stays when the process is killed.
import { openSync, writeSync } from 'node:fs';
import { SqliteEngine } from '../../dist/engines/sqlite/engine.js';
import { cycle } from './sqlite-callers.mjs';

const [, , directory, callers, answers] = process.argv;
const out = openSync(answers, 'a');
const say = (text) => writeSync(out, text);

const engine = await SqliteEngine.open({ directory });
void engine.failed.then((fault) => {
  process.stdout.write(`failed ${fault.message}\n`);
  process.exit(3);
});

async function callOn(name) {
  for (;;) await cycle(engine, name, say);
}

process.stdout.write('open\n');
await Promise.all(Array.from({ length: Number(callers) }, (_, index) => callOn(`caller-${index}`)));
