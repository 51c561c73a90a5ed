import { afterAll, beforeAll, describe } from 'vitest';
import { doorMatrix } from '../../src/contract/door-contract.ts';
import { PostgresServer, findPostgres } from '../support/postgres-server.ts';
import { CONSUL } from './clients/consul.ts';
import { GCS } from './clients/gcs.ts';
import { HCP } from './clients/hcp.ts';
import { HTTP } from './clients/http.ts';
import { S3_BOTH, S3_LOCK_FILE, S3_LOCK_ITEM } from './clients/s3.ts';
import { HOUSES, openHouseUnderTest } from './houses.ts';

const programs = await findPostgres();

describe.each(HOUSES)('on %s', (_, open) =>
  doorMatrix([HTTP, S3_LOCK_FILE, S3_LOCK_ITEM, S3_BOTH, GCS, CONSUL, HCP], open),
);

describe.skipIf(programs === null)('on PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  doorMatrix([HTTP, S3_BOTH, GCS, CONSUL, HCP], async () =>
    openHouseUnderTest({
      store: { kind: 'postgres', url: server.url(await server.createDatabase()) },
      masterKeys: Buffer.alloc(32, 7).toString('base64'),
    }),
  );
});
