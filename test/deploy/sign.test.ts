import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/sign.mjs', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'statehouse-sign-'));
  for (const name of ['ours', 'other']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  for (const name of ['a.tgz', 'sbom.json']) writeFileSync(join(folder, name), name);
  execFileSync(process.execPath, [
    SCRIPT,
    'sign',
    join(folder, 'ours.key'),
    ...['a.tgz', 'sbom.json'].map((name) => join(folder, name)),
  ]);
});
afterEach(() => rmSync(folder, { recursive: true }));

function verify(key = 'ours.pub'): { readonly status: number | null; readonly said: string } {
  const words = [SCRIPT, 'verify', join(folder, key), join(folder, 'SHA256SUMS')];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

it('a signed release is verified with the public key, and by sha256sum', () => {
  expect(verify()).toEqual({ status: 0, said: 'a.tgz: good\nsbom.json: good\n' });
  expect(execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' })).toContain(
    'a.tgz: OK',
  );
});

it('a release is refused with another key, a changed file, a changed list or a name that leads elsewhere', () => {
  expect(verify('other.pub')).toMatchObject({
    status: 1,
    said: expect.stringContaining('is not of this key'),
  });
  appendFileSync(join(folder, 'a.tgz'), 'x');
  expect(verify()).toMatchObject({
    status: 1,
    said: expect.stringContaining('a.tgz is not what was signed'),
  });
  appendFileSync(join(folder, 'SHA256SUMS'), `${'0'.repeat(64)}  ../../etc/passwd\n`);
  expect(verify()).toMatchObject({ status: 1, said: expect.stringContaining('is not of this key') });
});
