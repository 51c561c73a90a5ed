import { describe } from 'vitest';
import { engineModel } from '../../src/contract/engine-model.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { inNewDatabase } from './postgres-database.ts';

const programs = await findPostgres();
const SEQUENCES = Number(process.env['STATEHOUSE_SEQUENCES'] ?? 300);

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  engineModel('postgres', inNewDatabase(programs), { sequences: SEQUENCES });
});
