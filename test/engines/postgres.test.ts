import { describe } from 'vitest';
import { engineContract } from '../../src/contract/engine-contract.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { inNewDatabase } from './postgres-database.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  engineContract('postgres', inNewDatabase(programs));
});
