import { describe } from 'vitest';
import { findPostgres } from '../support/postgres-server.ts';
import { findTerraform } from '../support/terraform.ts';
import { postgresBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const postgres = await findPostgres();

describe.skipIf(terraform === null || postgres === null)(
  'skipped unless terraform and postgres are on PATH',
  () => {
    keyInterop('pg', terraform ?? '', () => postgresBackend(postgres!));
  },
);
