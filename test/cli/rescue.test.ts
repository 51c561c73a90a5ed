import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

let house: TestHouse;
let directory: string;

beforeAll(async () => {
  house = await TestHouse.open();
  directory = await mkdtemp(join(tmpdir(), 'statehouse-rescue-'));
});

afterAll(async () => {
  await house.close();
  await rm(directory, { recursive: true, force: true });
});

function run(words: readonly string[], as: Pair = TEST_ADMIN, answer?: string) {
  const env = { STATEHOUSE_SERVER: house.url, STATEHOUSE_CREDENTIAL: `${as.id}.${as.secret}` };
  return runStatehouse(words, { env, cwd: directory, ...(answer === undefined ? {} : { answer }) });
}

/** A state with one instance for each name, laid out as Terraform does. */
function stateText(serial: number, instances: Readonly<Record<string, string>>): string {
  const resources = Object.entries(instances).map(([name, value]) => ({
    mode: 'managed',
    type: 'terraform_data',
    name,
    provider: 'provider["terraform.io/builtin/terraform"]',
    instances: [{ schema_version: 0, attributes: { id: name, big: 'BIG', value }, sensitive_attributes: [] }],
  }));
  const state = { version: 4, terraform_version: '1.11.4', serial, lineage: 'l', outputs: {}, resources };
  return `${JSON.stringify(state, null, 2).replaceAll('"BIG"', '9007199254740993')}\n`;
}

async function write(path: string, text: string, query = ''): Promise<number> {
  return (await house.ask('POST', `/http/${path}${query}`, { body: text })).status;
}

async function read(path: string): Promise<string> {
  return (await house.ask('GET', `/http/${path}`)).text;
}

