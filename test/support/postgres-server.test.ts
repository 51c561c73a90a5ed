import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from './postgres-server.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('a real PostgreSQL for tests (skipped unless postgres is on PATH)', () => {
  it('starts, keeps what was committed over a crash, and is gone when it is disposed of', async () => {
    const server = await PostgresServer.start(programs!);
    const name = await server.createDatabase();
    await server.query('CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)', name);
    await server.restart('immediate');
    expect(await server.query('SELECT n FROM kept', name)).toEqual([{ n: 7 }]);
    await server[Symbol.asyncDispose]();
    await expect(server.query('SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('asks for a password where it was told to', async () => {
    await using server = await PostgresServer.start(programs!, { password: 'secret' });
    expect(await server.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const wrong = new URL(server.url());
    wrong.password = 'wrong';
    await expect(new Client(wrong.href).connect()).rejects.toThrow(/password authentication failed/);
  });
});
