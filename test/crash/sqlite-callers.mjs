// What the writing processes of the crash tests do.
import { bodyOf, bytes, lockOf, unlockOf, writeOf } from '../../dist/contract/engine-commands.js';

/**
 * Locks, writes and unlocks at an address of its own, and says after every answer what it was. Goes on from where the
 * address stands.
 */
export async function cycle(engine, name, say) {
  const address = { project: 'crash', key: name, workspace: 'default' };
  const answer = async (command) => (await engine.apply([command]))[0].outcome;
  const { record, holders } = await engine.world(address);
  const number = record.lastVersion + 1;
  const lockId = holders[0]?.lockId ?? `lock-${number}`;
  await answer(lockOf(address, lockId));
  say(`${name} locked ${lockId}\n`);
  const segments = [bytes(`${name} ${number}`), new Uint8Array(((number * 997) % 5) * 6_000 + 1)];
  const body = { ...bodyOf(segments), id: `${name}-${number}` };
  const claim = { kind: 'named', lockId };
  const outcome = await answer(writeOf(address, BigInt(number), { claim, body }));
  if (outcome.type !== 'stored') throw new Error(`${name} was refused its write: ${outcome.type}`);
  say(`${name} wrote ${outcome.version.number}\n`);
  await answer(unlockOf(address, lockId));
  say(`${name} unlocked ${lockId}\n`);
}
