import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { IN_USE_FILE, removeLeftBehind } from '../../src/runs/left-behind.ts';
import { Workplace } from '../../src/runs/workplace.ts';
import { slugOf } from './running-house.ts';

const LONG_AGO = 600_000;
let root: string;
let elsewhere: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'statehouse-left-'));
  elsewhere = await mkdtemp(join(tmpdir(), 'statehouse-kept-'));
  await writeFile(join(elsewhere, 'precious'), 'kept');
});
afterEach(async () => {
  for (const place of [root, elsewhere]) await rm(place, { recursive: true });
});

async function placeOf(id: string): Promise<Workplace> {
  const slug = await slugOf({ 'main.tf': '' });
  return Workplace.make(
    root,
    id,
    (async function* () {
      yield slug;
    })(),
    '',
  );
}

it('removes what a killed run left, with no link followed, and nothing else', async () => {
  const old = new Date(Date.now() - LONG_AGO);
  const left = await placeOf('run-AAAAAAAAAAAAAAAA');
  await symlink(elsewhere, join(left.directory, 'out'));
  await utimes(join(left.directory, IN_USE_FILE), old, old);
  const used = await placeOf('run-BBBBBBBBBBBBBBBB');
  await utimes(join(used.directory, IN_USE_FILE), old, old);
  await used.use();
  // Of these each looks like one of a run, but was not made for one.
  await mkdir(join(root, 'run-CCCCCCCCCCCCCCCC'));
  await mkdir(join(root, 'notes'));
  await writeFile(join(root, 'notes', IN_USE_FILE), '');
  await utimes(join(root, 'notes', IN_USE_FILE), old, old);
  await writeFile(join(root, 'run-DDDDDDDDDDDDDDDD'), '');
  await writeFile(join(elsewhere, IN_USE_FILE), '');
  await utimes(join(elsewhere, IN_USE_FILE), old, old);
  await symlink(elsewhere, join(root, 'run-EEEEEEEEEEEEEEEE'));
  const linked = await placeOf('run-FFFFFFFFFFFFFFFF');
  await rm(join(linked.directory, IN_USE_FILE));
  await symlink(join(elsewhere, IN_USE_FILE), join(linked.directory, IN_USE_FILE));

  expect(await removeLeftBehind(root, Date.now())).toBe(1);
  expect((await readdir(root)).toSorted()).toEqual([
    'notes',
    'run-BBBBBBBBBBBBBBBB',
    'run-CCCCCCCCCCCCCCCC',
    'run-DDDDDDDDDDDDDDDD',
    'run-EEEEEEEEEEEEEEEE',
    'run-FFFFFFFFFFFFFFFF',
  ]);
  expect((await readdir(elsewhere)).toSorted()).toEqual([IN_USE_FILE, 'precious']);
  expect(await removeLeftBehind(join(root, 'nowhere'), Date.now())).toBe(0);
});
