import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
let house: TestHouse;

beforeAll(async () => {
  house = await TestHouse.open();
});

afterAll(() => house.close());

/** Runs a command against the house, as the admin unless another pair is given. */
function run(words: readonly string[], as: Pair | null = TEST_ADMIN, answer?: string) {
  const env = {
    STATEHOUSE_SERVER: house.url,
    ...(as === null ? {} : { STATEHOUSE_CREDENTIAL: `${as.id}.${as.secret}` }),
  };
  return runStatehouse(words, { env, ...(answer === undefined ? {} : { answer }) });
}

async function runJson<T>(...words: readonly string[]): Promise<T> {
  const { code, out, err } = await run([...words, '--json']);
  expect({ code, err }).toMatchObject({ code: 0 });
  return JSON.parse(out) as T;
}

async function write(path: string, serial: number, lock = ''): Promise<void> {
  const answer = await house.ask('POST', `/http/${path}${lock === '' ? '' : `?ID=${lock}`}`, {
    body: sampleState(serial),
  });
  expect(answer.status, answer.text).toBe(200);
}

async function lock(path: string, id: string, operation?: string): Promise<void> {
  const { status } = await house.ask('LOCK', `/http/${path}`, { body: sampleLock(id, operation) });
  expect(status).toBe(200);
}

/** Asks for a held lock and stays. @returns what lets it go */
async function waitInLine(path: string, id: string): Promise<() => Promise<void>> {
  const leave = new AbortController();
  const waiting = house
    .ask('LOCK', `/http/${path}?wait=5m`, { body: sampleLock(id), signal: leave.signal })
    .catch(() => undefined);
  await eventually('it stands in line', async () => {
    const { locks } = await runJson<{ locks: { waiters: unknown[] }[] }>('locks', path);
    return (locks[0]?.waiters.length ?? 0) > 0;
  });
  return async () => {
    leave.abort();
    await waiting;
  };
}

