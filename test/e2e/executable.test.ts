import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HouseProcess } from '../support/house-process.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { InstalledProgram } from './fixtures/installed-program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const terraform = await findTerraform();
const isAsked = process.env['CI'] === 'true' || process.env['STATEHOUSE_TEST_EXECUTABLE'] === '1';

describe.skipIf(!isAsked || terraform === null)(
  'the executable (skipped unless CI=true or STATEHOUSE_TEST_EXECUTABLE=1, and terraform is on PATH)',
  () => {
    let installed: InstalledProgram;

    beforeAll(async () => {
      const built = await new RunningProgram(process.execPath, ['scripts/executable/build.mjs'], {
        cwd: root,
        env: process.env,
      }).end;
      expect(built.code, built.output).toBe(0);
      installed = await InstalledProgram.at('');
      // Away from the clone, with nothing beside it.
      const program = join(installed.directory, 'statehouse');
      await copyFile(join(root, 'executable', 'statehouse'), program);
      installed = await InstalledProgram.at(program);
    }, 240_000);

    afterAll(async () => {
      await installed[Symbol.asyncDispose]();
    });

    it('serves, configures and asks, with threads and SQLite inside', async () => {
      const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
        version: string;
      };
      expect((await installed.run(['--version'])).stdout).toBe(`${version}\n`);
      await installed.keepsStates(terraform!);
      const kept = await readdir(join(installed.home, '.cache', 'statehouse'));
      expect(kept).toEqual([expect.stringMatching(new RegExp(`^${version}-[0-9a-f]{16}$`))]);
    });

    it('locks a local state as terraform does, from two processes', async () => {
      const cwd = join(installed.directory, 'local');
      await mkdir(cwd);
      const { code, output } = await installed.run(['doctor', '--backend=local'], { cwd });
      expect(output).toContain('two processes excluded each other');
      expect(code).toBe(0);
    });

    it('makes a certificate, reads HCL, and speaks to S3 with the SDK inside', async () => {
      await using house = await HouseProcess.start({
        program: installed.program,
        env: { HOME: installed.home, XDG_CACHE_HOME: '' },
        flags: ['--tls-self-signed'],
      });
      const env = { STATEHOUSE_CA: join(house.directory, 'tls-cert.pem') };
      const admin = `--credential=${TEST_ADMIN.id}.${TEST_ADMIN.secret}`;
      const words = ['config', 's3', 'app/net', '--json', admin, `--server=${house.url}`];
      const printed = JSON.parse((await installed.run(words, { env })).stdout) as {
        block: string;
        files: { path: string; text: string }[];
      };
      const cwd = join(installed.directory, 'folder');
      await mkdir(join(installed.home, '.aws'));
      await mkdir(cwd);
      await writeFile(join(cwd, 'main.tf'), `${printed.block}\nlocals {\n  here = "\${path.module}/x"\n}\n`);
      for (const { path, text } of printed.files)
        await writeFile(path.startsWith('~') ? join(installed.home, path.slice(1)) : join(cwd, path), text);
      const { stdout, output } = await installed.run(
        ['status', '--json', '--backend-config=statehouse.s3.tfbackend'],
        { cwd },
      );
      expect(JSON.parse(stdout), output).toMatchObject({
        backend: 's3',
        state: null,
        lock: { type: 'free' },
      });
    });

    it('plays the demo with the real terraform', async () => {
      const { code, output } = await installed.run(['demo']);
      expect(code, output).toBe(0);
    });

    it('runs where nothing can be kept, and leaves nothing there', async () => {
      const temporary = join(installed.directory, 'temporary');
      await mkdir(temporary, { mode: 0o700 });
      const env = { HOME: '/nonexistent', XDG_CACHE_HOME: '/proc/1', TMPDIR: temporary };
      const { stdout, output } = await installed.run(['--version'], { env });
      expect(stdout, output).toMatch(/^\d/);
      expect(await readdir(temporary)).toEqual([]);
      expect(existsSync('/nonexistent')).toBe(false);
    });
  },
);
