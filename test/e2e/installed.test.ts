import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findProgram } from '../support/find-program.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { InstalledProgram } from './fixtures/installed-program.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [terraform, npm, tar] = await Promise.all([findTerraform(), findProgram('npm'), findProgram('tar')]);
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };

async function must(program: string, words: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, output } = await new RunningProgram(program, words, { cwd, env: process.env }).end;
  expect(code, output).toBe(0);
  return stdout;
}

/** What npm would fetch, linked from where it is installed: no package of development. */
async function linkPackages(into: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { dev?: boolean; devOptional?: boolean }>>;
  };
  for (const [path, { dev }] of Object.entries(lock.packages)) {
    if (dev === true || !/^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)) continue;
    await mkdir(dirname(join(into, path)), { recursive: true });
    await symlink(join(root, path), join(into, path));
  }
}

it.skipIf(terraform === null || npm === null || tar === null)(
  'the packed package, installed for all, is the whole program (skipped unless npm, tar and terraform are on PATH)',
  async () => {
    await using program = await InstalledProgram.at('');
    const { directory } = program;
    await must(npm!, ['pack', '--ignore-scripts', '--silent', `--pack-destination=${directory}`], root);
    const tarball = `statehouse-server-${version}.tgz`;
    await must(tar!, ['--extract', `--file=${tarball}`], directory);
    // The tests run without a network: npm installs the package without its dependencies, which are linked.
    const manifest = join(directory, 'package', 'package.json');
    const {
      dependencies: _,
      optionalDependencies: __,
      devDependencies: ___,
      ...alone
    } = JSON.parse(await readFile(manifest, 'utf8')) as Record<string, unknown>;
    await writeFile(manifest, JSON.stringify(alone));
    await rename(join(directory, tarball), join(directory, 'whole.tgz'));
    await must(tar!, ['--create', '--gzip', `--file=${tarball}`, 'package'], directory);
    const prefix = join(directory, 'prefix');
    const quiet = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund'];
    await must(npm!, ['install', '--global', `--prefix=${prefix}`, ...quiet, `./${tarball}`], directory);
    const home = join(prefix, 'lib', 'node_modules', 'statehouse-server');
    await linkPackages(home);

    await using installed = await InstalledProgram.at(join(prefix, 'bin', 'statehouse'));
    expect((await installed.run(['--version'])).stdout).toBe(`${version}\n`);
    await installed.keepsStates(terraform!);
    const listed = (await must(tar!, ['--list', '--file=whole.tgz'], directory)).split('\n');
    expect(listed).toEqual(
      expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/SECURITY.md']),
    );
    expect(listed.filter((path) => /^package\/(?:src|test|bench|node_modules|scripts)\//.test(path))).toEqual(
      [],
    );
  },
);
