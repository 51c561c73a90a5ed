import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openForReading } from '../../src/engines/sqlite/connection.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';

const DATABASE = 'statehouse.db';
const KEY = 'master.key';

describe('a data directory that is not as it was left', () => {
  it('is refused with the wrong master key, and untouched by that', async () => {
    await using house = await kept();
    const right = await readFile(join(house.directory, KEY));
    await writeFile(join(house.directory, KEY), `${randomBytes(32).toString('base64')}\n`);
    const end = await house.refuses();
    expect(end.code).toBe(1);
    expect(end.output).toMatch(/is encrypted under master key \w+, but the given master keys are \w+/);
    await writeFile(join(house.directory, KEY), right);
    await stillKept(house);
  });

  it('is refused without its master key rather than given a new one', async () => {
    await using house = await kept();
    await rename(join(house.directory, KEY), join(house.directory, 'elsewhere.key'));
    const end = await house.refuses();
    expect(end.code).toBe(1);
    expect(end.output).toContain('restore the file from your copy');
    await rename(join(house.directory, 'elsewhere.key'), join(house.directory, KEY));
    await stillKept(house);
  });

  it('is refused with a master key that is none', async () => {
    await using house = await kept();
    await writeFile(join(house.directory, KEY), 'not base64 of 32 bytes\n');
    const end = await house.refuses();
    expect(end.code).toBe(1);
    expect(end.output).toMatch(/master key/i);
  });

  it('is refused while another process has it open', async () => {
    await using house = await HouseProcess.start();
    await ask(house.url, 'POST', '/http/acme/a', { body: sampleState(1) });
    await expect(HouseProcess.start({ directory: house.directory })).rejects.toThrow(
      /in use|another process/,
    );
    expect((await ask(house.url, 'GET', '/http/acme/a')).text).toBe(sampleState(1));
  });

  it('with a damaged page fails for what is on that page alone, and never says that it is absent', async () => {
    await using house = await HouseProcess.start();
    const [small, large] = [sampleState(1), sampleState(1, { size: 400_000 })];
    await ask(house.url, 'POST', '/http/acme/small', { body: small });
    await ask(house.url, 'POST', '/http/acme/large', { body: large });
    await house.stop();
    await damage(house.directory);
    await house.launch();

    expect((await ask(house.url, 'GET', '/http/acme/small')).text).toBe(small);
    const refused = await ask(house.url, 'GET', '/http/acme/large').catch((fault: Error) => fault);
    if (!(refused instanceof Error)) {
      expect(refused.status).toBe(503);
      expect(refused.text).toContain("if it goes on, see the server's log");
    }
    await eventually('the log says what to do', () =>
      /the database is damaged.*restore a backup with \\?"statehouse restore-backup/.test(house.output),
    );
    expect((await ask(house.url, 'POST', '/http/acme/small', { body: sampleState(2) })).status).toBe(200);
    expect((await ask(house.url, 'GET', '/readyz')).status).toBe(200);
  });

  it('that is no database is refused with what to do', async () => {
    await using house = await kept();
    await writeFile(join(house.directory, DATABASE), randomBytes(50_000));
    const end = await house.refuses();
    expect(end.code).toBe(1);
    expect(end.output).toContain('the database is damaged');
  });
});

/** A house that was stopped in good order, with one state in it. */
async function kept(): Promise<HouseProcess> {
  const house = await HouseProcess.start();
  await ask(house.url, 'POST', '/http/acme/a', { body: sampleState(1) });
  await house.stop();
  return house;
}

async function stillKept(house: HouseProcess): Promise<void> {
  await house.launch();
  expect((await ask(house.url, 'GET', '/http/acme/a')).text).toBe(sampleState(1));
}

/** Overwrites a page that holds nothing but a piece of the largest segment. */
async function damage(directory: string): Promise<void> {
  const path = join(directory, DATABASE);
  const db = openForReading(path);
  const row = db.prepare('SELECT data FROM segment ORDER BY length(data) DESC LIMIT 1').get();
  const { page_size: pageSize } = db.prepare('PRAGMA page_size').get() as { page_size: number };
  db.close();
  const data = Buffer.from((row as { data: Uint8Array }).data);
  const file = await readFile(path);
  const at = file.indexOf(data.subarray(2 * pageSize, 2 * pageSize + 64));
  if (at === -1) throw new Error('the segment is not where it was looked for');
  const page = at - (at % pageSize);
  file.fill(0xff, page, page + pageSize);
  await writeFile(path, file);
}