describe('states and history', () => {
  it('show what a house keeps, one page after the other', async () => {
    for (const name of ['a', 'b', 'c']) await write(`list/${name}`, 1);
    await write('list/a', 2);
    const { out } = await run(['states', '--project', 'list']);
    expect(out.split('\n')[0]).toMatch(/^ADDRESS +SERIAL +VERSION +SIZE +WRITTEN +BY +LOCK$/);
    expect(out).toMatch(/^list\/a +2 +2 +\d+ B +\S.*token:/m);
    const first = await runJson<{ states: { address: string }[]; more: boolean }>(
      'states',
      '--project=list',
      '--limit=2',
    );
    expect(first.states.map(({ address }) => address)).toEqual(['list/a', 'list/b']);
    expect(first.more).toBe(true);
    const found = await runJson<{ states: { address: string }[] }>('states', 'ist/c');
    expect(found.states.map(({ address }) => address)).toEqual(['list/c']);
    expect((await run(['states', 'nothing-like-this'])).err).toBe('No states match.\n');

    const history = await runJson<{ versions: { version: number; serial: string }[] }>('history', 'list/a');
    expect(history.versions.map(({ version, serial }) => [version, serial])).toEqual([
      [2, '2'],
      [1, '1'],
    ]);
    expect((await run(['history', 'list/a'])).out).toMatch(/^2 +2 .* http +no lock$/m);
    const absent = await run(['history', 'list/none']);
    expect(absent).toMatchObject({ code: 1, err: expect.stringContaining('there is no state at list/none') });
  });

  it('bring an old version back as a new one', async () => {
    await write('back/net', 1);
    await write('back/net', 2);
    expect(await run(['restore', 'back/net', '1'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--yes'),
    });
    const { code, out } = await run(['restore', 'back/net', '1', '--yes']);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'back/net: version 3 has the content of version 1, with serial 3\n',
    });
    expect((await run(['history', 'back/net'])).out).toMatch(/^3 +3 .*restored from version 1/m);
    expect(await run(['restore', 'back/net', '9', '--yes'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no version 9'),
    });
    expect((await run(['restore', 'back/net', 'x', '--yes'])).code).toBe(2);
  });

  it('ask before a restore, and take anything but a yes for a no', async () => {
    await write('ask/net', 1);
    await write('ask/net', 2);
    const no = await run(['restore', 'ask/net', '1'], TEST_ADMIN, 'no');
    expect(no).toMatchObject({
      code: 1,
      err: expect.stringMatching(/version 1 of ask\/net \(serial 1, written/),
    });
    expect((await run(['restore', 'ask/net', '1'], TEST_ADMIN, 'yes')).code).toBe(0);
  });

  it('ends with the exit code of a held lock when a restore meets one', async () => {
    await write('held/net', 1);
    await lock('held/net', 'lock-held');
    const refused = await run(['restore', 'held/net', '1', '--yes', '--json']);
    expect(refused.code).toBe(3);
    expect(JSON.parse(refused.err)).toMatchObject({ exitCode: 3, status: 423, reason: 'held' });
    expect((await run(['restore', 'held/net', '1', '--yes', '--lock', 'lock-held'])).code).toBe(0);
  });
});

describe('locks', () => {
  it('shows the holder and the line, and breaks what it has shown', async () => {
    await lock('line/net', 'first');
    const leave = await waitInLine('line/net', 'second');
    const { out } = await run(['locks', '--project', 'line']);
    expect(out).toMatch(/^line\/net +holds +\S+ +token:\S+ +alice@laptop +apply +http +first$/m);
    expect(out).toMatch(/^ +1st in line .* alice@laptop .* second$/m);

    const unasked = await run(['force-unlock', 'line/net']);
    expect(unasked.code).toBe(2);
    expect(unasked.err).toContain('alice@laptop');
    expect((await run(['force-unlock', 'line/net', 'third', '--yes'])).err).toContain('not locked by third');
    const broken = await run(['force-unlock', 'line/net', '--yes']);
    expect(broken).toMatchObject({ code: 0, out: 'line/net: lock first is broken\n' });
    expect(broken.err).toContain('1 waiting');
    const { locks } = await runJson<{ locks: { holders: { lockId: string }[] }[] }>('locks', 'line/net');
    expect(locks[0]?.holders[0]?.lockId).toBe('second');
    await leave();
  });

  it('asks which one, where plans hold the lock together', async () => {
    await lock('plans/net', 'plan-1', 'OperationTypePlan');
    await lock('plans/net', 'plan-2', 'OperationTypePlan');
    const { code, err } = await run(['force-unlock', 'plans/net', '--yes']);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('name the lock') });
    expect(err).toContain('plan-1');
    expect(err).toContain('plan-2');
    expect((await run(['force-unlock', 'plans/net', 'plan-2', '--yes'])).code).toBe(0);
  });

  it('is broken only when a yes is a yes', async () => {
    await lock('asked/net', 'asked');
    const no = await run(['force-unlock', 'asked/net'], TEST_ADMIN, 'y');
    expect(no).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Nothing was changed') });
    const yes = await run(['force-unlock', 'asked/net'], TEST_ADMIN, 'yes');
    expect(yes).toMatchObject({ code: 0, out: 'asked/net: lock asked is broken\n' });
  });

  it('says so when nothing is locked', async () => {
    expect((await run(['locks', '--project', 'nobody'])).out).toBe('Nothing is locked.\n');
    expect((await run(['force-unlock', 'nobody/net', '--yes'])).err).toContain('nobody/net is not locked');
  });

  it('is watched: each change is a line of JSON', async () => {
    const words = ['locks', '--project=watched', '--watch', '--json', `--server=${house.url}`];
    const watching = new RunningProgram(process.execPath, [MAIN, ...words], {
      cwd: tmpdir(),
      env: { ...process.env, STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` },
    });
    const seen = (): number[] =>
      watching.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { locks: unknown[] }).locks.length);
    const until = (counts: readonly number[]): Promise<unknown> =>
      eventually(`the watcher has seen ${counts.join(', ')}`, () => `${seen().join()}` === counts.join());
    await until([0]);
    await lock('watched/net', 'seen');
    await until([0, 1]);
    await house.ask('UNLOCK', '/http/watched/net', { body: sampleLock('seen') });
    await until([0, 1, 0]);
    watching.signal('SIGTERM');
    expect((await watching.end).code).toBe(0);
  });
});

describe('credentials and audit', () => {
  it('shows what locks an ended credential holds, and breaks them with it', async () => {
    const grants = [{ role: 'writer', pattern: 'ended/*' }] as const;
    const ci = await house.credential('ended', grants, Date.now() + 2_000);
    const lock = { as: ci, body: sampleLock('ended-lock') };
    expect((await house.ask('LOCK', '/http/ended/x', lock)).status).toBe(200);
    await eventually('it expires', async () =>
      /^ended .*expired .*, in its grace for .*, holds 1 lock/m.test((await run(['credential', 'list'])).out),
    );
    const revoked = await run(['credential', 'revoke', 'ended']);
    expect(revoked).toMatchObject({ code: 0, out: `ended (${ci.id}) is revoked\n` });
    expect(revoked.err).toMatch(/It still holds:\n {2}ended\/x, lock ID .*\n.*--break-locks/);
    expect((await run(['credential', 'list'])).out).toMatch(/^ended .*revoked .*, holds 1 lock/m);
    const broken = await run(['credential', 'revoke', 'ended', '--break-locks']);
    expect(broken.out).toMatch(/ended\/x: lock .* is broken/);
    expect((await run(['credential', 'list'])).out).not.toMatch(/^ended /m);
  });

  it('are made with grants and an expiry, listed, used and revoked', async () => {
    const made = await runJson<Pair>('credential', 'create', 'ci', '--grant=writer:team/*', '--expires=30d');
    expect((await house.ask('POST', '/http/team/net', { body: sampleState(1), as: made })).status).toBe(200);
    expect((await house.ask('POST', '/http/other/net', { body: sampleState(1), as: made })).status).toBe(403);
    const list = (await run(['credential', 'list'])).out;
    expect(list).toMatch(/^ci +SH\w+ +writer:team\/\* +\S.* for (?:30d|29d 23h)$/m);
    expect(list).not.toContain(made.secret);
    expect(await run(['credential', 'revoke', 'ci'])).toMatchObject({ code: 0 });
    expect((await house.ask('GET', '/http/team/net', { as: made })).status).toBe(401);
    expect((await run(['credential', 'list'])).out).not.toMatch(/^ci /m);
    expect((await run(['credential', 'list', '--all'])).out).toMatch(/^ci .*revoked/m);
    expect((await run(['credential', 'revoke', 'nobody'])).err).toContain('there is no credential "nobody"');
  });

  it('refuse what is no grant before the house is asked', async () => {
    const refusals: readonly (readonly [words: readonly string[], says: string])[] = [
      [[], 'a credential needs at least one grant'],
      [['--grant=king:*'], 'invalid grant "king:*": expected ROLE:PATTERN'],
      [['--grant=writer:app'], 'a pattern is written project/key@workspace'],
      [['--grant=writer:*', '--expires=soon'], 'invalid duration "soon"'],
    ];
    for (const [words, says] of refusals) {
      const { code, err } = await run(['credential', 'create', 'x', ...words]);
      expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) as string });
    }
  });

  it('are made by config, for one key alone', async () => {
    const { out } = await run(['config', 'http', 'shop/net@dev', '--create-credential', 'shop-writer']);
    const [, id = ''] = /TF_HTTP_USERNAME=(\w+)/.exec(out) ?? [];
    const [, secret = ''] = /TF_HTTP_PASSWORD=(\w+)/.exec(out) ?? [];
    const as = { id, secret };
    const put = (target: string): Promise<number> =>
      house.ask('POST', target, { body: sampleState(1), as }).then(({ status }) => status);
    expect(await put('/http/shop/net?workspace=dev')).toBe(200);
    expect(await put('/http/shop/other')).toBe(403);
  });

  it('tell who did what', async () => {
    await write('audited/net', 1);
    const { records } = await runJson<{ records: { action: string; subject: string }[] }>(
      'audit',
      'audited/net',
      '--action=write',
    );
    expect(records).toMatchObject(
      [{ action: 'write', subject: 'token:test-admin' }].map(() => ({ action: 'write' })),
    );
    expect((await run(['audit', 'audited/net'])).out).toMatch(/ write .* audited\/net +.*serial=1/);
  });
});

describe('what goes wrong', () => {
  it('is said with what to do', async () => {
    const nobody = await run(['states'], null);
    expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining('STATEHOUSE_CREDENTIAL') });
    const stranger = await run(['states'], { id: 'SHSTRANGERSTRANGER', secret: 'wrong' });
    expect(stranger.err).toContain('the credential SHSTRANGERSTRANGER is unknown to the server');
    const reader = await house.credential('only-reads', [{ role: 'reader', pattern: '*' }]);
    await write('guarded/net', 1);
    expect((await run(['credential', 'list'], reader)).err).toContain('token:only-reads may not manage');
    await lock('guarded/net', 'guarded');
    expect((await run(['force-unlock', 'guarded/net', '--yes'], reader)).code).toBe(1);
    const elsewhere = await run(['states', '--server', 'http://127.0.0.1:1']);
    expect(elsewhere.err).toContain('no server answers at http://127.0.0.1:1');
    expect(elsewhere.err).toContain('statehouse serve');
    const path = await run(['states', '--server', `${house.url}/http`]);
    expect(path).toMatchObject({ code: 1 });
  });

  it('is a certificate that nobody vouches for, unless it is given or not looked at', async () => {
    const data = await mkdtemp(join(tmpdir(), 'statehouse-tls-'));
    onTestFinished(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));
    const store = { kind: 'directory', path: data } as const;
    await using secure = await TestHouse.open({ store, tls: { kind: 'self-signed' } });
    const asked = ['states', '--server', secure.url];
    const refused = await run(asked);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is not trusted: [\s\S]*--ca FILE/),
    });
    expect((await run([...asked, '--ca', join(data, 'tls-cert.pem')])).code).toBe(0);
    expect((await run([...asked, '--insecure'])).code).toBe(0);
    expect((await run([...asked, '--ca', join(data, 'none.pem')])).err).toContain('cannot be read');
    expect((await run(['states', '--server', secure.url.replace('https', 'http')])).code).toBe(1);
  });
});
