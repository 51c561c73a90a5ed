import { afterAll, beforeAll, describe } from 'vitest';
import { allPairs, doorMatrix, ringOfPairs } from '../../src/contract/door-contract.ts';
import { isLongRun } from '../support/amount.ts';
import { PostgresServer, findPostgres } from '../support/postgres-server.ts';
import { AZURERM } from './clients/azurerm.ts';
import { CONSUL } from './clients/consul.ts';
import { GCS } from './clients/gcs.ts';
import { HCP } from './clients/hcp.ts';
import { HTTP } from './clients/http.ts';
import { S3_BOTH, S3_LOCK_FILE, S3_LOCK_ITEM } from './clients/s3.ts';
import { HOUSES, openHouseUnderTest } from './houses.ts';

const programs = await findPostgres();
const DOORS = [HTTP, S3_LOCK_FILE, S3_LOCK_ITEM, S3_BOTH, GCS, CONSUL, AZURERM, HCP];
/** What doors do to each other is not the engine's: on one engine each meets each other, on the others each meets the next. */
const pairsOnOthers = isLongRun ? allPairs : ringOfPairs;

describe.each(HOUSES)('on %s', (name, open) =>
  doorMatrix(name === 'memory' ? allPairs(DOORS) : pairsOnOthers(DOORS), open),
);

describe.skipIf(programs === null)('on PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  doorMatrix(pairsOnOthers([HTTP, S3_BOTH, GCS, CONSUL, AZURERM, HCP]), async () =>
    openHouseUnderTest({
      store: { kind: 'postgres', url: server.url(await server.createDatabase()) },
      masterKeys: Buffer.alloc(32, 7).toString('base64'),
    }),
  );
});
