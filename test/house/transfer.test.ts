import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import { INDEX_KIND } from '../../src/house/records/kinds.ts';
import { requireWhole, transfer } from '../../src/house/transfer.ts';
import type { Command, Engine } from '../../src/ports/engine.ts';
import {
  bodyOf,
  bytes,
  deleteOf,
  lockOf,
  testKeyIdOf,
  unlockOf,
  writeOf,
} from '../../src/contract/engine-commands.ts';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { inNewDatabase } from '../engines/postgres-database.ts';
import { openInNewDirectory } from '../engines/sqlite-fixture.ts';

const programs = await findPostgres();
const QUIET = (): void => undefined;
const options = () => ({ clock: new ManualClock(), keyIdOf: testKeyIdOf });
const at = (key: string) => ({ project: 'acme', key, workspace: 'default' });

/** A house with some of everything that is kept. */
async function furnish(engine: Engine): Promise<void> {
  const give = (...commands: Command[]): Promise<unknown> => engine.apply(commands);
  for (let serial = 1n; serial <= 5n; serial += 1n)
    await give(writeOf(at('many'), serial, { text: `${serial}` }));
  await give(writeOf(at('gone'), 1n), deleteOf(at('gone')));
  await give(lockOf(at('held'), 'a'), lockOf(at('held'), 'b'), lockOf(at('held'), 'b', { seat: 'n:1' }));
  await give(lockOf(at('once'), 'c'), unlockOf(at('once'), 'c'));
  const body = bodyOf([bytes('piece')]);
  const entry = { kind: 'upload', name: 'part-1', attributes: { n: 1 }, bodyId: body.id };
  await give({ type: 'put-entry', entry, body, note: null });
  // How far the index is, which is not copied.
  await give({ type: 'put-entry', entry: { kind: INDEX_KIND, name: 'index', attributes: {} }, note: null });
  await give({ type: 'put-entry', entry: { kind: 'project', name: 'acme', attributes: {} }, note: null });
  await give({
    type: 'put-credential',
    credential: {
      id: 'SHSOMEBODY123456',
      name: 'ci',
      sealedSecret: bytes('k-secret'),
      grants: [{ role: 'writer', pattern: 'acme/*' }],
      createdAt: 5,
      expiresAt: null,
      revokedAt: null,
    },
    note: {
      action: 'credential-created',
      subject: 'token:admin',
      door: 'api',
      detail: {},
      origin: { credential: 'SHADMIN', peer: '10.0.0.9', requestId: 'AB12', userAgent: 'curl/8' },
      refused: 'forbidden',
    },
  });
}

describe('a house that is moved', () => {
  const engines = {
    sqlite: openInNewDirectory,
    ...(programs === null ? {} : { postgres: inNewDatabase(programs) }),
  };

  it.each(Object.keys(engines).flatMap((from) => Object.keys(engines).map((to) => [from, to] as const)))(
    'is the same in the end: from %s to %s',
    async (fromName, toName) => {
      const [from, to] = [
        await engines[fromName as 'sqlite'](options()),
        await engines[toName as 'sqlite'](options()),
      ];
      await furnish(from.engine);
      const moved = await transfer(from.engine, to.engine, QUIET);
      expect(moved).toMatchObject({ states: 4, versions: 6, locks: 1, credentials: 1, entries: 2 });
      expect(moved.auditRecords).toBeGreaterThan(9);
      expect(await to.engine.entries(INDEX_KIND)).toEqual([]);
      // The lock is the same lock, and the counters go on from where they were.
      expect(await to.engine.apply([unlockOf(at('held'), 'a')])).toMatchObject([
        { outcome: { type: 'released' } },
      ]);
      expect(await to.engine.apply([lockOf(at('once'), 'd')])).toMatchObject([
        { outcome: { type: 'granted', holder: { fence: 2 } } },
      ]);
      await from.dispose();
      await to.dispose();
    },
  );

  it('goes on where it was broken off, and cannot be opened before it is whole', async () => {
    const clock = new ManualClock();
    for (let breakAt = 1; breakAt < 100; breakAt += 1) {
      const from = new MemoryEngine(clock, testKeyIdOf);
      await furnish(from);
      const to = new MemoryEngine(clock, testKeyIdOf);
      const apply = to.apply.bind(to);
      let calls = 0;
      to.apply = async (commands) => {
        calls += 1;
        if (calls === breakAt) throw new Error('broken off');
        return apply(commands);
      };
      const first = await transfer(from, to, QUIET).then(
        () => 'whole',
        () => 'broken',
      );
      if (first === 'whole') break;
      if (breakAt > 1) await expect(requireWhole(to)).rejects.toThrow(/unfinished move/);
      to.apply = apply;
      await from.apply([writeOf(at('many'), 6n)]);
      const moved = await transfer(from, to, QUIET);
      expect(moved.versions).toBe(7);
      await requireWhole(to);
    }
  });

  it('is not moved over another', async () => {
    const clock = new ManualClock();
    const to = new MemoryEngine(clock, testKeyIdOf);
    await furnish(to);
    await expect(transfer(new MemoryEngine(clock, testKeyIdOf), to, QUIET)).rejects.toThrow(
      /the target contains data/,
    );
  });

  it('is told to differ when a byte was lost on the way', async () => {
    const clock = new ManualClock();
    const [from, to] = [new MemoryEngine(clock, testKeyIdOf), new MemoryEngine(clock, testKeyIdOf)];
    await furnish(from);
    const apply = to.apply.bind(to);
    to.apply = (commands) =>
      apply(
        commands.map((command) =>
          command.type !== 'adopt'
            ? command
            : {
                ...command,
                effects: command.effects.map((effect) =>
                  effect.type === 'put-version' && effect.version.number === 3
                    ? { ...effect, body: { ...effect.body, segments: [bytes('lost')] } }
                    : effect,
                ),
              },
        ),
      );
    await expect(transfer(from, to, QUIET)).rejects.toThrow(/a body is not the same/);
  });
});
