import {
  access,
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statehouse-stranger-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the folder of a stranger', () => {
  const ran = (): string => join(folder, 'ran');
  const wasRun = (): Promise<boolean> =>
    access(ran()).then(
      () => true,
      () => false,
    );

  /** A program that leaves a trace, in a profile of a file in the folder. */
  async function layTrap(url: string, block: string): Promise<void> {
    const program = join(folder, 'program.sh');
    await writeFile(
      program,
      `#!/bin/sh\ntouch ${ran()}\necho '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"b"}'\n`,
    );
    await chmod(program, 0o755);
    await writeFile(join(folder, 'config'), `[default]\ncredential_process = ${program}\n`);
    await writeFile(
      join(folder, 'main.tf'),
      `terraform {
        backend "s3" {
          bucket         = "app"
          key            = "net"
          region         = "us-east-1"
          use_path_style = true
          endpoints      = { s3 = "${url}" }
          ${block}
        }
      }`,
    );
  }

  /** In a process of its own: the SDK looks at the environment of the process. */
  function status(env: Record<string, string>, ...flags: readonly string[]) {
    const mine = { PATH: process.env['PATH'], HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...env };
    return new RunningProgram(process.execPath, [MAIN, 'status', ...flags], { cwd: folder, env: mine }).end;
  }

  it('can have its programs run, as terraform would, but not with --no-external', async () => {
    await using house = await TestHouse.open();
    await layTrap(house.url, 'shared_config_files = ["./config"]');
    const refused = await status({}, '--no-external');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('shared_config_files names files, which --no-external does not read');
    expect((await status({ STATEHOUSE_NO_EXTERNAL: '1' })).code).toBe(2);
    expect(await wasRun()).toBe(false);
    await status({});
    expect(await wasRun()).toBe(true);
  });

  it('cannot have a program of the own profiles run either, and the environment is enough', async () => {
    await using house = await TestHouse.open();
    await layTrap(house.url, 'profile = "default"');
    const own = { AWS_CONFIG_FILE: join(folder, 'config') };
    const without = await status(own, '--no-external');
    expect(without.code).not.toBe(0);
    expect(await wasRun()).toBe(false);
    const keys = { AWS_ACCESS_KEY_ID: TEST_ADMIN.id, AWS_SECRET_ACCESS_KEY: TEST_ADMIN.secret };
    const enough = await status({ ...own, ...keys }, '--no-external');
    expect(enough.code, enough.output).toBe(0);
    expect(await wasRun()).toBe(false);
  });
});

describe('state pull --out', () => {
  const run = (...words: readonly string[]) => runStatehouse(words, { cwd: folder });

  it('leaves a file that only its owner may read, whatever was there', async () => {
    await writeFile(join(folder, 'terraform.tfstate'), sampleState(1));
    const target = join(folder, 'copy');
    await writeFile(target, 'old', { mode: 0o644 });
    await symlink(target, join(folder, 'link'));
    for (const name of ['copy', 'link', 'new']) {
      expect((await run('state', 'pull', '--out', name)).code).toBe(0);
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(folder, name), 'utf8')).toBe(sampleState(1));
      await chmod(target, 0o644);
    }
    expect((await lstat(join(folder, 'link'))).isSymbolicLink()).toBe(true);
    expect((await run('state', 'pull', '--out', '/dev/null')).code).toBe(0);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('follows no link that was laid at the name of a temporary file', async () => {
    await writeFile(join(folder, 'terraform.tfstate'), sampleState(1));
    const victim = join(folder, 'victim');
    await writeFile(victim, 'kept');
    await symlink(victim, join(folder, `copy.${process.pid}.tmp`));
    expect((await run('state', 'pull', '--out', 'copy')).code).toBe(0);
    expect(await readFile(victim, 'utf8')).toBe('kept');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toHaveLength(1);
  });
});
