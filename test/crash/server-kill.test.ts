import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Version } from '../../src/core/world.ts';
import { amountOf } from '../support/amount.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { ask } from '../support/request.ts';
import { Locker, Writer, type Shared } from './fixtures/clients.ts';

/** Deaths of the house. */
const CYCLES = amountOf('STATEHOUSE_DEATHS', { few: 12, many: 300 });
/** To be killed, and to start again on a machine that does much else. */
const DEATH_MS_MAX = 20_000;
const LIFE_MS = [10, 120] as const;
/** Now and then a life is so long, that the largest write is answered on a busy machine, too. */
const LONG_LIFE_MS = 1_000;
const LONG_EVERY = 6;
/** The first sizes are compressed in one go; the last takes several segments and much of a life to come in. */
const SIZES = [0, 2_000, 20_000, 900_000] as const;
const LOCKERS = 4;

describe('a house that is killed with -9 again and again while clients write', () => {
  it(
    `has every answered write and lock, nothing half-written and nothing twice, after ${CYCLES} deaths`,
    { timeout: CYCLES * DEATH_MS_MAX },
    async () => {
      await using house = await HouseProcess.start();
      const stop = new AbortController();
      const shared: Shared = { kept: 0, holding: new Set(), unsure: new Set() };
      const writers = SIZES.map((size) => new Writer(house.url, `crash/writer-${size}`, stop.signal, size));
      const lockers = Array.from(
        { length: LOCKERS },
        (_, index) => new Locker(house.url, 'crash/locked', stop.signal, { name: `locker-${index}`, shared }),
      );
      const clients = [...writers, ...lockers];
      const work = Promise.all(clients.map((client) => client.work()));
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        const isLong = cycle % LONG_EVERY === LONG_EVERY - 1;
        await sleep(isLong ? LONG_LIFE_MS : LIFE_MS[0] + Math.random() * (LIFE_MS[1] - LIFE_MS[0]));
        await house.kill();
        const held = [...shared.holding];
        await house.launch();
        // A lock that was answered before the death, and whose release nobody has asked for since.
        for (const lockId of held.filter((id) => shared.holding.has(id))) {
          const holder = await ask(house.url, 'GET', '/http/crash/locked?lock');
          const now = holder.status === 200 ? (JSON.parse(holder.text) as { ID: string }).ID : 'nobody';
          if (now !== lockId && shared.holding.has(lockId)) {
            throw new Error(`death ${cycle}: ${lockId} held the lock, and after it ${now} does`);
          }
        }
      }
      stop.abort();
      await house.kill();
      await work;
      expect(clients.flatMap(({ broken }) => broken)).toEqual([]);

      await using after = await TestHouse.open({ store: { kind: 'directory', path: house.directory } });
      for (const writer of writers) {
        const versions = await allVersions(after, writer.path);
        // The last one sent may have been kept without an answer.
        expect([writer.kept, writer.sent]).toContain(versions.length);
        expect(versions.map(({ serial }) => Number(serial))).toEqual(countTo(versions.length));
        expect(versions.map(({ number }) => number)).toEqual(countTo(versions.length));
        for (const { number } of versions)
          expect(await textOf(after, writer.path, number)).toBe(writer.state(number));
      }
      const locked = await allVersions(after, 'crash/locked');
      expect(locked.length - shared.kept).toBeOneOf([0, 1]);
      expect(locked.map(({ serial }) => Number(serial))).toEqual(countTo(locked.length));
      for (const { number, lockId } of locked) {
        expect(await textOf(after, 'crash/locked', number)).toContain(`"${lockId}"`);
      }
      const fences = locked.map(({ fence }) => fence ?? 0);
      expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
      // A test of dying that got nothing answered in between would show nothing.
      expect(Math.min(...clients.map(({ answered }) => answered))).toBeGreaterThan(CYCLES / 20);
    },
  );
});

function countTo(n: number): readonly number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

const PAGE = 500;

/** Oldest first. */
async function allVersions({ house }: TestHouse, path: string): Promise<readonly Version[]> {
  const found: Version[] = [];
  for (;;) {
    const before = found.at(-1)?.number;
    const query = { limit: PAGE, ...(before === undefined ? {} : { before }) };
    const page = await house.history.versions(ADMIN_CALLER, addressOf(path), query);
    if (page.type !== 'versions') throw new Error('the admin may not see versions');
    found.push(...page.versions);
    if (page.versions.length < PAGE) return found.reverse();
  }
}

async function textOf({ house }: TestHouse, path: string, number: number): Promise<string> {
  const answer = await house.states.read(ADMIN_CALLER, addressOf(path), number);
  if (answer.type !== 'found') throw new Error(`version ${number} of ${path} is ${answer.type}`);
  const chunks: Uint8Array[] = [];
  const bytes = answer.bytes.plain();
  if (bytes instanceof Uint8Array) return Buffer.from(bytes).toString();
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function addressOf(path: string): { project: string; key: string; workspace: string } {
  const [project = '', key = ''] = path.split('/');
  return { project, key, workspace: 'default' };
}
