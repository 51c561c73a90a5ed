import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { httpBackend, httpLogin, resource } from './fixtures/http-folder.ts';
import { awsLogin, s3Backend, s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
/** As on a CI runner: nobody is there, and the standard input is at its end. */
const CI = { TF_INPUT: '1', TF_IN_AUTOMATION: '' };
const PLAN = ['plan', '-detailed-exitcode'] as const;

describe.skipIf(terraform === null)('moving (skipped unless terraform is on PATH)', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const toHttp = (path: string): readonly string[] => {
    const at = `${house.url}/http/${path}`;
    const pairs = [`address=${at}`, `lock_address=${at}`, `unlock_address=${at}`];
    return ['migrate', '--to', 'http', ...pairs.flatMap((pair) => ['--to-config', pair])];
  };

  it('local states to a server: terraform goes on without a question, in every workspace', async () => {
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('one') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    await folder.must('workspace', 'new', 'dev');
    await folder.must('apply', '-auto-approve');
    const run = (words: readonly string[]) =>
      runStatehouse(words, { cwd: folder.path, env: httpLogin(TEST_ADMIN) });
    const looked = await run([...toHttp('moved/net'), '--dry-run']);
    expect(looked).toMatchObject({ code: 0, out: expect.stringMatching(/^dev +copied/m) });
    expect(await folder.read('terraform.tfstate')).not.toBeNull();

    const moved = await run(toHttp('moved/net'));
    expect(moved).toMatchObject({
      code: 0,
      err: expect.stringContaining('Workspace dev is no longer selected'),
    });
    const names = await readdir(folder.path);
    expect(names).toEqual(
      expect.arrayContaining(['terraform.tfstate.migrated', 'terraform.tfstate.d.migrated']),
    );
    expect(names).not.toContain('terraform.tfstate.d');
    await folder.write('backend.tf', httpBackend({ url: house.url, path: 'moved/net' }));
    const again = async (...args: readonly string[]) => {
      const { code, output } = await folder.start(args, { env: CI }).end;
      expect(code, output).toBe(0);
      return output;
    };
    await again('init', '-reconfigure');
    expect(await again(...PLAN)).toContain('No changes');

    // Both ways to the other workspace, as they were printed.
    const init = /terraform init (-reconfigure .*workspace=dev.*)$/m.exec(moved.err)?.[1] ?? '';
    await again('init', ...init.split(' ').map((word) => word.replaceAll("'", '')));
    expect(await again(...PLAN)).toContain('No changes');
    await folder.write('main.tf', resource('one') + resource('two'));
    await again('apply', '-auto-approve');
    expect(await resourcesAt(house, 'moved/net?workspace=dev')).toEqual(['one', 'two']);
    expect(await resourcesAt(house, 'moved/net')).toEqual(['one']);
    await folder.write('backend.tf', 'terraform {\n  backend "http" {}\n}\n');
    const exported = Object.fromEntries(
      [...moved.err.matchAll(/export (\w+)='(.*)'/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const main = Object.fromEntries(
      Object.entries(exported).map(([name, value]) => [name, value.replace('?workspace=dev', '')]),
    );
    expect((await folder.start(['init', '-reconfigure'], { env: { ...CI, ...main } }).end).code).toBe(0);
    const planned = await folder.start([...PLAN], { env: { ...CI, ...exported } }).end;
    expect(planned.output).toContain('No changes');
    expect((await folder.start([...PLAN], { env: { ...CI, ...main } }).end).code).toBe(2);
  });

  it('leaves a local state where it is, if it is to stay', async () => {
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('one') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    const kept = await runStatehouse([...toHttp('moved/kept'), '--keep-source'], {
      cwd: folder.path,
      env: httpLogin(TEST_ADMIN),
    });
    expect(kept).toMatchObject({ code: 0, err: expect.stringContaining('The source was not changed') });
    expect(await folder.read('terraform.tfstate')).not.toBeNull();
    expect(await folder.read('terraform.tfstate.migrated')).toBeNull();
  });

  it('a bucket to the same bucket and key on another server', async () => {
    await using other = await TestHouse.open();
    const lines = s3Lines('same/net', ['lock-file']);
    await using folder = await s3Folder(terraform!, { url: house.url, lines }, resource('one'));
    await folder.must('apply', '-auto-approve');
    const env = awsLogin(house.url);
    const settings = ['bucket=same', 'key=net', 'region=us-east-1', 'use_lockfile=true'];
    const migrate = (...more: readonly string[]) => {
      const words = [...settings, ...more].flatMap((item) => ['--to-config', item]);
      return runStatehouse(['migrate', '--to', 's3', ...words], { cwd: folder.path, env });
    };
    expect(await migrate()).toMatchObject({ code: 2, err: expect.stringContaining('endpoints={s3=') });
    const endpoint = `endpoints={s3="${other.url}"}`;
    expect(await migrate(endpoint)).toMatchObject({ code: 0 });
    await folder.write(
      'backend.tf',
      s3Backend([...lines, 'use_path_style = true', `endpoints = { s3 = "${other.url}" }`]),
    );
    const { code, output } = await folder.start(['init', '-reconfigure'], { env: CI }).end;
    expect(code, output).toBe(0);
    expect(await folder.must(...PLAN)).toContain('No changes');
    expect(await resourcesAt(other, 'same/net')).toEqual(['one']);
  });

  it('a dry run refuses what the run refuses, and errors name the options of the target', async () => {
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('one') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    const env = httpLogin(TEST_ADMIN);
    const run = (...words: readonly string[]) => runStatehouse(words, { cwd: folder.path, env });
    expect(await run('migrate', '--to', 's3', '--dry-run')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--to-config key='),
    });
    expect((await run('migrate', '--to', 's4')).err).toContain('--to s4: there is no backend called');
    const bare = [
      'migrate',
      '--to',
      'http',
      '--to-config',
      `address=${house.url}/http/moved/bare`,
      '--dry-run',
    ];
    expect(await run(...bare)).toMatchObject({ code: 1, err: expect.stringContaining('nothing is locked') });
    expect((await run(...bare, '--no-lock')).code).toBe(0);
    await house.ask('POST', '/http/moved/other', {
      body: Buffer.from(
        '{"version":4,"serial":1,"lineage":"other","outputs":{"a":{"value":1,"type":"number"}},"resources":[]}',
      ),
    });
    const conflict = await run(...toHttp('moved/other'), '--dry-run');
    expect(conflict).toMatchObject({
      code: 1,
      out: expect.stringContaining('refused: the target has another'),
    });
    await house.ask('LOCK', '/http/moved/held', {
      body: Buffer.from('{"ID":"l-1","Operation":"x","Who":"bob@ci","Created":"2026-01-01T00:00:00Z"}'),
    });
    expect((await run(...toHttp('moved/held'), '--dry-run')).code).toBe(3);
    expect(await folder.read('terraform.tfstate.migrated')).toBeNull();
  });

  it('a workspace that the http backend cannot use is not selected, and the ways to it are told', async () => {
    await using folder = await TerraformFolder.make(terraform!, {
      files: {
        'main.tf': resource('one'),
        'backend.tf': httpBackend({ url: house.url, path: 'moved/ways' }),
      },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    const run = (...words: readonly string[]) =>
      runStatehouse(words, { cwd: folder.path, env: httpLogin(TEST_ADMIN) });
    const refused = await run('workspace', 'new', 'dev');
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("export TF_HTTP_ADDRESS='") });
    expect(refused.err).toContain(
      `-backend-config='lock_address=${house.url}/http/moved/ways?workspace=dev'`,
    );
    expect((await run('workspace', 'show')).out).toBe('default\n');
    expect((await run('workspace', 'new', 'dev', '--no-select')).code).toBe(0);
    await house.ask('POST', '/http/moved/ways?workspace=dev', {
      body: Buffer.from('{"version":4,"serial":1,"lineage":"l","outputs":{},"resources":[]}'),
    });
    expect((await run('workspace', 'select', 'dev')).code).toBe(2);
    expect((await run('workspace', 'select', 'default')).code).toBe(0);
    await folder.must('apply', '-auto-approve');
  });
});
