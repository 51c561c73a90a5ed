import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOnPath } from '../support/find-program.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { Gate } from './fixtures/gate.ts';
import { httpBackend, httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { addressAt, lockAt, resourcesAt, untilHeld } from './fixtures/view.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

// OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
const tofu = await findOnPath('tofu');
const terraform = await findTerraform();

/** OpenTofu's own encryption of states, as its documentation has it. */
const ENCRYPTION = `terraform {
  encryption {
    key_provider "pbkdf2" "main" {
      passphrase = "a passphrase that is long enough"
    }
    method "aes_gcm" "main" {
      keys = key_provider.pbkdf2.main
    }
    state {
      method = method.aes_gcm.main
    }
  }
}
`;

describe.skipIf(tofu === null)('OpenTofu (skipped unless tofu is on PATH)', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
  });

  afterAll(async () => {
    await house.close();
  });

  it('waits in line over http, and is told who holds the lock', async () => {
    const path = 'acme/tofu-http';
    await using gate = await Gate.make();
    await using alice = await httpFolder(tofu!, { url: house.url, path }, resource('a', 'a', gate.command));
    await using bob = await alice.copy();
    await bob.write('main.tf', resource('a') + resource('b'));
    const first = alice.start(['apply', '-auto-approve']);
    await gate.reached();
    const { holders } = await untilHeld(house, path);

    const refused = await bob.run('apply', '-auto-approve');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`ID:        ${holders[0]?.lockId}`);
    expect(refused.output).toMatch(/Info: {6}held by token:admin.* for \d+s/);

    const second = bob.start(['apply', '-auto-approve', '-lock-timeout=60s']);
    await gate.open();
    expect(await first.end).toMatchObject({ code: 0 });
    expect(await second.end).toMatchObject({ code: 0 });
    expect(await resourcesAt(house, path)).toEqual(['a', 'b']);
  });

  it('breaks the lock that it names, and no other', async () => {
    const path = 'acme/tofu-break';
    await using folder = await httpFolder(tofu!, { url: house.url, path }, resource('a'));
    await house.ask('LOCK', `/http/${path}`, { body: '{"ID":"lost","Who":"gone@laptop"}' });
    const wrong = await folder.run('force-unlock', '-force', 'another');
    expect(wrong.code).toBe(1);
    expect((await lockAt(house, path)).holders).toHaveLength(1);
    await folder.must('force-unlock', '-force', 'lost');
    expect((await lockAt(house, path)).holders).toEqual([]);
  });

  it('keeps an encrypted state as it is, and gets an old one back', async () => {
    const path = 'acme/tofu-sealed';
    const place = { url: house.url, path };
    await using folder = await TerraformFolder.make(tofu!, {
      files: { 'backend.tf': httpBackend(place), 'encryption.tf': ENCRYPTION, 'main.tf': resource('one') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    const { text } = await house.ask('GET', `/http/${path}`);
    expect(JSON.parse(text)).toMatchObject({ encryption_version: 'v0', serial: 1 });
    expect(text).not.toContain('terraform_data');

    await folder.write('main.tf', resource('one') + resource('two'));
    await folder.must('apply', '-auto-approve');
    const restored = await house.house.history.restore(ADMIN_CALLER, addressAt(path), 1, { kind: 'none' });
    expect(restored).toMatchObject({
      type: 'stored',
      version: { number: 3, restoredFrom: 1, encrypted: true },
    });
    expect((await house.ask('GET', `/http/${path}`)).text).toBe(text);
    expect(await folder.must('plan')).toContain('1 to add');
    await folder.must('apply', '-auto-approve');
    expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
  });

  it('locks by file and table over S3, works in workspaces, and unlocks what it finds', async () => {
    const path = 'tofu-bucket/net/terraform.tfstate';
    const lines = s3Lines(path, ['lock-file', 'table']);
    await using folder = await s3Folder(tofu!, { url: house.url, lines }, resource('a'));
    await folder.must('apply', '-auto-approve');
    await folder.must('workspace', 'new', 'dev');
    await folder.must('apply', '-auto-approve');
    expect(await folder.must('workspace', 'list')).toMatch(/default\n\* dev/);
    expect(await resourcesAt(house, `${path}?workspace=dev`)).toEqual(['a']);
    expect((await lockAt(house, `${path}@dev`)).holders).toEqual([]);
    await folder.must('destroy', '-auto-approve');
    await folder.must('workspace', 'select', 'default');
    await folder.must('workspace', 'delete', 'dev');
    expect(await resourcesAt(house, `${path}?workspace=dev`)).toBe(null);
  });

  it.skipIf(terraform === null)('shares state and lock with terraform, each at its own door', async () => {
    const path = 'mixed/net/terraform.tfstate';
    await using gate = await Gate.make();
    const lines = s3Lines(path, ['table']);
    await using ours = await s3Folder(tofu!, { url: house.url, lines }, resource('a', 'a', gate.command));
    await using theirs = await httpFolder(
      terraform!,
      { url: house.url, path },
      resource('a') + resource('b'),
    );
    const first = ours.start(['apply', '-auto-approve']);
    await gate.reached();
    expect((await theirs.run('plan')).output).toContain('Error acquiring the state lock');
    await gate.open();
    expect(await first.end).toMatchObject({ code: 0 });
    expect(await theirs.must('apply', '-auto-approve')).toContain('1 added');
    expect(await resourcesAt(house, path)).toEqual(['a', 'b']);
  });
});
