import { fc } from '../support/chance.ts';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FolderOptions, Target } from '../../src/workdir/folder.ts';
import { findTarget } from '../../src/workdir/folder.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { PlainHttpBackend } from '../clients/fixtures/plain-http-backend.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Makes a folder with these files, and finds its target. */
async function target(
  files: Readonly<Record<string, string>>,
  options: Partial<FolderOptions> = {},
): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'statehouse-folder-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return findTarget({ folder, env: {}, ...options });
}

const found = async (...args: Parameters<typeof target>): Promise<unknown> => {
  const { choice } = await target(...args);
  return { [choice.type]: choice.attributes };
};

const http = (address: string): string =>
  `terraform {\n  backend "http" {\n    address = "${address}"\n  }\n}\n`;
const record = (type: string, config: unknown): string =>
  JSON.stringify({ version: 3, terraform_version: '1.11.4', backend: { type, config, hash: 1 } });

describe('finding the backend of a folder', () => {
  it('takes a folder without a backend block for local', async () => {
    expect(await found({ 'main.tf': 'variable "backend" {}\n' })).toEqual({ local: {} });
    expect(await found({})).toEqual({ local: {} });
    expect((await target({})).workspace).toBe('default');
  });

  it('reads HCL and JSON, and lets override files win', async () => {
    expect(await found({ 'main.tf': http('http://a') })).toEqual({ http: { address: 'http://a' } });
    const json = '{"terraform":{"backend":{"s3":{"bucket":"b","encrypt":true}}}}';
    expect(await found({ 'main.tf.json': json })).toEqual({ s3: { bucket: 'b', encrypt: true } });
    expect(await found({ 'a.tf': http('http://a'), 'override.tf': http('http://o') })).toEqual({
      http: { address: 'http://o' },
    });
    const both = { 'a.tf': http('http://a'), 'x_override.tf.json': json, 'override.tf': http('http://o') };
    expect(await found(both)).toEqual({ s3: { bucket: 'b', encrypt: true } });
    const ignored = {
      '.hidden.tf': http('http://h'),
      'a.tf~': http('http://b'),
      'a.tf.bak': http('http://c'),
    };
    expect(await found(ignored)).toEqual({ local: {} });
    expect(await found({ 'a.tf': http('http://tf'), 'a.tofu': http('http://tofu') })).toEqual({
      http: { address: 'http://tofu' },
    });
  });

  it('refuses two backend blocks, and names file and line of a syntax error', async () => {
    await expect(target({ 'a.tf': http('http://a'), 'b.tf': http('http://b') })).rejects.toThrow(
      'backend "http" in a.tf, line 2 and backend "http" in b.tf, line 2',
    );
    await expect(target({ 'a.tf': `${http('http://a')}terraform {\n  cloud {}\n}\n` })).rejects.toThrow(
      'two backend or cloud blocks',
    );
    await expect(target({ 'a.tf': 'terraform {\n  backend "http" {\n' })).rejects.toThrow(
      'a.tf, line 2: Unclosed',
    );
    await expect(target({ 'a.tf.json': '{"backend":' })).rejects.toThrow('a.tf.json is not valid JSON');
  });

  it('reads -backend-config pairs and files, the later one winning', async () => {
    const files = {
      'main.tf': 'terraform {\n  backend "s3" {\n    key = "k"\n  }\n}\n',
      'prod.hcl':
        'bucket = "from-file"\nendpoints = {\n  s3 = "http://x"\n}\nassume_role {\n  role_arn = "r"\n}\n',
      'prod.json': '{"bucket":"from-json"}',
    };
    expect(await found(files, { backendConfig: ['prod.hcl', 'region=eu', 'bucket=pair'] })).toEqual({
      s3: {
        key: 'k',
        bucket: 'pair',
        region: 'eu',
        endpoints: { s3: 'http://x' },
        assume_role: [{ role_arn: 'r' }],
      },
    });
    expect(await found(files, { backendConfig: ['bucket=a', '', 'prod.json'] })).toEqual({
      s3: { key: 'k', bucket: 'from-json' },
    });
    expect(await found(files, { backendConfig: ['endpoints={ s3 = "http://y" }'] })).toEqual({
      s3: { key: 'k', endpoints: { s3: 'http://y' } },
    });
    const env = {
      TF_CLI_ARGS_init: `-reconfigure -backend-config=bucket=env -backend-config "region=eu west"`,
    };
    expect(await found(files, { env })).toEqual({ s3: { key: 'k', bucket: 'env', region: 'eu west' } });
    await expect(target(files, { backendConfig: ['absent.hcl'] })).rejects.toThrow(
      'absent.hcl cannot be read',
    );
  });

  it('takes what init wrote down for what is missing, and says when they disagree', async () => {
    const data = {
      '.terraform/terraform.tfstate': record('http', { address: 'http://a', username: 'u', password: null }),
    };
    const agreed = await target({ 'main.tf': http('http://a'), ...data });
    expect(agreed.choice.attributes).toEqual({ address: 'http://a', username: 'u' });
    expect(agreed.disagreements).toEqual([]);
    const changed = await target({ 'main.tf': http('http://b'), ...data });
    expect(changed.choice.attributes['address']).toBe('http://b');
    expect(changed.disagreements).toEqual([
      'address in main.tf, line 2 has changed since terraform was initialised',
    ]);
    const other = await target({ 'main.tf': 'terraform {\n  backend "pg" {}\n}\n', ...data });
    expect(other.disagreements).toEqual([
      'main.tf, line 2 has the pg backend, but terraform was initialised with http',
    ]);
    expect((await target(data)).disagreements.length).toBe(1);
    const broken = { '.terraform/terraform.tfstate': '{"version":3' };
    await expect(target(broken)).rejects.toThrow('is not valid JSON');
  });

  it('resolves expressions by the record alone', async () => {
    const files = {
      'main.tf': 'terraform {\n  backend "s3" {\n    bucket = var.b\n    key = "${local.k}"\n  }\n}\n',
    };
    await expect(target(files)).rejects.toThrow('"bucket" in the backend block (main.tf) is an expression');
    const data = { '.terraform/terraform.tfstate': record('s3', { bucket: 'b', key: 'k' }) };
    expect(await found({ ...files, ...data })).toEqual({ s3: { bucket: 'b', key: 'k' } });
    expect(await found(files, { backendConfig: ['bucket=x', 'key=y'] })).toEqual({
      s3: { bucket: 'x', key: 'y' },
    });
  });

  it('knows the selected workspace, and the folder where terraform keeps such things', async () => {
    const files = { '.terraform/environment': 'dev\n', 'data/environment': 'other' };
    expect((await target(files)).workspace).toBe('dev');
    expect((await target(files, { env: { TF_DATA_DIR: 'data' } })).workspace).toBe('other');
    expect((await target(files, { env: { TF_WORKSPACE: 'env' } })).workspace).toBe('env');
    expect((await target(files, { workspace: 'said', env: { TF_WORKSPACE: 'env' } })).workspace).toBe('said');
    await expect(target({}, { workspace: '../x' })).rejects.toThrow('invalid workspace name');
  });

  it('needs no folder when the backend is named outright', async () => {
    const files = { 'main.tf': 'not even HCL {' };
    expect(await found(files, { backend: 's3', backendConfig: ['bucket=b', 'key=k'] })).toEqual({
      s3: { bucket: 'b', key: 'k' },
    });
  });
});