async function keptIds(path: string): Promise<readonly string[]> {
  const { code, out, err } = await run(['rescue', path, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return (JSON.parse(out) as { writes: { id: string }[] }).writes.map(({ id }) => id);
}

/** Two changes of one state, of which the second was refused. @returns the ID of what is kept */
async function raced(
  path: string,
  { base, theirs, ours }: Readonly<Record<'base' | 'theirs' | 'ours', Readonly<Record<string, string>>>>,
): Promise<string> {
  expect(await write(path, stateText(1, base))).toBe(200);
  expect(await write(path, stateText(2, theirs))).toBe(200);
  expect(await write(path, stateText(2, ours))).toBe(409);
  const [id, ...others] = await keptIds(path);
  expect(others).toEqual([]);
  return id ?? '';
}

describe('statehouse rescue', () => {
  it('lists what is kept: who, why, against what', async () => {
    const id = await raced('list/a', { base: { a: '1' }, theirs: { a: '2' }, ours: { a: '3' } });
    const { out, err } = await run(['rescue', 'list/a']);
    expect(out.split('\n')[0]).toMatch(/^ID +REFUSED +WHY +BY +DOOR +SERIAL +AGAINST +SIZE$/);
    expect(out).toMatch(
      new RegExp(`${id} .*stale \\(serial-equal\\) +token:.* http +2 +version 2, serial 2`),
    );
    expect(err).toContain('statehouse rescue list/a ID');
    const reader = await house.credential('reader', [{ role: 'reader', pattern: '*' }]);
    expect((await run(['rescue', 'list/a'], reader)).out).toContain('No refused write of list/a is kept');
    expect(await run(['rescue', 'list/a', id], reader)).toMatchObject({ code: 1 });
  });

  it('merges what touches different instances, under the lock, as the next version, and drops what was kept', async () => {
    const id = await raced('merge/a', {
      base: { a: '1', b: '1', gone: '1' },
      theirs: { a: '2', b: '1', gone: '1', bob: '1' },
      ours: { a: '1', b: '2', alice: '1' },
    });
    const { code, out, err } = await run(['rescue', 'merge/a', id, '--yes']);
    expect({ code, out }).toEqual({ code: 0, out: 'Rescued: the merged state has serial 3.\n' });
    expect(err).toContain('common ancestor: serial 1');
    expect(err).toContain('~ terraform_data.a  changed in the newest state');
    expect(err).toContain('- terraform_data.gone  removed in the refused state');
    const merged = JSON.parse(await read('merge/a')) as {
      serial: number;
      lineage: string;
      resources: { name: string; instances: { attributes: { value: string } }[] }[];
    };
    expect(merged).toMatchObject({ serial: 3, lineage: 'l' });
    const values = merged.resources.map(({ name, instances }) => [name, instances[0]?.attributes.value]);
    expect(values).toEqual([
      ['a', '2'],
      ['b', '2'],
      ['bob', '1'],
      ['alice', '1'],
    ]);
    expect((await read('merge/a')).match(/9007199254740993/g)).toHaveLength(4);
    const versions = await house.ask('GET', '/api/v1/state/versions?address=merge/a');
    expect(JSON.parse(versions.text)).toMatchObject({
      versions: [{ version: 3, operation: 'statehouse-rescue', forced: false }, {}, {}],
    });
    expect(await keptIds('merge/a')).toEqual([]);
    expect((await house.ask('GET', '/api/v1/state/lock?address=merge/a')).text).toContain('"holders":[]');
  });

  it('asks about what both changed: a script by options, a person at the terminal', async () => {
    const sides = { base: { a: '1', b: '1' }, theirs: { a: '2', b: '2' }, ours: { a: '3', b: '3' } };
    const id = await raced('ask/a', sides);
    const unasked = await run(['rescue', 'ask/a', id, '--yes']);
    expect(unasked.code).toBe(1);
    expect(unasked.err).toContain('--ours NAME');
    expect(unasked.err).toContain('terraform_data.b');
    expect(await read('ask/a')).toBe(stateText(2, sides.theirs));
    expect(await run(['rescue', 'ask/a', id, '--ours', 'no.such'])).toMatchObject({ code: 2 });
    const words = ['rescue', 'ask/a', id, '--ours', 'terraform_data.b', '--theirs', '*', '--yes'];
    expect(await run(words)).toMatchObject({ code: 0 });
    expect(await read('ask/a')).toBe(stateText(3, { a: '2', b: '3' }));
  });

  it('writes nothing on a dry run, without a yes, or while somebody else holds the lock', async () => {
    const theirs = { a: '2', b: '1' };
    const id = await raced('keep/a', { base: { a: '1', b: '1' }, theirs, ours: { a: '1', b: '2' } });
    expect(await run(['rescue', 'keep/a', id, '--dry-run'])).toMatchObject({ code: 0 });
    expect(await run(['rescue', 'keep/a', id], TEST_ADMIN, 'no')).toMatchObject({ code: 1 });
    const lock = JSON.stringify({ ID: 'other', Operation: 'OperationTypeApply', Who: 'bob@laptop' });
    expect((await house.ask('LOCK', '/http/keep/a', { body: lock })).status).toBe(200);
    expect(await run(['rescue', 'keep/a', id, '--yes'])).toMatchObject({ code: 3 });
    expect(await read('keep/a')).toBe(stateText(2, theirs));
    expect(await keptIds('keep/a')).toEqual([id]);
  });

  it('saves the bytes as they are into a file of the owner alone, and drops', async () => {
    const ours = { a: '3' };
    const id = await raced('save/a', { base: { a: '1' }, theirs: { a: '2' }, ours });
    expect(await run(['rescue', 'save/a', id, '--save', 'saved.tfstate'])).toMatchObject({ code: 0 });
    expect(await readFile(join(directory, 'saved.tfstate'), 'utf8')).toBe(stateText(2, ours));
    expect((await stat(join(directory, 'saved.tfstate'))).mode & 0o077).toBe(0);
    expect(await run(['rescue', 'save/a', id, '--drop'])).toMatchObject({ code: 0 });
    expect(await keptIds('save/a')).toEqual([]);
  });

  it('refuses a state that OpenTofu encrypted, and says what to do', async () => {
    expect(await write('tofu/a', stateText(1, {}))).toBe(200);
    expect(await write('tofu/a', stateText(2, {}))).toBe(200);
    const sealed = '{"serial":1,"lineage":"l","meta":{},"encrypted_data":"x","encryption_version":"v0"}';
    expect(await write('tofu/a', sealed)).toBe(409);
    const [id = ''] = await keptIds('tofu/a');
    const { code, err } = await run(['rescue', 'tofu/a', id, '--yes']);
    expect(code).toBe(1);
    expect(err).toContain('encrypted by OpenTofu');
    expect(err).toContain('--save FILE');
    expect(await keptIds('tofu/a')).toEqual([id]);
  });

  it('finds what a state was made of, though a failing run raised its serial past others', async () => {
    expect(await write('fit/a', stateText(1, { a: '1' }))).toBe(200);
    expect(await write('fit/a', stateText(2, { a: '1', bob: '1' }))).toBe(200);
    expect(await write('fit/a', stateText(3, { a: '1', bob: '1', eve: '1' }))).toBe(200);
    // Made of serial 1, and stored by its client again and again until it had serial 3.
    expect(await write('fit/a', stateText(3, { a: '1', alice: '1' }))).toBe(409);
    const [id = ''] = await keptIds('fit/a');
    const { err } = await run(['rescue', 'fit/a', id, '--yes']);
    expect(err).toContain('common ancestor: serial 1');
    expect(await read('fit/a')).toBe(stateText(4, { a: '1', bob: '1', eve: '1', alice: '1' }));
  });

  it('rescues errored.tfstate of a folder on any backend', async () => {
    const file = (name: string): string => join(directory, name);
    await writeFile(file('main.tf'), 'terraform {\n  backend "local" {}\n}\n');
    await writeFile(file('terraform.tfstate'), stateText(2, { a: '1', bob: '1' }));
    await writeFile(file('errored.tfstate'), stateText(2, { a: '1', alice: '1' }));
    // A local backend keeps no old versions: nothing tells an addition from a removal.
    const asked = await run(['rescue', '--yes']);
    expect(asked.code).toBe(1);
    expect(asked.err).toContain('common ancestor: unknown');
    const words = ['rescue', '--ours', 'terraform_data.alice', '--theirs', 'terraform_data.bob', '--yes'];
    expect(await run(words)).toMatchObject({ code: 0 });
    expect(await readFile(file('terraform.tfstate'), 'utf8')).toBe(
      stateText(3, { a: '1', bob: '1', alice: '1' }),
    );
    expect(await stat(file('errored.tfstate')).catch(() => null)).toBeNull();
    expect(await stat(file('errored.tfstate.rescued'))).toBeTruthy();
    expect(await run(['rescue'])).toMatchObject({ code: 1 });
  });
});
