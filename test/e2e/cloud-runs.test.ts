import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { findOnPath } from '../support/find-program.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import type { RunningProgram } from '../support/running-program.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { CloudConfigs, cloudFolder, type CloudBlock } from './fixtures/cloud-folder.ts';
import { resource } from './fixtures/http-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
const tofu = await findOnPath('tofu');

const BLOCKS: readonly CloudBlock[] = ['cloud', 'remote'];

describe.skipIf(terraform === null).each(BLOCKS)(
  'terraform with %s where the server executes (skipped unless terraform is on PATH)',
  (block) => {
    let house: TestHouse;
    let directory: string;
    let configs: CloudConfigs;
    let count = 0;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'statehouse-runs-'));
      house = await TestHouse.open({ runs: { ...DEFAULTS.runs, mode: 'local', directory, slots: 4 } });
      configs = await CloudConfigs.make();
    });
    afterAll(async () => {
      await house.close();
      await configs[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    const folderAt = (path: string, main: string): Promise<TerraformFolder> => {
      const [organization = '', name = ''] = path.split('/');
      const place = { url: house.url, organization, workspaces: `name = "${name}"`, block };
      return cloudFolder(terraform!, configs, place, main);
    };
    const newPath = (): string => `acme/net-${++count}`;

    it.concurrent('plans, applies and destroys there, and shows what was done', async () => {
      const path = newPath();
      await using folder = await folderAt(
        path,
        `${resource('one')}\noutput "said" {\n  value = "hello in \${terraform.workspace}"\n}\n`,
      );
      const planned = await folder.must('plan');
      expect(planned).toMatch(/Plan: 1 to add/);
      expect(await resourcesAt(house, path)).toBe(null);
      const applied = await folder.must('apply', '-auto-approve');
      expect(applied).toMatch(
        /Plan: 1 to add[\s\S]*one: Creating\.\.\.[\s\S]*Apply complete! Resources: 1 added/,
      );
      expect(await resourcesAt(house, path)).toEqual(['one']);
      // A run under "remote" has one workspace alone, as on HCP.
      const workspace = block === 'cloud' ? path.slice('acme/'.length) : 'default';
      expect(await folder.must('output', '-raw', 'said')).toBe(`hello in ${workspace}`);
      expect(await folder.must('plan')).toMatch(/No changes/);
      expect(await folder.must('destroy', '-auto-approve')).toMatch(/1 destroyed/);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    /** `terraform apply` whose question is answered. */
    const answering = (folder: TerraformFolder, answer: string): RunningProgram =>
      folder.start(['apply'], { input: `${answer}\n`, env: { TF_INPUT: '1' } });

    it.concurrent('asks before it applies, and discards what is not approved', async () => {
      const path = newPath();
      await using folder = await folderAt(path, resource('one'));
      const refused = await answering(folder, 'no').end;
      expect(refused.code).toBe(1);
      expect(refused.output).toMatch(/Apply discarded/);
      expect((await lockAt(house, path)).holders).toEqual([]);
      const approved = await answering(folder, 'yes').end;
      expect(approved.output).toMatch(/Apply complete! Resources: 1 added/);
      expect(approved.code).toBe(0);
      expect(await resourcesAt(house, path)).toEqual(['one']);
    });

    it.concurrent('fails where the plan fails and where the apply fails, and says why', async () => {
      const path = newPath();
      const failing =
        'resource "terraform_data" "a" {\n  provisioner "local-exec" { command = "echo gone wrong; exit 3" }\n}\n';
      await using folder = await folderAt(path, failing);
      const applied = await folder.run('apply', '-auto-approve');
      expect(applied.output).toMatch(/gone wrong[\s\S]*exit status 3/);
      expect(applied.code).toBe(1);
      await folder.write('main.tf', 'output "o" {\n  value = nothing.there\n}\n');
      const planned = await folder.run('plan');
      expect(planned.output).toMatch(/Reference to undeclared resource/);
      expect(planned.code).toBe(1);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it.concurrent('is canceled by Ctrl-C while it applies: the run ends, the state is kept, and the lock is free', async () => {
      const path = newPath();
      const slow = `${resource('quick')}\nresource "terraform_data" "slow" {\n  depends_on = [terraform_data.quick]\n  provisioner "local-exec" { command = "echo begun; sleep 30" }\n}\n`;
      await using folder = await folderAt(path, slow);
      const applying = folder.start(['apply', '-auto-approve']);
      await eventually('the apply is at work', () => /begun/.test(applying.output));
      applying.signal('SIGINT');
      expect((await applying.end).output).toMatch(/operation was successfully cancelled/);
      await eventually('the lock is free', async () => (await lockAt(house, path)).holders.length === 0);
      expect(await resourcesAt(house, path)).toContain('quick');
    });

    it.concurrent('is given the variables of its workspace, sensitive ones too', async () => {
      const path = newPath();
      const main =
        'variable "size" {\n  type = number\n}\nvariable "secret" {\n  sensitive = true\n}\noutput "said" {\n  value = "${var.size} ${nonsensitive(sha1(var.secret))}"\n}\n';
      await using folder = await folderAt(path, main);
      const [project = '', key = ''] = path.split('/');
      const address = { project, key, workspace: 'default' };
      const set = (key_: string, value: string, more: object): Promise<unknown> =>
        house.house.workspaces.variables.set(ADMIN_CALLER, address, null, { key: key_, value, ...more });
      await set('size', '40 + 2', { hcl: true });
      await set('secret', 'a "quoted" ${text}\nof two lines', { sensitive: true });
      await set('TF_LOG_NOTHING', 'x', { category: 'env' });
      const planned = await folder.must('plan');
      const hash = createHash('sha1').update('a "quoted" ${text}\nof two lines').digest('hex');
      expect(planned).toContain(`42 ${hash}`);
    });

    it.runIf(block === 'cloud').concurrent(
      'shows a plan by itself where its log is structured, and no sensitive value',
      async () => {
        const path = newPath();
        const secret =
          'variable "secret" {\n  sensitive = true\n  default = "hunter2"\n}\nresource "terraform_data" "s" {\n  input = var.secret\n}\n';
        await using folder = await folderAt(path, `${resource('one')}${secret}`);
        const [organization, name] = path.split('/');
        const set = await house.ask('PATCH', `/api/v2/organizations/${organization}/workspaces/${name}`, {
          headers: { 'content-type': 'application/vnd.api+json' },
          body: JSON.stringify({
            data: { type: 'workspaces', attributes: { 'structured-run-output-enabled': true } },
          }),
        });
        expect(set.status, set.text).toBe(200);
        const planned = await folder.must('plan');
        expect(planned).toMatch(/terraform_data\.one will be created[\s\S]*Plan: 2 to add/);
        const applied = await folder.must('apply', '-auto-approve');
        expect(applied).toMatch(/one: Creating\.\.\.[\s\S]*Apply complete! Resources: 2 added/);
        await folder.write('main.tf', `${resource('one')}${secret.replace('hunter2', 'hunter3')}`);
        const changed = await folder.must('plan');
        expect(changed).toMatch(/terraform_data\.s will be updated[\s\S]*input += \(sensitive value\)/);
        for (const output of [planned, applied]) expect(output).not.toMatch(/@level|hunter/);
        expect(changed).not.toMatch(/@level|hunter3/);
        await folder.write('main.tf', 'output "o" {\n  value = nothing.there\n}\n');
        expect((await folder.run('plan')).output).toContain('Reference to undeclared resource');
      },
    );

    it.runIf(block === 'cloud').concurrent('generates configuration for what is imported', async () => {
      await using folder = await folderAt(
        newPath(),
        'import {\n  to = terraform_data.found\n  id = "found"\n}\n',
      );
      const planned = await folder.must('plan', '-generate-config-out=generated.tf');
      expect(planned).toContain('1 to import');
      expect(await folder.read('generated.tf')).toContain('resource "terraform_data" "found"');
      expect(await folder.must('apply', '-auto-approve')).toContain('1 imported');
    });

    it.skipIf(tofu === null).concurrent(
      'executes with tofu what tofu asks for (skipped unless it is on PATH)',
      async () => {
        const path = newPath();
        const [organization = '', name = ''] = path.split('/');
        const place = { url: house.url, organization, workspaces: `name = "${name}"`, block };
        await using folder = await cloudFolder(tofu!, configs, place, resource('one'));
        expect(await folder.must('plan')).toMatch(/OpenTofu v[\s\S]*Plan: 1 to add/);
        expect(await folder.must('apply', '-auto-approve')).toMatch(/Apply complete! Resources: 1 added/);
        expect(await resourcesAt(house, path)).toEqual(['one']);
      },
    );

    it.runIf(block === 'cloud').concurrent(
      'saves a plan, shows it, and applies that very plan once',
      async () => {
        const path = newPath();
        const main = `${resource('one')}\nvariable "v" {\n  default = "x"\n}\noutput "said" {\n  value = var.v\n}\n`;
        await using folder = await folderAt(path, main);
        expect(await folder.must('plan', '-out=saved', '-var', 'v=from the plan')).toMatch(/Plan: 1 to add/);
        expect((await lockAt(house, path)).holders).toEqual([]);
        const shown = await folder.must('show', 'saved');
        expect(shown).toMatch(/terraform_data\.one will be created[\s\S]*Plan: 1 to add[\s\S]*from the plan/);
        const json = JSON.parse(await folder.must('show', '-json', 'saved')) as {
          resource_changes: unknown[];
        };
        expect(json.resource_changes).toHaveLength(1);
        expect(await folder.must('apply', 'saved')).toMatch(/Apply complete! Resources: 1 added/);
        expect(await folder.must('output', '-raw', 'said')).toBe('from the plan');
        expect((await folder.run('apply', 'saved')).output).toMatch(/Saved plan is already applied/);
      },
    );
  },
);
