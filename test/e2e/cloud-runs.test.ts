import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { CloudConfigs, cloudFolder, type CloudBlock } from './fixtures/cloud-folder.ts';
import { resource } from './fixtures/http-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

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
      house = await TestHouse.open({ runs: { ...DEFAULTS.runs, mode: 'local', directory } });
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

    it('plans, applies and destroys there, and shows what was done', async () => {
      const path = newPath();
      await using folder = await folderAt(
        path,
        `${resource('one')}\noutput "said" {\n  value = "hello"\n}\n`,
      );
      const planned = await folder.must('plan');
      expect(planned).toMatch(/Plan: 1 to add/);
      expect(await resourcesAt(house, path)).toBe(null);
      const applied = await folder.must('apply', '-auto-approve');
      expect(applied).toMatch(
        /Plan: 1 to add[\s\S]*one: Creating\.\.\.[\s\S]*Apply complete! Resources: 1 added/,
      );
      expect(await resourcesAt(house, path)).toEqual(['one']);
      expect(await folder.must('output', '-raw', 'said')).toBe('hello');
      expect(await folder.must('plan')).toMatch(/No changes/);
      expect(await folder.must('destroy', '-auto-approve')).toMatch(/1 destroyed/);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });
  },
);
