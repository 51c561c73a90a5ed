import { describe } from 'vitest';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/options.ts';
import { engineContract } from '../../src/testing/engine-contract.ts';
import { findPostgres, PostgresServer } from '../../src/testing/postgres-server.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  engineContract('postgres', async ({ clock, keyIdOf }) => {
    const server = await PostgresServer.start(programs!);
    const place = parsePostgresUrl(server.url(await server.createDatabase()));
    const open = (): Promise<PostgresEngine> =>
      PostgresEngine.open(place, { keyIdOf, clock: () => `${clock.now()}::bigint` });
    const engine = await open();
    let current = engine;
    return {
      engine,
      reopen: async () => {
        await current[Symbol.asyncDispose]();
        current = await open();
        return current;
      },
      dispose: async () => {
        await current[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  });
});
