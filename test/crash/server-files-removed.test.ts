import { rm, rename, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';

const PATH = '/http/files/state';

/** What becomes of the files by hand. */
const DEEDS: readonly (readonly [string, (database: string) => Promise<void>])[] = [
  ['removed', (database) => rm(database)],
  [
    'replaced',
    async (database) => {
      await copyFile(database, `${database}.copy`);
      await rename(`${database}.copy`, database);
    },
  ],
];

describe('a server whose database is', () => {
  it.each(DEEDS)('%s by hand answers no write with success, and ends', async (word, deed) => {
    const { directory, remove } = await newDirectory();
    {
      await using house = await HouseProcess.start({ directory });
      expect((await ask(house.url, 'POST', PATH, { body: sampleState(1) })).status).toBe(200);
      await deed(join(directory, 'statehouse.db'));
      const write = await ask(house.url, 'POST', PATH, { body: sampleState(2) }).catch(() => null);
      expect(write?.status ?? 503).toBeGreaterThanOrEqual(500);
      const ready = await ask(house.url, 'GET', '/readyz').catch(() => null);
      expect(ready?.status ?? 503).toBe(503);
      await eventually('the server ends by itself', () => house.output.includes('The server stops'));
      expect(house.output).toContain(`statehouse.db was ${word}`);
      expect((await house.stop())?.code).toBe(1);
    }
    await remove();
  });

  it('removed is not started again on nothing, as a supervisor would', async () => {
    const { directory, remove } = await newDirectory();
    {
      await using house = await HouseProcess.start({ directory });
      await rm(join(directory, 'statehouse.db'));
      await eventually('the server ends by itself', () => house.output.includes('The server stops'));
      await house.stop();
      const { code, output } = await house.refuses();
      expect(code).not.toBe(0);
      expect(output).toContain('statehouse.db is missing');
    }
    await remove();
  });
});
