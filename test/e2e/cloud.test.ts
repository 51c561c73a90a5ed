import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { cloudFolder, CloudConfigs, type CloudBlock } from './fixtures/cloud-folder.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { resource } from './fixtures/http-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

const BLOCKS: readonly CloudBlock[] = ['cloud', 'remote'];

describe.skipIf(terraform === null).each(BLOCKS)(
  'terraform with %s (skipped unless terraform is on PATH)',
  (block) => {
    let house: TestHouse;
    let configs: CloudConfigs;
    let count = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
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
      return cloudFolder(terraform!, configs, place, main);
    };

    it('works from init to destroy, and leaves no lock', async () => {
      const path = newPath();
      await using folder = await folderAt(
        path,
        `${resource('one')}\noutput "said" {\n  value = "hello"\n}\n`,
      );
      await folder.must('apply', '-auto-approve');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await resourcesAt(house, path)).toEqual(['one']);
      expect(await folder.must('output', '-raw', 'said')).toBe('hello');
      expect(await folder.must('state', 'list')).toContain('terraform_data.one');
      await folder.must('destroy', '-auto-approve');
      expect(await resourcesAt(house, path)).toEqual([]);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it('lets eight with -lock-timeout all succeed, in the order of first asking', () =>
      eightInOrder(house, newPath(), (path) => folderAt(path, '')));
  },
);
