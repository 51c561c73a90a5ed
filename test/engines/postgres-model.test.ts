import { describe } from 'vitest';
import { engineModel } from '../../src/contract/engine-model.ts';
import { amountOf } from '../support/amount.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { inNewDatabase } from './postgres-database.ts';

const programs = await findPostgres();
const SEQUENCES = amountOf('STATEHOUSE_SEQUENCES', { few: 75, many: 3_000 });

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  engineModel('postgres', inNewDatabase(programs), { sequences: SEQUENCES });
});
