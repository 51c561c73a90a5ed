import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningHouse } from '../runs/running-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { cloudBlock, CloudConfigs } from './fixtures/cloud-folder.ts';
import { freshKey, KeyFolder } from './fixtures/folder-backends.ts';
import { httpLogin, resource } from './fixtures/http-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('statehouse run (skipped unless terraform is on PATH)', () => {
  let house: RunningHouse;
  let configs: CloudConfigs;
  beforeAll(async () => {
    house = await RunningHouse.open();
    configs = await CloudConfigs.make();
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await configs[Symbol.asyncDispose]();
  });

  const folderAt = async (
    key: string,
    main: string,
    more: Record<string, string> = {},
  ): Promise<KeyFolder> => {
    const { url } = house.house;
    const env = { ...(await configs.env(url, `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`)), ...more };
    const block = (name: string): string =>
      cloudBlock({ url, organization: 'acme', workspaces: `name = "${name}"` });
    return KeyFolder.make(terraform!, { block, env }, main, key);
  };
  const said = 'variable "said" {}\noutput "said" {\n  value = var.said\n}\n';

  it('plans, applies and destroys a folder there, with the exit codes of terraform', async () => {
    const key = freshKey();
    await using folder = await folderAt(key, `${resource('one')}${said}`);
    const given = ['--var', 'said=a "quoted" ${text}'];
    const planned = await folder.run('run', 'plan', '--detailed-exitcode', ...given);
    expect(planned.stdout).toContain('Plan: 1 to add');
    expect(planned.code, planned.output).toBe(2);
    expect(await resourcesAt(house.house, `acme/${key}`)).toBe(null);

    const unasked = await folder.run('run', 'apply', ...given);
    expect(unasked).toMatchObject({ code: 2 });
    expect(unasked.stderr).toContain('--auto-approve');

    const applied = await folder.run('run', 'apply', '--auto-approve', ...given);
    expect(applied.stdout).toMatch(/one: Creating[\s\S]*Apply complete! Resources: 1 added/);
    expect(applied.code, applied.output).toBe(0);
    expect(await folder.folder.must('output', '-raw', 'said')).toBe('a "quoted" ${text}');
    const again = await folder.json<object>('run', 'plan', '--detailed-exitcode', ...given);
    expect(again).toMatchObject({ status: 'planned_and_finished', hasChanges: false });

    const destroyed = await folder.run('run', 'apply', '--destroy', '--auto-approve', ...given);
    expect(destroyed.output).toContain('1 destroyed');
    expect(await resourcesAt(house.house, `acme/${key}`)).toEqual([]);
    expect((await lockAt(house.house, `acme/${key}`)).holders).toEqual([]);
  });

  it('sends the variables that terraform sends, and saves a plan that both apply', async () => {
    const key = freshKey();
    const names = ['shell', 'line', 'file', 'auto', 'list', 'unsaid'];
    const types: Record<string, string> = { list: 'list(object({ a = string, b = number }))', file: 'any' };
    const main = names
      .map((name) => {
        const rest = `type = ${types[name] ?? 'string'}\n${name === 'unsaid' ? 'default = "default"\n' : ''}`;
        return `variable "${name}" {\n${rest}}\noutput "${name}" {\n  value = jsonencode(var.${name})\n}\n`;
      })
      .join('');
    const env = {
      TF_VAR_shell: '[no "list" ${x}]',
      TF_VAR_auto: 'loses',
      TF_VAR_list: '[{ a = "1", b = 2 }]',
      TF_VAR_stranger: 'x',
    };
    await using folder = await folderAt(key, main, env);
    await folder.folder.write('terraform.tfvars', 'auto = "travels"\nline = "loses"\n');
    const values = 'file = {\n  "a ${1 + 1}" = [true, null, 1.5, "$${x}\\n"] # why\n}\nlist = []\n';
    await folder.folder.write('more.tfvars', values);
    const outputs = (text: string): string => /Changes to Outputs:[\s\S]*?\n\n/.exec(text)?.[0] ?? text;
    const theirs = await folder.folder

      .must('plan', '-no-color', '-var-file=more.tfvars', '-var=line=wins');
    const given = ['--var-file', 'more.tfvars', '--var', 'line=wins'];
    const ours = await folder.run('run', 'plan', ...given, '--out', 'saved');
    expect(ours.code, ours.output).toBe(0);
    expect(outputs(ours.stdout)).toBe(outputs(theirs));
    expect(outputs(theirs)).toContain('travels');

    const applied = await folder.run('run', 'apply', 'saved');
    expect(applied.stdout).toContain('Apply complete!');
    expect(applied.code, applied.output).toBe(0);
    const again = await folder.run('run', 'apply', 'saved');
    expect(again.stderr).toMatch(/cannot be applied: the run run-\S+ is applied/);
    expect((await folder.run('run', 'apply', 'saved', '--destroy')).code).toBe(2);

    await folder

      .must('run', 'plan', '--var', 'line=next', '--var-file', 'more.tfvars', '--out', 'second');
    await folder.folder.must('apply', '-no-color', 'second');
    expect(await folder.folder.must('output', '-raw', 'line')).toBe('"next"');
  });

  it('uploads what is no secret of the machine, and fails where the plan fails', async () => {
    const key = freshKey();
    const main =
      'output "files" {\n  value = join(" ", sort(fileset(path.module, "**")))\n}\noutput "there" {\n  value = file("link")\n}\n';
    await using folder = await folderAt(key, main);
    await folder.folder.write('.terraformignore', 'secret*\n!secret.public\nkeys/\n');
    for (const name of ['secret.txt', 'secret.public', 'aim']) await folder.folder.write(name, 'content');
    await mkdir(join(folder.folder.path, 'keys'));
    await folder.folder.write('keys/id', 'private');
    await symlink('aim', join(folder.folder.path, 'link'));
    const { code, output } = await folder.run('run', 'plan');
    expect(code, output).toBe(0);
    expect(output).toMatch(/ aim backend\.tf link main\.tf secret\.public /);
    expect(output).not.toMatch(/keys|secret\.txt/);

    await folder.folder.write('main.tf', 'output "o" {\n  value = nothing.there\n}\n');
    const failed = await folder.run('run', 'plan', '--detailed-exitcode');
    expect(failed.output).toContain('Reference to undeclared resource');
    expect(failed.code).toBe(1);
    const version = await folder.run('run', 'plan', '--program-version', '0.0.1');
    expect(version.stderr).toContain('0.0.1');
    expect(version.code).toBe(1);
  });

  it('reaches the server behind another backend, and cancels by Ctrl-C', async () => {
    const key = freshKey();
    const address = `${house.house.url}/http/acme/${key}`;
    const block = (): string =>
      `terraform {\n  backend "http" {\n    address = "${address}"\n    lock_address = "${address}"\n    unlock_address = "${address}"\n  }\n}\n`;
    const slow =
      'resource "terraform_data" "slow" {\n  provisioner "local-exec" { command = "echo begun; sleep 30" }\n}\n';
    const backend = { block, env: httpLogin(TEST_ADMIN) };
    await using folder = await KeyFolder.make(terraform!, backend, slow, key);
    const applying = folder.start(['run', 'apply', '--auto-approve']);
    await expect.poll(() => applying.output, { timeout: 40_000 }).toContain('begun');
    applying.signal('SIGINT');
    const ended = await applying.end;
    expect(ended.stderr).toContain('was told to end');
    expect(ended.code).not.toBe(0);
    await expect
      .poll(async () => (await lockAt(house.house, `acme/${key}`)).holders, { timeout: 40_000 })
      .toEqual([]);
    const id = (await folder.must('run', 'plan', '--no-wait')).trim();
    expect(id).toMatch(/^run-/);
    await house.until(id, 'planned_and_finished');
  });
});
