import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HouseProcess } from '../support/house-process.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { ask } from '../support/request.ts';
import { RunningProgram, type ProgramEnd } from '../support/running-program.ts';

const programs = await findPostgres();
const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));

function statehouse(...args: readonly string[]): Promise<ProgramEnd> {
  return new RunningProgram(process.execPath, [MAIN, ...args], { cwd: tmpdir(), env: process.env }).end;
}

describe.skipIf(programs === null)('statehouse migrate-engine (skipped unless postgres is on PATH)', () => {
  it('moves a house from its data directory to PostgreSQL, and no house that is open', async () => {
    await using server = await PostgresServer.start(programs!);
    const url = server.url(await server.createDatabase());
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-moving-'));
    const old = await HouseProcess.start({ directory });
    const state = '{"version": 4, "serial": 9007199254740993, "lineage": "l", "outputs": {}}\n';
    expect((await ask(old.url, 'POST', '/http/acme/net', { body: state })).status).toBe(200);
    const info = '{"ID":"kept","Operation":"OperationTypeApply"}';
    expect((await ask(old.url, 'LOCK', '/http/acme/net', { body: info })).status).toBe(200);

    const open = await statehouse('migrate-engine', '--from', directory, '--to', url);
    expect(open.code).toBe(1);
    expect(open.output).toMatch(/in use/);
    await old.stop();
    const moved = await statehouse('migrate-engine', '--from', directory, '--to', url);
    expect(moved.output).toMatch(/Moved and compared: 1 states with 1 versions, 1 locks/);

    const key = await readFile(join(directory, 'master.key'), 'utf8');
    await using node = await HouseProcess.start({
      flags: [`--database=${url}`],
      env: { STATEHOUSE_MASTER_KEY: key.trim() },
    });
    expect((await ask(node.url, 'GET', '/http/acme/net')).text).toBe(state);
    const refused = await ask(node.url, 'LOCK', '/http/acme/net', { body: '{"ID":"other"}' });
    expect(JSON.parse(refused.text)).toMatchObject({ ID: 'kept' });
    const back = await statehouse(
      'migrate-engine',
      '--from',
      url,
      '--to',
      `${directory}-back`,
      `--master-key-file=${directory}/master.key`,
    );
    expect(back.output).toMatch(/nodes of a server are running/);
    await rm(directory, { recursive: true });
    await rm(`${directory}-back`, { recursive: true, force: true });
  }, 120_000);
});
