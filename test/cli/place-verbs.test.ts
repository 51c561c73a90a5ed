import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

/** A state with one output, `x`. */
function stateWith(serial: number, outputs: Readonly<Record<string, number>>, resources = ''): string {
  const shown = Object.entries(outputs).map(
    ([name, value]) => `"${name}":{"value":${value},"type":"number"}`,
  );
  return `{"version":4,"terraform_version":"1.11.4","serial":${serial},"lineage":"l","outputs":{${shown.join(',')}},"resources":[${resources}]}`;
}

let house: TestHouse;
let folder: string;
beforeAll(async () => {
  house = await TestHouse.open();
  folder = await mkdtemp(join(tmpdir(), 'statehouse-verbs-'));
});
afterAll(async () => {
  await house.close();
  await rm(folder, { recursive: true, force: true });
});

const SECRETS = {
  STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  TF_HTTP_USERNAME: TEST_ADMIN.id,
  TF_HTTP_PASSWORD: TEST_ADMIN.secret,
};

/** Runs a command in the folder, whose backend is the http door of the house. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runStatehouse(words, { env: { STATEHOUSE_SERVER: house.url, ...SECRETS, ...env }, cwd: folder });
}

async function json(words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run([...words, '--json']);
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out) as Record<string, unknown>;
}

async function write(path: string, serial: number, more = ''): Promise<void> {
  const { status, text } = await house.ask('POST', `/http/${path}${more}`, {
    body: Buffer.from(stateWith(serial, { x: serial })),
  });
  expect(status, text).toBe(200);
}

async function useHttp(path: string): Promise<void> {
  const at = `${house.url}/http/${path}`;
  await writeFile(
    join(folder, 'main.tf'),
    `terraform {\n  backend "http" {\n    address = "${at}"\n    lock_address = "${at}"\n    unlock_address = "${at}"\n  }\n}\n`,
  );
}

describe('an address and a folder', () => {
  it('have the same verbs, columns and JSON, also with the word "state"', async () => {
    await write('verbs/net', 1);
    await write('verbs/net', 2);
    await useHttp('verbs/net');
    const [byAddress, byFolder] = [await json(['history', 'verbs/net']), await json(['history'])];
    expect(byFolder).toEqual({ ...byAddress, place: `${house.url}/http/verbs/net` });
    expect(byAddress).toMatchObject({
      place: 'verbs/net',
      workspace: 'default',
      versions: [{ version: 2, serial: '2', deleted: false }, { version: 1 }],
      more: false,
    });
    const tables = await Promise.all(
      [
        ['history', 'verbs/net'],
        ['history', '.'],
        ['state', 'history'],
        ['history', folder],
      ].map(async (words) =>
        (await run(words)).out.replaceAll(/\d+s ago|just now/g, 'AGO').replaceAll(/ +/g, ' '),
      ),
    );
    expect(new Set(tables).size).toBe(1);
    expect(tables[0]).toMatch(/^VERSION SERIAL SIZE WRITTEN BY DOOR REMARK\n2 2 \d+ B/);
    for (const place of [[], ['verbs/net']]) {
      expect((await run(['diff', ...place, '1', '2'])).out).toContain('~ output x: 1 → 2');
      expect((await run(['diff', ...place, '1'])).out).toContain('~ output x: 1 → 2');
      expect((await run(['outputs', ...place])).out).toBe('x = 2\n');
      expect((await run(['outputs', ...place, 'x', '--raw'])).out).toBe('2');
      expect((await run(['pull', ...place, '--version', '1'])).out).toContain('"serial":1');
      expect(await run(['list', ...place])).toMatchObject({ code: 0, out: '' });
      expect((await run(['show', ...place, 'a_b.c'])).err).toContain('there is no a_b.c in the state');
      expect((await run(['status', ...place])).out).toContain('Serial:      2');
    }
    await writeFile(join(folder, 'next.tfstate'), stateWith(3, { x: 3 }));
    expect(await run(['push', 'verbs/net', 'next.tfstate'])).toMatchObject({ code: 0 });
    expect((await run(['diff', './next.tfstate', '2'])).out).toContain('~ output x: 3 → 2');
    expect((await run(['restore', '1', '--yes'])).out).toContain('version 4 has the content of version 1');
  });

  it('purge no state before its time that the project retains, unless an admin says so', async () => {
    await useHttp('kept/gone');
    const set = async (...flags: readonly string[]): Promise<string> =>
      (await run(['project', 'set', 'kept', ...flags])).out;
    expect(await set('--retain-at-least', '30')).toMatch(
      /retain-at-least +30 +project\s[^]*retain-mode +governance/,
    );
    expect((await run(['project', 'set', 'kept', '--retain-mode', 'never'])).code).toBe(2);
    const write = async (): Promise<void> => {
      const body = Buffer.from(stateWith(1, {}));
      expect((await house.ask('POST', '/http/kept/gone', { body })).status).toBe(200);
      expect((await run(['delete', '--yes'])).code).toBe(0);
    };
    await write();
    const refused = await run(['purge', '--yes']);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is retained until') });
    expect(refused.err).toContain('--bypass-retention');
    expect((await run(['purge', '--yes', '--bypass-retention'])).code).toBe(0);
    expect(await set('--retain-mode', 'compliance')).toMatch(/retain-mode +compliance +project/);
    await write();
    expect(await run(['purge', '--yes', '--bypass-retention'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no one may remove it'),
    });
    expect(await set('--retain-at-least', 'default', '--retain-mode', 'default')).toMatch(
      /retain-at-least +0/,
    );
    expect((await run(['history', 'kept/gone'])).out).toContain('1');
  });

  it('delete, undelete and purge a state, and refuse where something would be lost', async () => {
    await useHttp('verbs/gone');
    const resource =
      '{"mode":"managed","type":"a","name":"b","provider":"p","instances":[{"schema_version":0,"attributes":{}}]}';
    const body = Buffer.from(stateWith(1, {}, resource));
    const { status } = await house.ask('POST', '/http/verbs/gone', { body });
    expect(status).toBe(200);
    expect(await run(['delete', '--yes'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('has 1 resource instance'),
    });
    expect((await run(['delete', '--force'])).code).toBe(2);
    expect((await run(['purge', 'verbs/gone', '--yes'])).code).toBe(1);
    expect(await run(['delete', '--force', '--yes'])).toMatchObject({
      code: 0,
      err: expect.stringContaining('"statehouse undelete verbs/gone" brings it back'),
    });
    expect((await run(['delete', '--force', '--yes'])).err).toContain('there is no state');
    expect((await run(['undelete'])).out).toContain('verbs/gone is back: version 1');
    expect((await run(['delete', 'verbs/gone', '--force', '--yes'])).code).toBe(0);
    expect((await run(['purge', '--yes'])).out).toBe('verbs/gone is purged.\n');
    const absent = await run(['history', '--json']);
    expect(absent).toMatchObject({ code: 1, out: '' });
    expect(JSON.parse(absent.err)).toMatchObject({ reason: 'absent', exitCode: 1 });
  });

  it('show and set how much history is kept', async () => {
    await write('kept/net', 1);
    expect((await run(['retention', 'kept/net'])).out).toMatch(/keep-versions +- +server/);
    expect((await run(['retention', 'kept/net', '--keep-versions', '7'])).out).toMatch(
      /keep-versions +7 +project/,
    );
    expect(await json(['retention', 'kept/net', '--keep-versions', 'default'])).toMatchObject({
      set: { keepVersions: null },
    });
    expect((await run(['retention', 'kept/net', '--keep-days', 'some'])).code).toBe(2);
  });

  it('are told apart, and a contradiction is refused', async () => {
    await write('verbs/net', 9, '?workspace=dev');
    await useHttp('verbs/net');
    expect(await json(['history', 'verbs/net', '--workspace', 'dev'])).toMatchObject({
      place: 'verbs/net@dev',
    });
    expect((await run(['history', 'verbs/net@dev', '--workspace', 'prod'])).code).toBe(2);
    expect((await run(['history', 'not-an-address'])).err).toContain('invalid address');
    expect((await run(['restore', 'verbs/net'])).err).toContain('invalid version');
    expect((await run(['restore'])).err).toContain("missing required argument 'version'");
    expect((await run(['restore', 'verbs/net', '1', '2'])).code).toBe(2);
    expect((await run(['history', './none'])).err).toContain('cannot be read');
  });

  it('say who may ask, and where', async () => {
    const nobody = await run(['pull', 'verbs/net'], { STATEHOUSE_CREDENTIAL: '' });
    expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining('Set STATEHOUSE_CREDENTIAL') });
    const nowhere = await run(['diff', 'verbs/net', '1'], { STATEHOUSE_SERVER: 'http://127.0.0.1:9' });
    expect(nowhere.err).toContain('STATEHOUSE_SERVER names another one');
  });
});

describe('a folder whose bucket is on a server', () => {
  const words = (url: string): readonly string[] => [
    '--backend=s3',
    ...['bucket=verbs', 'key=net', 'region=us-east-1', 'use_lockfile=true', 'use_path_style=true'].flatMap(
      (item) => ['--backend-config', item],
    ),
    '--backend-config',
    `endpoints={s3="${url}"}`,
    '--backend-config',
    'skip_credentials_validation=true',
  ];
  const AWS = { AWS_ACCESS_KEY_ID: TEST_ADMIN.id, AWS_SECRET_ACCESS_KEY: TEST_ADMIN.secret };

  it('is asked as that server with a credential for it, and never told the secret of the bucket', async () => {
    const listed = await run(['history', ...words(house.url)], AWS);
    expect(listed).toMatchObject({ code: 0, out: expect.stringMatching(/restored from version 1/) });
    const without = await run(['history', ...words(house.url)], { ...AWS, STATEHOUSE_CREDENTIAL: '' });
    expect(without).toMatchObject({ code: 0, out: expect.not.stringContaining('restored from') });
    expect(
      (await run(['retention', ...words(house.url)], { ...AWS, STATEHOUSE_CREDENTIAL: '' })).err,
    ).toContain('only a Statehouse server can');
    const heard: string[] = [];
    const stranger = createServer((request, response) => {
      heard.push(JSON.stringify(request.headers));
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    expect((await run(['undelete', ...words(`http://127.0.0.1:${port}`)], AWS)).code).toBe(1);
    await run(['history', ...words(`http://127.0.0.1:${port}`)], AWS);
    expect(heard.join()).not.toContain(TEST_ADMIN.secret);
    stranger.close();
  });
});

describe('exec', () => {
  it('warns where the block has the user name, so that no other can be given to the command', async () => {
    const at = `${house.url}/http/verbs/blocked`;
    const settings = [
      `address=${at}`,
      `lock_address=${at}`,
      `unlock_address=${at}`,
      `username=${TEST_ADMIN.id}`,
      `password=${TEST_ADMIN.secret}`,
    ];
    const words = ['--backend=http', ...settings.flatMap((pair) => ['--backend-config', pair])];
    expect(await run(['exec', ...words, '--', 'true'])).toMatchObject({
      code: 0,
      err: expect.stringContaining('the user name is not in TF_HTTP_USERNAME'),
    });
    await useHttp('verbs/blocked');
    expect((await run(['exec', '--', 'true'])).err).toBe('');
  });
});

describe('completion', () => {
  const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));

  it('knows addresses, workspaces, backends, roles and actions, and offers nothing that a shell would run', async () => {
    await write('verbs/%24(id)', 1);
    await useHttp('verbs/net');
    const offers = async (...words: readonly string[]) =>
      (await run(['completion', 'words', '--', ...words])).out.split('\n');
    expect(await offers('history')).toEqual(
      expect.arrayContaining(['verbs/net', 'verbs/net@dev', '--limit']),
    );
    expect((await offers('history')).join()).not.toContain('$(');
    expect(await offers('history', 'verbs/net')).not.toContain('verbs/net');
    expect(await offers('state', 'restore', 'verbs/net', '--workspace')).toEqual(['default', 'dev', '']);
    expect(await offers('workspace', 'select')).toContain('dev');
    expect(await offers('migrate', '--to')).toEqual([
      'local',
      'http',
      's3',
      'gcs',
      'azurerm',
      'consul',
      'pg',
      'cloud',
      'remote',
      '',
    ]);
    expect(await offers('credential', 'create', 'ci', '--grant')).toContain('writer:');
    expect(await offers('audit', '--action')).toContain('force-unlock');
    expect(await offers('state')).toContain('undelete');
    const alone = await run(['completion', 'words', '--', 'history'], {
      STATEHOUSE_SERVER: 'http://127.0.0.1:9',
    });
    expect(alone).toMatchObject({ code: 0, out: expect.stringContaining('--limit') });
  });

  it('works in bash, with an "@" in the word', async () => {
    const script = `statehouse() { "${process.execPath}" "${MAIN}" "$@"; }
      source <(statehouse completion bash)
      for COMP_LINE in 'statehouse history verbs/ne' 'statehouse history verbs/net@' 'statehouse undel'; do
        COMP_POINT=\${#COMP_LINE}; _statehouse; echo "\${COMPREPLY[@]}"
      done`;
    const shell = new RunningProgram('bash', ['-c', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', STATEHOUSE_SERVER: house.url, ...SECRETS },
    });
    const { stdout, output } = await shell.end;
    expect(stdout, output).toBe('verbs/net verbs/net@dev\ndev\nundelete\n');
  });
});

describe('status', () => {
  it('says that a folder has no Terraform files', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'statehouse-empty-'));
    const { code, out, err } = await run(['status', empty]);
    expect({ code, out, err }).toMatchObject({
      code: 0,
      out: expect.stringContaining('local (no .tf files)'),
      err: expect.stringContaining(`there are no .tf files in ${empty}`),
    });
    await rm(empty, { recursive: true });
  });

  it('shows a freeze that lies on the state', async () => {
    await useHttp('verbs/net');
    expect((await run(['status'])).out).not.toContain('Frozen');
    await run(['freeze', 'verbs/*', '--until', '2h', '--reason', 'release week']);
    for (const place of [[], ['verbs/net']]) {
      const { out } = await run(['status', ...place]);
      expect(out).toMatch(/Frozen: +applies are refused until .* by token:\S+ \(verbs\/\*\): release week/);
      expect(await json(['status', ...place])).toMatchObject({ frozen: { reason: 'release week' } });
    }
    await run(['unfreeze', 'verbs/*']);
  });
});

describe('rescue in a folder', () => {
  it('finds what the server refused', async () => {
    await useHttp('verbs/lost');
    await write('verbs/lost', 5);
    expect((await run(['rescue'])).err).toContain('keeps no refused write of this state');
    const stale = await house.ask('POST', '/http/verbs/lost', {
      body: Buffer.from(stateWith(4, { y: 1 })),
    });
    expect(stale.status).toBe(409);
    const { out } = await run(['rescue']);
    const id = /^([0-9a-f]{16}) /m.exec(out)?.[1] ?? '';
    expect(id).not.toBe('');
    expect(await run(['rescue', id, '--ours', '*', '--yes'])).toMatchObject({ code: 0 });
    expect((await run(['outputs'])).out).toContain('y = 1');
  });
});
