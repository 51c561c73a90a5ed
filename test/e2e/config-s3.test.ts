import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { findOnPath } from '../support/find-program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import type { Pair } from '../support/test-admin.ts';
import { resource } from './fixtures/http-folder.ts';
import { resourcesAt } from './fixtures/view.ts';

interface Printed {
  readonly block: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

// OpenTofu is not among the programs that CI must have.
const programs = [await findTerraform(), await findOnPath('tofu')].filter((path) => path !== null);
const aws = await findOnPath('aws');
/** What a shell has for the AWS provider, and must not be sent to the server. */
const ACCOUNT = { AWS_ACCESS_KEY_ID: 'AKIAOFTHEACCOUNT', AWS_SECRET_ACCESS_KEY: 'ofTheAccount' };

describe.skipIf(programs.length === 0)(
  'what config s3 prints (skipped unless terraform or tofu is on PATH)',
  () => {
    let house: TestHouse;
    let pair: Pair;
    let home = '';

    beforeAll(async () => {
      house = await TestHouse.open();
      pair = await house.credential('printed', [{ role: 'writer', pattern: 'app/*' }]);
    });
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'statehouse-home-'));
    });
    afterAll(async () => {
      await house.close();
      await rm(home, { recursive: true, force: true });
    });

    const print = async (address: string, ...flags: readonly string[]): Promise<Printed> => {
      const server = flags.includes('--server') ? [] : ['--server', house.url];
      const words = ['config', 's3', address, '--json', `--credential=${pair.id}.${pair.secret}`, ...server];
      const { code, out, err } = await runStatehouse([...words, ...flags]);
      expect(code, err).toBe(0);
      return JSON.parse(out) as Printed;
    };

    /** Does what the printed text says. */
    const folderWith = async (
      program: string,
      { block, files }: Printed,
      env: Readonly<Record<string, string>> = ACCOUNT,
    ): Promise<TerraformFolder> => {
      const folder = await TerraformFolder.make(program, {
        files: { 'main.tf': `${block}\n${resource('kept')}` },
        env: { HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env },
      });
      await mkdir(join(home, '.aws'), { recursive: true });
      for (const { path, text } of files)
        await writeFile(path.startsWith('~') ? join(home, path.slice(1)) : join(folder.path, path), text);
      return folder;
    };

    it.each(programs)(
      'touches the backend alone, and no secret comes into the folder: %s',
      async (program) => {
        const key = `app/${program.endsWith('tofu') ? 'tofu' : 'terraform'}/net`;
        const printed = await print(key);
        expect(printed.environment).toEqual({});
        await using folder = await folderWith(program, printed);
        const [file] = printed.files;
        await folder.must('init', `-backend-config=${file?.path}`);
        await folder.must('apply', '-auto-approve');
        await folder.must('workspace', 'new', 'dev');
        expect(await resourcesAt(house, key)).toEqual(['kept']);
        const kept = await readFile(join(folder.path, '.terraform', 'terraform.tfstate'), 'utf8');
        expect(kept).not.toContain(pair.secret);
        expect(await readdir(folder.path)).not.toContain('terraform.tfstate');

        const status = await runStatehouse(['status', '--json'], {
          cwd: folder.path,
          env: { HOME: home, ...ACCOUNT },
        });
        expect(JSON.parse(status.out), status.err).toMatchObject({ workspace: 'dev' });

        // The lock table that Terraform before 1.10 needs is reached in the same way.
        const table = printed.block.replace('use_lockfile = true', 'dynamodb_table = "terraform-locks"');
        await folder.write('main.tf', `${table}\n${resource('kept', 'again')}`);
        await folder.must('init', '-reconfigure', `-backend-config=${file?.path}`);
        await folder.must('apply', '-auto-approve');
      },
    );

    it('works by a name of the server, too', async () => {
      const server = house.url.replace('127.0.0.1', 'localhost');
      const printed = await print('app/by-name', '--server', server);
      await using folder = await folderWith(programs[0]!, printed);
      await folder.must('init', `-backend-config=${printed.files[0]?.path}`);
      await folder.must('apply', '-auto-approve');
      expect(await resourcesAt(house, 'app/by-name')).toEqual(['kept']);
    });

    it('as variables, redirects the shell, and says so', async () => {
      const printed = await print('app/variables', '--env');
      expect(printed.files).toEqual([]);
      await using folder = await folderWith(programs[0]!, printed, printed.environment);
      await folder.must('init');
      await folder.must('apply', '-auto-approve');
      const { err } = await runStatehouse(['config', 's3', 'app/variables', '--env']);
      expect(err).toContain('redirect every AWS program of the shell');
    });

    it.skipIf(aws === null)('is a profile of the aws command (skipped unless aws is on PATH)', async () => {
      await using folder = await folderWith(programs[0]!, await print('app/by-aws'));
      const { stdout, output } = await new RunningProgram(
        aws!,
        ['--profile=statehouse', 's3', 'ls', 's3://app/'],
        { cwd: folder.path, env: { PATH: process.env['PATH'], HOME: home } },
      ).end;
      expect(stdout, output).toContain('by-name');
    });
  },
);
