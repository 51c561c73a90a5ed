import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';
import { stateText } from '../../src/contract/client-contract.ts';
import { LooseS3 } from '../clients/fixtures/loose-s3.ts';
import { PlainHttpBackend } from '../clients/fixtures/plain-http-backend.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statehouse-folder-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

/** Runs a command line in the folder, inside this process. */
async function run(...words: readonly string[]) {
  return runWith({}, ...words);
}

async function runWith(env: Readonly<Record<string, string>>, ...words: readonly string[]) {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const code = await runCommandLine(words, {
    streams: { input: new PassThrough(), output, errors },
    env,
    cwd: folder,
    stopped: new AbortController().signal,
  });
  return { code, out: String(output.read() ?? ''), err: String(errors.read() ?? '') };
}

const block = (type: string, lines: string): string =>
  `terraform {\n  backend "${type}" {\n${lines}\n  }\n}\n`;

describe('bad input', () => {
  it('is answered with what is wrong and what to do, and the right exit code', async () => {
    const cases: readonly (readonly [
      files: Record<string, string>,
      words: string,
      code: number,
      said: string,
    ])[] = [
      [{}, 'state pull', 1, 'there is no state yet'],
      [{}, 'state list', 1, 'there is no state yet'],
      [
        { 'a.tf': block('http', 'address = "http://x"'), 'b.tf': block('pg', '') },
        'status',
        2,
        'two backend or cloud blocks',
      ],
      [{ 'a.tf': 'terraform {\n  backend "s3" {\n    key = \n' }, 'status', 2, 'a.tf, line 3'],
      [{ 'a.tf': block('oss', '') }, 'status', 2, 'the oss backend is not supported yet'],
      [
        { 'a.tf': 'terraform {\n  cloud {\n    organization = "o"\n  }\n}\n' },
        'status',
        2,
        'needs "organization"',
      ],
      [{ 'a.tf': block('ghost', '') }, 'status', 2, 'there is no backend called "ghost"'],
      [{ 'a.tf': block('http', '') }, 'status', 2, 'the http backend needs "address"'],
      [{ 'a.tf': block('http', 'address = "ftp://x"') }, 'status', 2, 'must begin with http'],
      [{ 'a.tf': block('s3', 'bucket = "b"') }, 'status', 2, 'the s3 backend needs "key"'],
      [{ 'terraform.tfstate': '{"version":4,"serial":1' }, 'status', 1, 'the JSON ends too early'],
      [{ 'terraform.tfstate': 'garbage' }, 'state list', 1, 'does not contain a readable state'],
      [
        { 'terraform.tfstate': '{"version":3,"serial":1,"lineage":"l"}' },
        'status',
        1,
        'version 3 is not supported',
      ],
      [{}, 'state push none.tfstate', 1, 'none.tfstate cannot be read'],
      [{ 'e.tfstate': '' }, 'state push e.tfstate', 1, 'is empty'],
      [{ 'e.tfstate': '{}' }, 'state push e.tfstate', 1, 'does not contain a readable state'],
      [{}, 'workspace select none', 1, 'there is no workspace none'],
      [{}, 'workspace new a/b', 2, 'invalid workspace name'],
      [{}, 'workspace delete default', 2, 'cannot be deleted'],
      [{}, 'unlock x', 1, 'is not locked'],
      [{}, 'migrate', 2, '--to is missing'],
      [{}, 'migrate --to local', 2, 'the source and the target are the same'],
      [{}, 'status --chdir nowhere', 1, 'cannot be read'],
      [{}, 'status --workspace ../x', 2, 'invalid workspace name'],
    ];
    for (const [files, words, code, said] of cases) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      for (const [name, text] of Object.entries(files)) await put(name, text);
      const answer = await run(...words.split(' '));
      expect({ words, code: answer.code, said: answer.err }).toEqual({
        words,
        code,
        said: expect.stringContaining(said) as string,
      });
      expect(answer.err).not.toContain('unexpected fault');
    }
  });

  it('is an empty state file where terraform takes it for none', async () => {
    await put('terraform.tfstate', '');
    expect((await run('status')).out).toContain('no state yet');
  });

  it('is a folder whose files and record disagree: reading warns, changing is refused', async () => {
    const server = await PlainHttpBackend.start();
    await put('main.tf', block('http', `address = "${server.url}/new"`));
    const record = {
      version: 3,
      backend: { type: 'http', config: { address: `${server.url}/old` }, hash: 1 },
    };
    await put('.terraform/terraform.tfstate', JSON.stringify(record));
    const status = await run('status');
    expect(status).toMatchObject({
      code: 0,
      err: expect.stringContaining('address in main.tf, line 2 has changed') as string,
    });
    expect(await run('lock')).toMatchObject({
      code: 2,
      err: expect.stringContaining('terraform init') as string,
    });
    await server.close();
  });
});

