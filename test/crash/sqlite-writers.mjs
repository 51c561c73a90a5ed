// Many callers at a time, until the process is killed or the engine stops.
// Arguments: the data directory, and how many callers.
import { SqliteEngine } from '../../dist/engines/sqlite/engine.js';
import { cycle } from './sqlite-callers.mjs';

const [, , directory, callers] = process.argv;
const engine = await SqliteEngine.open({ directory });
void engine.failed.then((fault) => {
  process.stdout.write(`failed ${fault.message}\n`);
  process.exit(3);
});

async function callOn(name) {
  for (;;) await cycle(engine, name, (text) => process.stdout.write(text));
}

process.stdout.write('open\n');
await Promise.all(Array.from({ length: Number(callers) }, (_, index) => callOn(`caller-${index}`)));
