import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOnPath } from '../support/find-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { cloudBlock, cloudFolder, CloudConfigs, tokenOf, type CloudBlock } from './fixtures/cloud-folder.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { raceWithoutLock, wrongIdBreaksNothing, type LockScene } from './fixtures/lock-scenes.ts';
import { keepsLargeState } from './fixtures/state-scenes.ts';
import { lockAt, resourcesAt, untilHeld, untilParked } from './fixtures/view.ts';

const terraform = await findTerraform();
// OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
const tofu = await findOnPath('tofu');

/** It stands in the state as input and as output. */
const LARGE_MIB = 4;

describe.each<[string, string | null, CloudBlock]>([
  ['terraform', terraform, 'cloud'],
  ['terraform', terraform, 'remote'],
  ['tofu', tofu, 'cloud'],
  ['tofu', tofu, 'remote'],
])('%s (skipped unless it is on PATH)', (_, program, block) => {
  describe.skipIf(program === null)(`with ${block}`, () => {
    let house: TestHouse;
    let configs: CloudConfigs;
    let count = 0;

    beforeAll(async () => {
      house = await TestHouse.open({ breakGuard: 0 });
      configs = await CloudConfigs.make();
    });
    afterAll(async () => {
      await house.close();
      await configs[Symbol.asyncDispose]();
    });

    /** A state that no other test has. */
    const newPath = (): string => `acme/net-${++count}`;
    const folderAt = (path: string, main: string): Promise<TerraformFolder> => {
      const [organization = '', name = ''] = path.split('/');
      const place = { url: house.url, organization, workspaces: `name = "${name}"`, block };
      return cloudFolder(program!, configs, place, main);
    };
    const newScene = (): LockScene => {
      const path = newPath();
      return {
        house,
        path,
        folder: (main) => folderAt(path, main),
        shownId: () => path,
        strangeId: 'acme/another',
        lateWrite: 'no longer held',
      };
    };

    it('works from init to destroy, and leaves no lock', async () => {
      const path = newPath();
      const said = 'output "said" {\n  value = { a = 1, b = ["hello"] }\n}\n';
      const secret = 'output "secret" {\n  value = "hunter2"\n  sensitive = true\n}\n';
      await using folder = await folderAt(path, `${resource('one')}\n${said}${secret}`);
      await folder.must('apply', '-auto-approve');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await resourcesAt(house, path)).toEqual(['one']);
      expect((await folder.must('output', '-json', 'said')).replaceAll(/\s/g, '')).toBe(
        '{"a":1,"b":["hello"]}',
      );
      expect(await folder.must('output', '-raw', 'secret')).toBe('hunter2');
      await folder.must('state', 'mv', 'terraform_data.one', 'terraform_data.two');
      expect(await folder.must('state', 'list')).toContain('terraform_data.two');
      expect(JSON.parse(await folder.must('state', 'pull'))).toMatchObject({ serial: 2 });
      await folder.must('destroy', '-auto-approve');
      expect(await resourcesAt(house, path)).toEqual([]);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it('refuses the second of two applies at once', async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      await bob.write('main.tf', resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await untilHeld(house, path);
      const second = await bob.run('apply', '-auto-approve');
      expect(second.code).toBe(1);
      expect(second.output).toContain(`workspace already locked (lock ID: "${path}")`);
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, path)).toEqual(['alice']);
    });

    it('lets eight with -lock-timeout all succeed, in the order of first asking', () =>
      eightInOrder(house, newPath(), (path) => folderAt(path, '')));

    it('wants the right ID to force-unlock, and keeps what the old holder cannot write after it', () =>
      wrongIdBreaksNothing(newScene()));

    it('lets nothing be lost when two race with -lock=false', () =>
      raceWithoutLock({ ...newScene(), lateWrite: 'lose a change' }));

    it('brings a state home that could not be stored, once its lock is broken', async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using folder = await folderAt(path, resource('before'));
      await folder.must('apply', '-auto-approve');
      await folder.write('main.tf', resource('after', 'after', gate.command));
      const failing = folder.start(['apply', '-auto-approve']);
      await gate.reached();
      const operator = await house.credential(`operator-${count}`, [{ role: 'operator', pattern: '*' }]);
      const { holders } = await untilHeld(house, path);
      await house.ask('UNLOCK', `/http/${path}`, {
        as: operator,
        body: JSON.stringify({ ID: holders[0]?.lockId }),
      });
      await gate.open();
      expect((await failing.end).code).toBe(1);
      await folder.must('state', 'push', 'errored.tfstate');
      expect(await resourcesAt(house, path)).toEqual(['after']);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it('pushes another state by force alone, which the cloud block does not tell', async () => {
      const path = newPath();
      await using folder = await folderAt(path, resource('one'));
      await folder.must('apply', '-auto-approve');
      await folder.write('other.tfstate', sampleState(9, { lineage: 'another' }));
      expect((await folder.run('state', 'push', 'other.tfstate')).code).toBe(1);
      const { code, output } = await folder.run('state', 'push', '-force', 'other.tfstate');
      expect(code, output).toBe(block === 'remote' ? 0 : 1);
      if (block === 'cloud') expect(output).toContain('the lineage differs');
      expect(await resourcesAt(house, path)).toEqual(block === 'remote' ? [] : ['one']);
    });

    it('has one lock, one line and one state with backend "http"', async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await httpFolder(
        program!,
        { url: house.url, path },
        resource('alice', 'alice', gate.command),
      );
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await untilHeld(house, path);
      await using bob = await folderAt(path, resource('bob'));
      const second = bob.start(['apply', '-auto-approve', '-lock-timeout=60s']);
      await untilParked(house, path, 1);
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      const { code, output } = await second.end;
      expect(code, output).toBe(0);
      expect(output).toContain('1 destroyed');
      expect(await resourcesAt(house, path)).toEqual(['bob']);
    });

    it('leaves the line when it is interrupted', async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const second = bob.start(['plan', '-lock-timeout=60s']);
      await untilParked(house, path, 1);
      second.signal('SIGKILL');
      await untilParked(house, path, 0);
      await gate.open();
      await first.end;
      expect(await lockAt(house, path)).toMatchObject({ holders: [], waiting: 0 });
    });

    it('moves a local state there, and back', async () => {
      const [organization, name] = newPath().split('/') as [string, string];
      const env = await configs.env(house.url, tokenOf(TEST_ADMIN));
      const place = { url: house.url, organization, workspaces: `name = "${name}"`, block };
      await using local = await TerraformFolder.make(program!, {
        files: { 'main.tf': resource('local') },
        env,
      });
      await local.must('init');
      await local.must('apply', '-auto-approve');
      await local.write('backend.tf', cloudBlock(place));
      const moved = await local.start(
        ['init', '-migrate-state', ...(block === 'cloud' ? [] : ['-force-copy'])],
        {
          input: 'yes\n',
          env: { TF_INPUT: '1' },
        },
      ).end;
      const again =
        moved.code === 0
          ? moved
          : await local.start(['init'], { input: 'yes\n', env: { TF_INPUT: '1' } }).end;
      expect(again.code, moved.output + again.output).toBe(0);
      expect(await local.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await resourcesAt(house, `${organization}/${name}`)).toEqual(['local']);
      await local.write('terraform.tfstate', await local.must('state', 'pull'));
      await local.write('backend.tf', '');
      // Cloud selects a workspace of its name, which a local state does not have.
      for (const name of ['terraform.tfstate', 'environment'])
        await rm(join(local.path, '.terraform', name), { force: true });
      await local.must('init');
      expect(await local.must('plan', '-detailed-exitcode')).toContain('No changes');
    });

    it('reads outputs of another workspace by terraform_remote_state', async () => {
      const path = newPath();
      await using source = await folderAt(path, 'output "said" {\n  value = "hello"\n}\n');
      await source.must('apply', '-auto-approve');
      const [organization = '', name = ''] = path.split('/');
      const data = `data "terraform_remote_state" "net" {\n  backend = "remote"\n  config = {\n    hostname = "state.example.test"\n    organization = "${organization}"\n    workspaces = { name = "${name}" }\n  }\n}\noutput "heard" {\n  value = data.terraform_remote_state.net.outputs.said\n}\n`;
      await using reader = await folderAt(newPath(), data);
      await reader.must('apply', '-auto-approve');
      expect(await reader.must('output', '-raw', 'heard')).toBe('hello');
    });

    it.runIf(program === terraform && block === 'cloud')(
      'keeps a large state',
      () => keepsLargeState(newScene(), LARGE_MIB),
      120_000,
    );

    it('makes, selects and deletes workspaces', async () => {
      const suffix = `${block}-${++count}`;
      const workspaces = block === 'cloud' ? `tags = ["web", "${suffix}"]` : `prefix = "${suffix}-"`;
      const shown = (name: string): string => (block === 'cloud' ? `${suffix}-${name}` : name);
      const place = { url: house.url, organization: 'acme', workspaces, block };
      await using folder = await TerraformFolder.make(program!, {
        files: { 'backend.tf': cloudBlock(place), 'main.tf': resource('one') },
        env: await configs.env(house.url, tokenOf(TEST_ADMIN)),
      });
      if (block === 'cloud') {
        // There is none yet, and init asks for the name of the first.
        const asked = { input: `${shown('dev')}\n`, env: { TF_INPUT: '1' } };
        const { code, output } = await folder.start(['init'], asked).end;
        expect(code, output).toBe(0);
      } else {
        await folder.run('init');
        await folder.must('workspace', 'new', shown('dev'));
        await folder.must('init');
      }
      await folder.must('workspace', 'new', shown('prod'));
      await folder.must('apply', '-auto-approve');
      expect(await resourcesAt(house, `acme/${suffix}-prod`)).toEqual(['one']);
      expect(await folder.must('workspace', 'list')).toMatch(
        new RegExp(`${shown('dev')}\\n\\* ${shown('prod')}`),
      );
      await folder.must('workspace', 'select', shown('dev'));
      const kept = await folder.run('workspace', 'delete', shown('prod'));
      expect(kept.code).toBe(1);
      await folder.must('workspace', 'delete', '-force', shown('prod'));
      expect(await folder.must('workspace', 'list')).not.toContain('prod');
    });
  });
});