describe('the commands', () => {
  it('mask secrets unless they are asked for', async () => {
    const attributes = '{"user":"u","password":"hunter2-hunter2"}';
    const text = `{"version":4,"terraform_version":"1.11.4","serial":18446744073709551615,"lineage":"l",
      "outputs":{"pw":{"value":"hunter2-hunter2","type":"string","sensitive":true},"n":{"value":1.50,"type":"number"}},
      "resources":[{"mode":"managed","type":"db","name":"d","provider":"p","instances":[{"schema_version":0,"attributes":${attributes}}]}],"check_results":null}`;
    await put('terraform.tfstate', text);
    expect((await run('state', 'pull')).out).toBe(text);
    const everything = [
      await run('status'),
      await run('status', '--json'),
      await run('state', 'show', 'db.d'),
      await run('state', 'show', 'db.d', '--json'),
      await run('state', 'outputs'),
      await run('state', 'outputs', '--json'),
      await run('state', 'list', '--json'),
    ];
    for (const { code, out } of everything) {
      expect(code).toBe(0);
      expect(out).not.toContain('hunter2');
    }
    expect(everything[1]?.out).toContain('18446744073709551615');
    expect(everything[4]?.out).toContain('n = 1.50');
    expect((await run('state', 'outputs', '--raw', 'pw')).code).toBe(2);
    expect((await run('state', 'outputs', '--raw', 'pw', '--show-sensitive')).out).toBe('hunter2-hunter2');
    expect((await run('state', 'show', '--show-sensitive', 'db.d')).out).toContain('hunter2-hunter2');
    expect((await run('state', 'pull', '--out', 'copy')).code).toBe(0);
    expect(await readFile(join(folder, 'copy'), 'utf8')).toBe(text);
  });

  it('read an encrypted state as far as it goes', async () => {
    const envelope = '{"serial":7,"lineage":"x","meta":{},"encrypted_data":"AAAA","encryption_version":"v0"}';
    await put('terraform.tfstate', envelope);
    expect((await run('status')).out).toContain('encrypted by OpenTofu');
    expect((await run('state', 'pull')).out).toBe(envelope);
    expect((await run('state', 'list')).err).toContain('encrypted by OpenTofu');
  });

  it('compare states, and say so by exit code when asked', async () => {
    await put('terraform.tfstate', stateText(2, 'l'));
    await put('old', stateText(1, 'l'));
    await put(
      'other',
      Buffer.from(stateText(1, 'l'))
        .toString()
        .replace('"outputs":{}', '"outputs":{"a":{"value":1,"type":"number"}}'),
    );
    expect(await run('state', 'diff', '--exit-code', 'old')).toMatchObject({ code: 0 });
    const { code, out } = await run('state', 'diff', '--exit-code', 'other');
    expect(code).toBe(1);
    expect(out).toContain('~ output a: 1 → (none)');
    const json = JSON.parse((await run('state', 'diff', 'other', 'old', '--json')).out) as { same: boolean };
    expect(json.same).toBe(false);
  });

  it('bring an old version back with the next serial', async () => {
    await put('terraform.tfstate', stateText(4, 'l', ',"x":"old"'));
    await put('next', stateText(9, 'l', ',"x":"new"'));
    expect((await run('state', 'push', 'next')).code).toBe(0);
    expect((await run('state', 'history')).out).toContain('backup');
    expect((await run('state', 'restore', 'backup', '--yes')).out).toContain('with serial 10');
    expect(await readFile(join(folder, 'terraform.tfstate'), 'utf8')).toBe(
      Buffer.from(stateText(10, 'l', ',"x":"old"')).toString(),
    );
    expect((await run('state', 'restore', 'none', '--yes')).err).toContain('there is no version none');
  });

  it('take settings from the environment', async () => {
    const server = await PlainHttpBackend.start();
    server.states.set('/s', Buffer.from(stateText(3, 'l')));
    const env = { STATEHOUSE_BACKEND: 'http', TF_HTTP_ADDRESS: `${server.url}/s` };
    expect((await runWith(env, 'status')).out).toMatch(/Serial: +3\n/);
    await server.close();
  });
});

describe('migrating', () => {
  it('needs locks on both sides, unless it is told to go on without', async () => {
    const server = await PlainHttpBackend.start();
    await put('terraform.tfstate', stateText(5, 'l'));
    const target = ['migrate', '--to', 'http', '--to-config', `address=${server.url}/s`, '--only', 'default'];
    expect(await run(...target)).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing is locked') as string,
    });
    expect((await run(...target, '--no-lock')).code).toBe(0);
    expect(server.states.get('/s')?.equals(stateText(5, 'l'))).toBe(true);
    await put('terraform.tfstate.d/dev/terraform.tfstate', stateText(1, 'd'));
    const all = ['migrate', '--to', 'http', '--to-config', `address=${server.url}/s`, '--no-lock'];
    expect((await run(...all)).err).toContain('the target has no workspaces');
    const full = Buffer.from(stateText(5, 'l'))
      .toString()
      .replace('"outputs":{}', '"outputs":{"a":{"value":1,"type":"number"}}');
    server.states.set('/s', Buffer.from(full));
    await put('terraform.tfstate', stateText(4, 'l'));
    expect((await run(...target, '--no-lock')).err).toContain('the target has serial 5, and the source 4');
    await server.close();
  });
});

