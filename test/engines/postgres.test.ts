import { describe } from 'vitest';
import { engineContract } from '../../src/testing/engine-contract.ts';
import { findPostgres } from '../../src/testing/postgres-server.ts';
import { inNewDatabase } from './postgres-database.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  engineContract('postgres', inNewDatabase(programs));
});