const terraform = await findTerraform();
describe.skipIf(terraform === null)('beside terraform (skipped unless terraform is on PATH)', () => {
  it('resolves the attributes that terraform init writes down', async () => {
    const server = await PlainHttpBackend.start();
    const address = `${server.url}/a`;
    const cases: readonly { files: Record<string, string>; args: readonly string[] }[] = [
      { files: { 'main.tf': http(address) }, args: [] },
      {
        files: { 'main.tf': 'terraform {\n backend "http" {}\n}\n' },
        args: [`address=${address}`, 'username=u=v'],
      },
      {
        files: {
          'main.tf': `terraform {\n  backend "http" {\n    address = "${address}" # here\n    retry_max = 1\n    skip_cert_verification = true\n  }\n}\n`,
          'b_override.tf': `terraform {\n  backend "http" {\n    address = "${address}/x"\n    username = <<-EOT\n      me\n    EOT\n  }\n}\n`,
        },
        args: [],
      },
      {
        files: {
          'main.tf.json': JSON.stringify({
            terraform: { backend: { http: { address, lock_address: `${address}/l` } } },
          }),
          'more.hcl': `username = "file"\npassword = "p\\"q\\\\"\n`,
        },
        args: ['more.hcl', 'retry_wait_max=7'],
      },
      {
        files: { 'main.tf': 'terraform {\n  backend "local" {\n    path = "x/y.tfstate"\n  }\n}\n' },
        args: ['workspace_dir=ws'],
      },
    ];
    for (const { files, args } of cases) {
      await using folder = await TerraformFolder.make(terraform!, { files });
      const before = await findTarget({ folder: folder.path, env: {}, backendConfig: args });
      await folder.must('init', ...args.map((arg) => `-backend-config=${arg}`));
      const text = (await folder.read('.terraform/terraform.tfstate')) ?? '';
      const { backend } = JSON.parse(text) as { backend: { type: string; config: Record<string, unknown> } };
      const written = Object.entries(backend.config).filter(([, value]) => value !== null);
      expect(before.choice.type).toBe(backend.type);
      const texts = (pairs: readonly (readonly [string, unknown])[]): Record<string, string> =>
        Object.fromEntries(pairs.map(([name, value]) => [name, String(value).trim()]));
      expect(texts(Object.entries(before.choice.attributes))).toEqual(texts(written));
      const after = await findTarget({ folder: folder.path, env: {} });
      expect(texts(Object.entries(after.choice.attributes))).toEqual(texts(written));
      expect(after.disagreements).toEqual([]);
    }
    await server.close();
  });

  it('resolves whatever settings are given as terraform does', { timeout: 180_000 }, async () => {
    const server = await PlainHttpBackend.start();
    const word = fc.stringMatching(/^[a-zA-Z0-9 _.,:;=+*?!@#&()<>'-]{0,10}$/);
    const settings = fc.record(
      {
        username: word,
        password: word,
        update_method: fc.constantFrom('PUT', 'POST'),
        retry_max: fc.integer({ min: 0, max: 9 }),
        retry_wait_min: fc.integer({ min: 1, max: 5 }),
        skip_cert_verification: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const literal = (value: string | number | boolean): string => JSON.stringify(value);
    await fc.assert(
      fc.asyncProperty(settings, settings, fc.boolean(), async (inFile, given, json) => {
        const block = { address: `${server.url}/p`, ...inFile };
        const lines = Object.entries(block).map(([name, value]) => `    ${name} = ${literal(value)}\n`);
        const files: Record<string, string> = json
          ? { 'main.tf.json': JSON.stringify({ terraform: { backend: { http: block } } }) }
          : { 'main.tf': `terraform {\n  backend "http" {\n${lines.join('')}  }\n}\n` };
        const backendConfig = Object.entries(given).map(([name, value]) => `${name}=${value}`);
        await using folder = await TerraformFolder.make(terraform!, { files });
        const before = await findTarget({ folder: folder.path, env: {}, backendConfig });
        await folder.must('init', ...backendConfig.map((pair) => `-backend-config=${pair}`));
        const text = (await folder.read('.terraform/terraform.tfstate')) ?? '';
        const { backend } = JSON.parse(text) as { backend: { config: Record<string, unknown> } };
        const texts = (pairs: readonly (readonly [string, unknown])[]): Record<string, string> =>
          Object.fromEntries(
            pairs.filter(([, value]) => value !== null).map(([name, value]) => [name, String(value)]),
          );
        const written = texts(Object.entries(backend.config));
        expect(texts(Object.entries(before.choice.attributes))).toEqual(written);
        const after = await findTarget({ folder: folder.path, env: {}, backendConfig });
        expect(texts(Object.entries(after.choice.attributes))).toEqual(written);
      }),
      { numRuns: 25 },
    );
    await server.close();
  });
});
