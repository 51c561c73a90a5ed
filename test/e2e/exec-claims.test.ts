import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HouseProcess } from '../support/house-process.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { sampleLock } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { Gate } from './fixtures/gate.ts';
import { gcsFolder, gcsLogin } from './fixtures/gcs-folder.ts';
import { httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { awsLogin, s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { addressAt, lockAt, resourcesAt, untilHeld } from './fixtures/view.ts';

const terraform = await findTerraform();
const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));

describe.skipIf(terraform === null)('exec (skipped unless terraform is on PATH)', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  /** `statehouse ARGS` as a process of its own, in the folder. */
  function statehouse(
    folder: TerraformFolder,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): RunningProgram {
    const quiet = { CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null', TF_CLI_ARGS: '-no-color' };
    return new RunningProgram(process.execPath, [MAIN, ...args], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder.path, ...quiet, ...env },
    });
  }

  const OPENERS = {
    http: async (path: string) => ({
      folder: await httpFolder(terraform!, { url: house.url, path }, resource('common')),
      env: httpLogin(TEST_ADMIN),
    }),
    's3 with a lock file': async (path: string) => {
      const lines = s3Lines(path, ['lock-file']);
      return {
        folder: await s3Folder(terraform!, { url: house.url, lines }, resource('common')),
        env: awsLogin(house.url),
      };
    },
    's3 with a lock table': async (path: string) => {
      const lines = s3Lines(path, ['table']);
      return {
        folder: await s3Folder(terraform!, { url: house.url, lines }, resource('common')),
        env: awsLogin(house.url),
      };
    },
    gcs: async (path: string) => ({
      folder: await gcsFolder(terraform!, { url: house.url, path }, resource('common')),
      env: gcsLogin(),
    }),
  } as const;

  for (const [name, open] of Object.entries(OPENERS)) {
    const path = `exec/${name.replaceAll(' ', '-')}`;

    it(`${name}: its own terraform writes, and another with the same credential and -lock=false does not`, async () => {
      const { folder, env } = await open(path);
      await using alice = folder;
      await using gate = await Gate.make();
      await alice.must('apply', '-auto-approve');
      await using bob = await alice.copy();
      await alice.write('main.tf', resource('common') + resource('alice', 'alice', gate.command));
      await bob.write('main.tf', resource('common') + resource('bob'));
      const running = statehouse(alice, ['exec', '--', 'terraform', 'apply', '-auto-approve'], env);
      await gate.reached();
      expect((await untilHeld(house, path)).holders[0]?.operation).toBe('statehouse-exec-claimed');
      const refused = await bob.run('apply', '-auto-approve', '-lock=false');
      expect(refused.code, refused.output).toBe(1);
      await gate.open();
      const ended = await running.end;
      expect(ended.code, ended.output).toBe(0);
      expect(await resourcesAt(house, path)).toEqual(['alice', 'common']);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it(`${name}: statehouse and terraform in a script write, and not after the lock was broken`, async () => {
      const { folder, env } = await open(`${path}-script`);
      await using alice = folder;
      await using gate = await Gate.make();
      await alice.must('apply', '-auto-approve');
      await alice.write('main.tf', resource('common') + resource('second'));
      const push = `${process.execPath} ${MAIN} pull > s.json && sed -i 's/"serial": [0-9]*/"serial": 90/' s.json && ${process.execPath} ${MAIN} push s.json`;
      const script = `terraform apply -auto-approve -lock=false && ${push}`;
      const done = await statehouse(alice, ['exec', '--', 'sh', '-c', script], env).end;
      expect(done.code, done.output).toBe(0);
      expect(await resourcesAt(house, `${path}-script`)).toEqual(['common', 'second']);
      await alice.write('main.tf', resource('common') + resource('late', 'late', gate.command));
      const late = statehouse(alice, ['exec', '--', 'terraform', 'apply', '-auto-approve'], env);
      await gate.reached();
      const { holders } = await untilHeld(house, `${path}-script`);
      const lock = { lockId: holders[0]?.lockId ?? '', alias: null };
      await house.house.locks.unlock(ADMIN_CALLER, addressAt(`${path}-script`), lock);
      await gate.open();
      expect((await late.end).code).not.toBe(0);
      expect(await resourcesAt(house, `${path}-script`)).toEqual(['common', 'second']);
    });
  }

  it('lets a terraform in another folder take the lock of its own state', async () => {
    const { folder, env } = await OPENERS.http('exec/outer');
    await using outer = folder;
    await using inner = (await OPENERS.http('exec/inner')).folder;
    const args = ['exec', '--', 'terraform', `-chdir=${inner.path}`, 'apply', '-auto-approve'];
    const ended = await statehouse(outer, args, env).end;
    expect(ended.code, ended.output).toBe(0);
    const versions = await house.house.history.versions(ADMIN_CALLER, addressAt('exec/inner'), {
      limit: 1,
    });
    expect(versions).toMatchObject({ versions: [{ operation: 'OperationTypeApply' }] });
  });

  it('works under the lock of an apply whose server was away: its state goes home by either client, and by no other', async () => {
    await using server = await HouseProcess.start();
    for (const client of ['terraform', 'statehouse'] as const) {
      const path = `exec/away-${client}`;
      await using gate = await Gate.make();
      const place = { url: server.url, path };
      await using alice = await httpFolder(terraform!, place, resource('one', 'one', gate.command));
      const apply = alice.start(['apply', '-auto-approve'], { env: { TF_HTTP_RETRY_MAX: '0' } });
      await gate.reached();
      await server.kill();
      await gate.open();
      expect((await apply.end).code).toBe(1);
      expect(await alice.read('errored.tfstate')).not.toBeNull();
      await server.launch();

      const env = { ...httpLogin(TEST_ADMIN), STATEHOUSE_SERVER: server.url };
      const plain = await alice.run('state', 'push', 'errored.tfstate');
      const told = /statehouse (exec --lock (\S+) -- terraform state push errored.tfstate)/.exec(
        plain.output,
      );
      expect(plain.code, plain.output).toBe(1);
      const [, command = '', id = ''] = told ?? [];
      const refused = await statehouse(alice, ['push', 'errored.tfstate'], env).end;
      expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining(`--lock ${id}`) });
      const other = id.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      const wrong = await statehouse(alice, ['push', '--lock', other, 'errored.tfstate'], env).end;
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('is not locked by') });

      const words = client === 'terraform' ? command.split(' ') : ['push', '--lock', id, 'errored.tfstate'];
      const pushed = await statehouse(alice, words, env).end;
      expect(pushed.code, pushed.output).toBe(0);
      expect(await alice.must('plan', '-detailed-exitcode')).toContain('No changes');
    }
  });

  it('works under a lock of its own at the gcs door, and under no other, by the generation that terraform shows', async () => {
    const { folder } = await OPENERS.gcs('exec/adopted');
    await using alice = folder;
    await alice.must('apply', '-auto-approve');
    const at = { as: null, headers: { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}` } };
    const put = await house.ask(
      'POST',
      '/upload/storage/v1/b/exec/o?uploadType=media&name=adopted%2Fdefault.tflock&ifGenerationMatch=0',
      { ...at, body: sampleLock('5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c12') },
    );
    const { generation } = JSON.parse(put.text) as { generation: string };
    await alice.write('main.tf', resource('common') + resource('late'));
    const words = ['exec', '--lock', generation, '--', 'terraform', 'apply', '-auto-approve'];
    const bob = gcsLogin(await house.credential('bob', [{ role: 'operator', pattern: '*' }]));
    const stolen = await statehouse(alice, words, bob).end;
    expect(stolen).toMatchObject({ code: 1, stderr: expect.stringContaining('is not yours') });
    expect((await lockAt(house, 'exec/adopted')).holders).toHaveLength(1);
    const done = await statehouse(alice, words, gcsLogin()).end;
    expect(done.code, done.output).toBe(0);
    expect(await resourcesAt(house, 'exec/adopted')).toEqual(['common', 'late']);
    expect((await lockAt(house, 'exec/adopted')).holders).toEqual([]);
  });

  it('takes no lock over from another subject', async () => {
    const { folder } = await OPENERS.http('exec/strange');
    await using alice = folder;
    const id = '5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c11';
    await alice.must('apply', '-auto-approve');
    await house.ask('LOCK', '/http/exec/strange', { body: sampleLock(id) });
    const other = httpLogin(await house.credential('other', [{ role: 'writer', pattern: '*' }]));
    await alice.write('main.tf', resource('stolen'));
    const words = ['exec', '--lock', id, '--', 'terraform', 'apply', '-auto-approve'];
    expect((await statehouse(alice, words, other).end).code).not.toBe(0);
    expect(await resourcesAt(house, 'exec/strange')).toEqual(['common']);
    expect((await lockAt(house, 'exec/strange')).holders).toHaveLength(1);
  });
});
