import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { httpLogin, resource } from './fixtures/http-folder.ts';
import { awsLogin, s3Folder, s3Lines } from './fixtures/s3-folder.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('an old bucket (skipped unless terraform is on PATH)', () => {
  let old: TestHouse;
  let home: string;

  beforeAll(async () => {
    old = await TestHouse.open();
    home = await mkdtemp(join(tmpdir(), 'statehouse-tombstone-'));
  });
  afterAll(async () => {
    await old.close();
    await rm(home, { recursive: true, force: true });
  });

  it('tells an apply that comes too late where the state is now, because somebody keeps its lock', async () => {
    const lines = s3Lines('old/net.tfstate', ['lock-file']);
    await using folder = await s3Folder(terraform!, { url: old.url, lines }, resource('one'));
    await folder.must('apply', '-auto-approve');
    const reason = 'moved to https://state.example.com';
    const locked = await runStatehouse(['lock', '--reason', reason], {
      cwd: folder.path,
      env: { HOME: home, AWS_REGION: 'us-east-1', ...awsLogin(old.url) },
    });
    expect(locked.code, locked.err).toBe(0);
    const { code, output } = await folder.run('apply', '-auto-approve');
    expect(code).toBe(1);
    expect(output.replaceAll(/[\s│]+/g, ' ')).toContain(reason);
  });

  it('is moved by "statehouse migrate" into a project that wants new states announced', async () => {
    await using target = await TestHouse.open();
    await target.house.projects.set(ADMIN_CALLER, 'app', { announceFirst: true });
    const lines = s3Lines('old/moving.tfstate', ['lock-file']);
    await using folder = await s3Folder(terraform!, { url: old.url, lines }, resource('one'));
    await folder.must('apply', '-auto-approve');
    const at = `${target.url}/http/app/net`;
    const to = ['address', 'lock_address', 'unlock_address'].flatMap((name) => [
      '--to-config',
      `${name}=${at}`,
    ]);
    const env = { HOME: home, AWS_REGION: 'us-east-1', ...awsLogin(old.url), ...httpLogin(TEST_ADMIN) };
    const moved = await runStatehouse(['migrate', '--to', 'http', ...to], { cwd: folder.path, env });
    expect(moved.code, moved.err).toBe(0);
    expect((await target.ask('GET', '/http/app/net')).text).toBe(
      (await old.ask('GET', '/http/old/moving.tfstate')).text,
    );
  });
});
