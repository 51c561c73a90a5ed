// Many callers at a time lock, write and unlock, each at an address of its own, and say after every answer what it was.
// Arguments: the data directory, and how many callers. Goes on from where the addresses stand, until it is killed.
import { SqliteEngine } from '../../dist/engines/sqlite/engine.js';
import { bodyOf, bytes, lockOf, unlockOf, writeOf } from '../../dist/testing/engine-commands.js';

const [, , directory, callers] = process.argv;
const engine = await SqliteEngine.open({ directory });
void engine.failed.then((fault) => {
  process.stdout.write(`failed ${fault.message}\n`);
  process.exit(3);
});

async function answer(command) {
  const [result] = await engine.apply([command]);
  return result.outcome;
}

async function call(name) {
  const address = { project: 'crash', key: name, workspace: 'default' };
  for (;;) {
    const { record, holders } = await engine.world(address);
    const cycle = record.lastVersion + 1;
    const lockId = holders[0]?.lockId ?? `lock-${cycle}`;
    await answer(lockOf(address, lockId));
    process.stdout.write(`${name} locked ${lockId}\n`);
    const body = bodyOf([bytes(`${name} ${cycle}`), new Uint8Array(((cycle * 997) % 5) * 20_000 + 1)]);
    const unique = { ...body, id: `${name}-${cycle}` };
    const claim = { kind: 'named', lockId };
    const outcome = await answer(writeOf(address, BigInt(cycle), { claim, body: unique }));
    if (outcome.type === 'stored') process.stdout.write(`${name} wrote ${outcome.version.number}\n`);
    await answer(unlockOf(address, lockId));
    process.stdout.write(`${name} unlocked ${lockId}\n`);
  }
}

process.stdout.write('open\n');
await Promise.all(Array.from({ length: Number(callers) }, (_, index) => call(`caller-${index}`)));
