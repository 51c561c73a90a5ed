import { describe, expect, it } from 'vitest';
import { findTerraform } from '../support/terraform.ts';
import { freshKey, houseCloudBackend, houseS3Backend, KeyFolder } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';
import { Gate } from './fixtures/gate.ts';
import { resource } from './fixtures/http-folder.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('the cloud block at a house', terraform ?? '', () => houseCloudBackend('cloud'));

  it('moves a folder from local files to s3, to cloud, and back, without losing a byte', async () => {
    const [s3, cloud] = [await houseS3Backend(), await houseCloudBackend('cloud')];
    try {
      const name = freshKey();
      const env = { ...s3.env, ...cloud.env };
      await using key = await KeyFolder.make(terraform!, { block: () => '', env }, resource('one'));
      await key.folder.must('apply', '-auto-approve');
      const state = await key.must('state', 'pull');
      const moveTo = async (
        { type, config }: ReturnType<typeof s3.settings>,
        block: string,
      ): Promise<string> => {
        const given = config.flatMap((pair) => ['--to-config', pair]);
        const { code, output } = await key.run('migrate', '--to', type, ...given);
        expect(code, output).toBe(0);
        await key.folder.write('backend.tf', block);
        return output;
      };
      const { type, config } = s3.settings(name);
      const byFile = config.filter((pair) => !pair.startsWith('dynamodb_table='));
      const block = s3.block(name).replace(/ *dynamodb_table.*\n/, '');
      await moveTo({ type, config: byFile }, block);
      await key.folder.must('init', '-reconfigure', '-input=false');
      expect(await key.folder.must('plan', '-detailed-exitcode')).toContain('No changes');

      // While terraform works on one side, nothing is copied from under it.
      await using gate = await Gate.make();
      await key.folder.write('main.tf', `${resource('one')}${resource('slow', 'slow', gate.command)}`);
      const applying = key.folder.start(['apply', '-auto-approve']);
      await gate.reached();
      const given = cloud.settings(name).config.flatMap((pair) => ['--to-config', pair]);
      const refused = await key.run('migrate', '--to', 'cloud', ...given);
      expect(refused).toMatchObject({ code: 3 });
      await gate.open();
      expect((await applying.end).code).toBe(0);
      const applied = await key.must('state', 'pull');
      expect(applied).not.toBe(state);

      expect(await moveTo(cloud.settings(name), cloud.block(name))).toContain(
        'delete .terraform/terraform.tfstate',
      );
      await key.folder.remove('.terraform/terraform.tfstate');
      await key.folder.must('init', '-input=false');
      expect(await key.must('state', 'pull')).toBe(applied);
      expect(await key.must('workspace', 'list')).toBe('* default\n');
      expect(await key.folder.must('plan', '-detailed-exitcode')).toContain('No changes');

      const back = await moveTo({ type: 'local', config: [] }, '');
      expect(back).toContain(`Workspace ${name} is no longer selected`);
      await key.folder.remove('.terraform/terraform.tfstate');
      await key.folder.must('init', '-input=false');
      expect(await key.folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await key.must('state', 'pull')).toBe(applied);
    } finally {
      await s3.dispose();
      await cloud.dispose();
    }
  });
});