describe('a state without a lineage', () => {
  const withOutput = (serial: number, lineage: string): string =>
    Buffer.from(stateText(serial, lineage))
      .toString()
      .replace('"outputs":{}', `"outputs":{"a":{"value":${serial},"type":"number"}}`);

  it('is related to every other one when it is migrated', async () => {
    const target = ['migrate', '--keep-source', '--to', 'local', '--to-config', 'path=there.tfstate'];
    await put('there.tfstate', withOutput(4, ''));
    await put('terraform.tfstate', withOutput(5, 'l'));
    expect(await run(...target)).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'there.tfstate'), 'utf8')).toBe(withOutput(5, 'l'));
    await put('there.tfstate', withOutput(6, ''));
    expect((await run(...target)).err).toContain('the target has serial 6, and the source 5');
  });

  it('is pushed over another one with a higher serial only', async () => {
    await put('terraform.tfstate', withOutput(5, 'l'));
    await put('next.tfstate', withOutput(4, ''));
    const refused = await run('state', 'push', 'next.tfstate');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('it has serial 4, and the existing state is newer, with serial 5');
    await put('next.tfstate', withOutput(6, ''));
    expect(await run('state', 'push', 'next.tfstate')).toMatchObject({ code: 0 });
  });
});

describe('waiting', () => {
  it('ends at the first signal, and says so', async () => {
    const server = await PlainHttpBackend.start();
    const address = `${server.url}/s`;
    await put(
      'main.tf',
      block('http', `address = "${address}"\nlock_address = "${address}"\nunlock_address = "${address}"`),
    );
    expect((await run('lock')).code).toBe(0);
    const [stop, errors] = [new AbortController(), new PassThrough()];
    setTimeout(() => stop.abort('SIGINT'), 200);
    const streams = { input: new PassThrough(), output: new PassThrough(), errors };
    const world = { streams, env: {}, cwd: folder, stopped: stop.signal };
    expect(await runCommandLine(['lock', '--lock-timeout', '1m'], world)).toBe(1);
    expect(String(errors.read())).toMatch(/Waiting for the lock.*\nError: stopped\n$/);
    expect(server.locks.size).toBe(1);
    await server.close();
  });
});

describe('the doctor', () => {
  it('says of a store that ignores If-None-Match that its lock objects lock nothing', async () => {
    const store = await LooseS3.start();
    await put(
      'main.tf',
      block('s3', 'bucket = "b"\nkey = "k"\nregion = "r"\nuse_path_style = true\nuse_lockfile = true'),
    );
    const env = { AWS_ENDPOINT_URL: store.url, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
    const { code, out } = await runWith(env, 'doctor');
    expect(code).toBe(1);
    expect(out).toContain(
      'THE LOCK DOES NOT EXCLUDE: two clients asked at the same time, and both got the lock',
    );
    expect(out).toContain('its lock objects lock nothing');
    expect([...store.objects.keys()]).toEqual([]);
    await store.close();
  });

  it('finds locks that nobody can read, old ones, and secrets in the record', async () => {
    const server = await PlainHttpBackend.start();
    const address = `${server.url}/s`;
    await put('main.tf', block('http', `address = "${address}"\nlock_address = "${address}"`));
    const config = { address, lock_address: address, password: 'hunter2' };
    await put(
      '.terraform/terraform.tfstate',
      JSON.stringify({ version: 3, backend: { type: 'http', config, hash: 1 } }),
    );
    await put('terraform.tfstate', stateText(1, 'l'));
    const { code, out } = await run('doctor', '--json');
    const { findings } = JSON.parse(out) as { findings: { level: string; topic: string }[] };
    const seen = findings.map(({ level, topic }) => `${level} ${topic}`);
    expect(seen).toContain('warning secrets');
    expect(seen).toContain('hint leftovers');
    expect(out).not.toContain('hunter2');
    expect(code).toBe(0);
    expect((await run('doctor', '--strict')).code).toBe(1);
    await server.close();
  });

  it('tries the real lock where there is no other, when it is told to', async () => {
    const server = await PlainHttpBackend.start();
    const address = `${server.url}/s`;
    await put(
      'main.tf',
      block('http', `address = "${address}"\nlock_address = "${address}"\nunlock_address = "${address}"`),
    );
    expect((await run('doctor')).out).toContain('the lock was not tested');
    expect((await run('doctor', '--real-lock')).out).toContain('the lock excludes');
    expect([server.locks.size, server.states.size]).toEqual([0, 0]);
    await run('lock');
    const held = await run('doctor', '--real-lock');
    expect(held).toMatchObject({ code: 0, out: expect.stringContaining('it is held now') as string });
    expect(server.locks.size).toBe(1);
    await server.close();
  });

  it('says that a backend without locks has none', async () => {
    const server = await PlainHttpBackend.start();
    await put('main.tf', block('http', `address = "${server.url}/s"`));
    const { code, out } = await run('doctor');
    expect(code).toBe(1);
    expect(out).toContain('two applies can run at the same time');
    await server.close();
  });
});
