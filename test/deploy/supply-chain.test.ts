import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
interface BillOfMaterials {
  readonly bomFormat: string;
  readonly components: readonly { readonly purl: string; readonly hashes?: readonly { alg: string }[] }[];
}

const manifest = JSON.parse(read('package.json')) as Manifest;
/** The packages that are in each file of the program. */
const bundles = JSON.parse(read('dist/program/packages.json')) as Readonly<Record<string, readonly string[]>>;
const purls = (packages: Readonly<Record<string, string>>): string[] =>
  Object.entries(packages).map(([name, version]) => `pkg:npm/${name.replace('@', '%40')}@${version}`);

describe('what a release is made of', () => {
  const billOf = async (...options: readonly string[]): Promise<BillOfMaterials> => {
    const words = ['scripts/sbom.mjs', ...options];
    const limits = { maxBuffer: 32 * 1_048_576 };
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root, ...limits });
    return JSON.parse(stdout) as BillOfMaterials;
  };

  it('is listed by the build: every package that runs, bundled or installed, and none of development', async () => {
    const { bomFormat, components } = await billOf();
    expect(bomFormat).toBe('CycloneDX');
    const listed = components.map(({ purl }) => purl);
    expect(listed).toEqual(expect.arrayContaining(purls(manifest.dependencies)));
    expect(listed).toEqual(expect.arrayContaining(purls(manifest.optionalDependencies)));
    const bundled = ['commander', 'zod', 'pg', 'pino', '@aws-sdk/client-s3'].map((name) => [
      name,
      manifest.devDependencies[name]!,
    ]);
    expect(listed).toEqual(expect.arrayContaining(purls(Object.fromEntries(bundled))));
    expect(listed.filter((purl) => /\/(?:vitest|typescript|oxlint|fast-check|esbuild)@/.test(purl))).toEqual(
      [],
    );
    expect(components.filter(({ hashes }) => hashes?.[0]?.alg !== 'SHA-512')).toEqual([]);
    expect(manifest.scripts['prepack']).toContain('npm run sbom');
  });

  it('is passed on with the licence of each package in it', () => {
    const licences = read('dist/program/LICENSES.txt');
    for (const names of Object.values(bundles))
      for (const name of names) expect(licences).toContain(`=== ${name.replace(/@(?=[^@]*$)/, ' ')} (`);
  });

  it('has no AWS SDK in the image of the server: it is in one file, which nothing else shares', () => {
    const dockerfile = read('deploy/Dockerfile');
    expect(dockerfile).toContain('rm dist/program/aws-*');
    expect(dockerfile).toContain('npm prune --omit=dev --omit=optional');
    expect(dockerfile.indexOf('rm dist/program/aws-*')).toBeLessThan(
      dockerfile.indexOf('node scripts/sbom.mjs --omit=optional'),
    );
    const withSdk = Object.entries(bundles).filter(([, names]) =>
      names.some((name) => /^@(?:aws-sdk|smithy|aws)\//.test(name)),
    );
    expect(withSdk.map(([file]) => file)).toEqual([expect.stringMatching(/^aws-/)]);
    expect(bundles).not.toHaveProperty('cli.main.cjs');
  });

  it('stands on images of one full version', () => {
    const images = ['deploy/Dockerfile', 'deploy/compose.yaml'].flatMap((path) =>
      [...read(path).matchAll(/^(?:ARG BASE=|FROM (?!\$\{BASE\})| *image: )(\S+)/gm)].map(
        ([, image]) => image,
      ),
    );
    const others = images.filter((image) => image !== 'statehouse');
    expect(others.length).toBe(3);
    const exact = /^[a-z]+:\d+\.\d+(?:\.\d+)?(?:-[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/;
    expect(others.filter((image) => !exact.test(image ?? ''))).toEqual([]);
  });

  it('has them pinned by one command, to the digests that a registry gives (here one that is made up)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-pin-'));
    const digest = `sha256:${'ab'.repeat(32)}`;
    await writeFile(join(folder, 'docker'), `#!/bin/sh\necho "\${DIGEST}"\n`, { mode: 0o755 });
    const pin = (given: string): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [`${root}scripts/pin-images.mjs`], {
        env: { PATH: `${folder}:/usr/bin:/bin`, DIGEST: given },
      });
    const { stdout } = await pin(digest);
    const lines = stdout.trimEnd().split('\n');
    // The server's own image is built, and has no registry.
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => !line.endsWith(`@${digest}`))).toEqual([]);
    await expect(pin('<html>')).rejects.toThrow('gave no digest');
    await rm(folder, { recursive: true });
  });
});
