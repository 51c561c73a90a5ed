import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BodyReader } from '../../src/engines/sqlite/bodies.ts';
import { openForWriting } from '../../src/engines/sqlite/connection.ts';
import { databasePath } from '../../src/engines/sqlite/files/data-directory.ts';
import { readLogEnd } from '../../src/engines/sqlite/files/log-end.ts';
import { verifyLogFile } from '../../src/engines/sqlite/files/log-file.ts';
import { migrate } from '../../src/engines/sqlite/migrate.ts';
import { Queries } from '../../src/engines/sqlite/queries.ts';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { Acknowledged, type Sight } from './acknowledged.ts';
import { CUTS, Disk, type Cut } from './power-cut/disk.ts';
import { hasCompiler, recorded } from './power-cut/recorder.ts';
import { readRecording, type Deed } from './power-cut/recording.ts';

const run = promisify(execFile);
const here = (path: string): string => new URL(path, import.meta.url).pathname;
const CUTS_OF_POWER = 400;
const SEED = 20_261;

const canRecord = hasCompiler();
if (!canRecord) console.log('no C compiler here: what a power cut leaves is not tried');

describe.runIf(canRecord)('after a power cut at any moment', { timeout: 300_000 }, () => {
  let place: { directory: string; remove: () => Promise<void> };
  let deeds: Deed[];
  let answers: string;

  beforeAll(async () => {
    place = await newDirectory();
    const recording = join(place.directory, 'recording');
    answers = join(place.directory, 'answers');
    const env = { ...process.env, ...(await recorded(place.directory, recording)) };
    await run(process.execPath, [here('./sqlite-recorded.mjs'), join(place.directory, 'data'), answers], {
      env,
    });
    deeds = readRecording(readFileSync(recording));
  }, 120_000);
  afterAll(async () => {
    await place?.remove();
  });

  /** What the disk had, opened, and held against what had been answered by then. */
  async function look(found: ReadonlyMap<string, Buffer>, acknowledged: Acknowledged): Promise<void> {
    const directory = join(place.directory, 'found');
    rmSync(directory, { recursive: true, force: true });
    const names = [...found].filter(([path]) => path.includes('/data/') && !path.endsWith('-shm'));
    mkdirSync(directory, { recursive: true });
    for (const [path, content] of names) {
      writeFileSync(path.replace(join(place.directory, 'data'), directory), content);
    }
    // What a power cut left is torn, and not damaged.
    verifyLogFile(databasePath(directory), readLogEnd(databasePath(directory)));
    const db = openForWriting(databasePath(directory));
    try {
      migrate(db);
      expect(db.prepare('PRAGMA integrity_check(1)').get()).toMatchObject({ integrity_check: 'ok' });
      const queries = new Queries(db, () => '');
      const bodies = new BodyReader(db);
      const sight: Sight = {
        world: async (address) => queries.world(address),
        versions: async (address, query) => queries.versions(address, query),
        body: async (id) => bodies.read(id),
      };
      await acknowledged.verify(sight);
    } finally {
      db.close();
    }
  }

  /** Cuts the power at so many moments; says at how many of them something that was answered was lost. */
  async function tryCuts(
    disk: Disk,
    cuts: number,
    isLost: (error: unknown, what: string) => void,
  ): Promise<void> {
    const chance = chanceFrom(SEED);
    const moments = new Set(Array.from({ length: cuts }, () => Math.floor(chance() * deeds.length)));
    const acknowledged = new Acknowledged();
    for (const [moment, deed] of deeds.entries()) {
      disk.follow(deed);
      if (deed.type === 'write' && deed.path === answers) acknowledged.hear(deed.data.toString());
      if (!moments.has(moment)) continue;
      const how = CUTS[moment % CUTS.length] as Cut;
      await look(disk.cut(how, chance), acknowledged).catch((error: unknown) =>
        isLost(error, `power cut after deed ${moment}, of what was not flushed ${how} was kept`),
      );
    }
  }

  it(`everything answered is there, and the database is sound, at ${CUTS_OF_POWER} moments`, async () => {
    expect(deeds.filter(({ type }) => type === 'flush').length).toBeGreaterThan(50);
    await tryCuts(new Disk(), CUTS_OF_POWER, (cause, what) => {
      throw new Error(what, { cause });
    });
    console.log(`sqlite: ${CUTS_OF_POWER} power cuts in ${deeds.length} deeds, nothing lost`);
  });

  it('and on a disk that does not flush the log, that would not be so: the test can tell', async () => {
    let lost = 0;
    await tryCuts(new Disk((path) => path.endsWith('-wal')), 40, () => {
      lost += 1;
    });
    expect(lost).toBeGreaterThan(10);
  });
});

/** Numbers that are the same at every run: mulberry32. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
