import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/cli/catalogue.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { runStatehouse } from './run-statehouse.ts';

let directory = '';
let file = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-secrets-'));
  file = join(directory, 'credential');
  await writeFile(file, 'SHSOMEBODY000001.secretsecretsecret12\n', { mode: 0o600 });
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** What the command line is warned of. */
async function warningsOf(name: string, words: readonly string[], env = {}): Promise<readonly string[]> {
  const { command } = await CATALOGUE.find((entry) => entry.name === name)!.load();
  const parsed = parseCommandLine(name, command, words, env);
  return parsed.type === 'run' ? parsed.warnings : [];
}

describe('a secret on a command line', () => {
  it.each([
    ['states', ['--credential=a.b'], '--credential-file or STATEHOUSE_CREDENTIAL'],
    ['serve', ['--master-key=k'], '--master-key-file or STATEHOUSE_MASTER_KEY'],
    ['serve', ['--admin-credential=a.b'], '--admin-credential-file or STATEHOUSE_ADMIN_CREDENTIAL'],
    ['serve', ['--database=postgres://u:p@h/d'], '--database-file or STATEHOUSE_DATABASE'],
    ['decrypt', ['a/b', '--database=postgres://h/d?password=p'], '--database-file or STATEHOUSE_DATABASE'],
    ['migrate-engine', ['--from=d', '--to=postgres://u:p@h/d'], '--to-file'],
    ['status', ['--backend-config=password=p'], 'STATEHOUSE_BACKEND_CONFIG'],
    ['migrate', ['--to-config=secret_key=p'], 'STATEHOUSE_TO_CONFIG'],
  ])('%s %j brings a warning that says what to use', async (name, words, instead) => {
    const [warning, ...others] = await warningsOf(name, words);
    expect(warning).toContain(`every user of this machine can read a command line: use ${instead}.`);
    expect(others).toEqual([]);
  });

  it.each([
    ['states', ['--credential-file=f'], { STATEHOUSE_CREDENTIAL: 'a.b' }],
    ['serve', ['--database=postgres://h/d', '--data=d'], { STATEHOUSE_MASTER_KEY: 'k' }],
    ['migrate-engine', ['--from=./a', '--to=postgres://h/d'], {}],
    ['status', ['--backend-config=bucket=b'], {}],
  ])('%s %j brings none', async (name, words, env) => {
    expect(await warningsOf(name, words, env)).toEqual([]);
  });
});

describe('a secret in a file', () => {
  const SERVER = '--server=http://127.0.0.1:1';

  it('is read without its line end, named by an option or the environment', async () => {
    const config = ['config', 'http', 'app/net', '--json'];
    for (const answer of [
      await runStatehouse([...config, '--credential-file', file]),
      await runStatehouse(config, { env: { STATEHOUSE_CREDENTIAL_FILE: file } }),
      // The command line wins over the environment, in whichever form.
      await runStatehouse([...config, '--credential-file', file], { env: { STATEHOUSE_CREDENTIAL: 'a.b' } }),
    ])
      expect(JSON.parse(answer.out)).toMatchObject({
        environment: { TF_HTTP_USERNAME: 'SHSOMEBODY000001', TF_HTTP_PASSWORD: 'secretsecretsecret12' },
      });
  });

  it('is refused where others can read it, unless that is accepted', async () => {
    await chmod(file, 0o640);
    const refused = await runStatehouse(['states', SERVER, '--credential-file', file]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining(`chmod 600 ${file}`) });
    const accepted = await runStatehouse(['states', SERVER, '--credential-file', file, '--exposed-secrets']);
    expect(accepted.err).toContain('no server answers');
    await chmod(file, 0o600);
    expect((await runStatehouse(['states', SERVER, '--credential-file', `${file}.none`])).err).toContain(
      `--credential-file: ${file}.none cannot be read`,
    );
  });
});
