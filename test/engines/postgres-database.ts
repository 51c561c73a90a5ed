import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/session/options.ts';
import type { EngineOptions, EngineUnderTest } from '../../src/contract/engine-contract.ts';
import { PostgresServer, type PostgresPrograms } from '../support/postgres-server.ts';
import { reopenable } from './reopenable.ts';

/** Opens engines on a new PostgreSQL, which goes when the engine is disposed of. */
export function inNewDatabase(
  programs: PostgresPrograms | null,
): (options: EngineOptions) => Promise<EngineUnderTest> {
  return async ({ clock, keyIdOf }) => {
    if (programs === null) throw new Error('postgres is not on PATH');
    const server = await PostgresServer.start(programs);
    const place = parsePostgresUrl(server.url(await server.createDatabase()));
    return reopenable(
      () => PostgresEngine.open(place, { keyIdOf, clock: () => `${clock.now()}::bigint` }),
      () => server[Symbol.asyncDispose](),
    );
  };
}
