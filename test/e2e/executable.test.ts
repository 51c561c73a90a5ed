import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';
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
    }, 120_000);

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
