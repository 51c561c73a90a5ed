import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsHouse } from '../protocols/aws/aws-house.ts';
import { eventually } from '../support/eventually.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
/** Clears the line, goes up one, sets the clipboard and the title, writes backwards, and begins a line of its own. */
const HOSTILE =
  '\u001b[2K\u001b[1A\u001b]52;c;ZWNobyBo\u0007\u001b]0;title\u0007\u009b2K\u202e\u200b\u2028\nFORGED LINE';
/** What a terminal obeys or hides, line ends aside. */
// oxlint-disable-next-line no-control-regex -- these are what must not come out
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028\u202e]/;

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-escapes-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Whatever is printed holds nothing that a terminal obeys, and no line that others began. */
function expectHarmless(...texts: readonly string[]): void {
  for (const text of texts) {
    expect(text).not.toMatch(UNSEEN);
    expect(text).not.toMatch(/^\s*FORGED/m);
  }
}

function lockInfo(id: string): string {
  return JSON.stringify({
    ID: id,
    Operation: `Apply${HOSTILE}`,
    Info: HOSTILE,
    Who: `mallory${HOSTILE}`,
    Version: HOSTILE,
    Created: '2026-01-01T00:00:00Z',
    Path: HOSTILE,
  });
}

const aws = AwsHouse.forThisFile();
const env = (): Readonly<Record<string, string>> => ({
  STATEHOUSE_SERVER: aws.house.url,
  STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  TF_HTTP_USERNAME: TEST_ADMIN.id,
  TF_HTTP_PASSWORD: TEST_ADMIN.secret,
  AWS_ACCESS_KEY_ID: TEST_ADMIN.id,
  AWS_SECRET_ACCESS_KEY: TEST_ADMIN.secret,
  AWS_ENDPOINT_URL: aws.house.url,
  AWS_REGION: 'us-east-1',
  HOME: directory,
});
const run = (words: readonly string[], answer?: string) =>
  runStatehouse(words, { env: env(), cwd: directory, ...(answer === undefined ? {} : { answer }) });

/** Each door's way to ask for a lock; it ends with how it was refused, null when it was granted. */
const DOORS = {
  http: async (name: string, info: string) => {
    const { status, text } = await aws.house.ask('LOCK', `/http/${name}/net`, { body: info });
    return status === 200 ? null : text;
  },
  s3: (name: string, info: string) =>
    refusal(
      aws.s3.send(new PutObjectCommand({ Bucket: name, Key: 'net.tflock', Body: info, IfNoneMatch: '*' })),
    ),
  dynamodb: (name: string, info: string) =>
    refusal(
      aws.db.send(
        new PutItemCommand({
          TableName: 'locks',
          Item: { LockID: { S: `${name}/net` }, Info: { S: info } },
          ConditionExpression: 'attribute_not_exists(LockID)',
        }),
      ),
    ),
} as const;

async function refusal(asked: Promise<unknown>): Promise<string | null> {
  return asked.then(
    () => null,
    (fault: unknown) => (fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault)),
  );
}

describe('what others wrote', () => {
  it.each(Object.entries(DOORS))(
    'steers no terminal out of a lock taken at the %s door',
    async (door, take) => {
      const name = `hostile-${door}`;
      expect(await take(name, lockInfo('an-id'))).toBeNull();
      const at = `${aws.house.url}/http/${name}/net`;
      const http = ['--backend=http', `--backend-config=address=${at}`].concat(
        ['lock_address', 'unlock_address'].map((attribute) => `--backend-config=${attribute}=${at}`),
      );
      const s3 = ['--backend=s3', `--backend-config=bucket=${name}`, '--backend-config=key=net'].concat(
        '--backend-config=use_lockfile=true',
        '--backend-config=use_path_style=true',
      );
      const shown = [
        await run(['locks']),
        await run(['states']),
        await run(['audit', `${name}/net`]),
        await run(['force-unlock', `${name}/net`], 'no'),
        await run(['status', ...http]),
        await run(['status', ...s3]),
        await run(['force-unlock', ...http], 'no'),
        await run(['lock', ...http]),
        await run(['exec', '--lock-timeout=1s', ...http, '--', 'true']),
      ];
      for (const { out, err } of shown) expectHarmless(out, err);
      expect(shown[0]!.out).toContain('mallory\\u001b[2K');
      expect(shown[3]!.err).toContain('mallory\\u001b[2K');
      expect(shown[4]!.out).toContain('mallory\\u001b[2K');
      expect(shown[8]!.err).toContain('Waiting for the lock');
      const json = await run(['locks', name, '--json']);
      expectHarmless(json.out);
      const { locks } = JSON.parse(json.out) as { locks: { holders: { info: { Who: string } }[] }[] };
      expect(locks[0]?.holders[0]?.info.Who).toBe(`mallory${HOSTILE}`);
    },
  );

  it.each(Object.entries(DOORS))('is no lock ID at the %s door, which says so', async (door, take) => {
    for (const id of ['a\u001b[2K', 'b\u0000c', 'd\u202e', 'e\n', 'f\u009b', 'g\u200b']) {
      const said = await take(`no-id-${door}`, lockInfo(id));
      expect(said).toContain('invalid lock ID');
      expectHarmless(said ?? '');
    }
    expect((await run(['locks', `no-id-${door}`])).out).toBe('Nothing is locked.\n');
    expect(await take(`no-id-${door}`, lockInfo('ünï-code'))).toBeNull();
  });

  it('steers no terminal out of the lock file of a local state', async () => {
    const holder = new RunningProgram(process.execPath, [MAIN, 'exec', '--', 'sleep', '60'], {
      cwd: directory,
      env: process.env,
    });
    await eventually('it is locked', async () => (await run(['status'])).out.includes('held by'));
    await writeFile(join(directory, '.terraform.tfstate.lock.info'), lockInfo(`id${HOSTILE}`));
    const shown = [await run(['status']), await run(['lock']), await run(['force-unlock'], 'no')];
    for (const { out, err } of shown) expectHarmless(out, err);
    expect(shown[0]!.out).toContain('mallory\\u001b[2K');
    holder.signal('SIGTERM');
    await holder.end;
  });

  it('steers no terminal out of a state: not by its texts, nor by its names', async () => {
    const state = (value: string): string =>
      JSON.stringify({
        version: 4,
        terraform_version: '1.9.0',
        serial: 1,
        lineage: `l${HOSTILE}`,
        outputs: { [`o${HOSTILE}`]: { value, type: 'string' } },
        resources: [
          {
            mode: 'managed',
            type: 't',
            name: `n${HOSTILE}`,
            provider: 'p',
            instances: [{ index_key: HOSTILE, schema_version: 0, attributes: { [`a${HOSTILE}`]: value } }],
          },
        ],
      });
    await writeFile(join(directory, 'terraform.tfstate'), state(HOSTILE));
    await writeFile(join(directory, 'other.tfstate'), state(`${HOSTILE}!`));
    const commands = [['status'], ['state', 'list'], ['state', 'show', 't.n'], ['state', 'outputs']];
    for (const words of [...commands, ['state', 'diff', 'other.tfstate']]) {
      const { out, err } = await run(words);
      expectHarmless(out, err);
      expectHarmless((await run([...words, '--json'])).out);
    }
  });

  it('is harmless in an error of a server, too', async () => {
    const answer = await run(['history', 'app/net', `--project=${HOSTILE}`]);
    expectHarmless(answer.err);
    const unknown = await run([`x${HOSTILE}`]);
    expectHarmless(unknown.err);
    expect((await run(['credential', 'revoke', `x${HOSTILE}`])).err).not.toMatch(UNSEEN);
  });
});
