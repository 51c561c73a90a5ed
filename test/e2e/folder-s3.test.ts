import { describe } from 'vitest';
import { findMoto } from '../support/moto-server.ts';
import { findTerraform } from '../support/terraform.ts';
import { houseS3Backend, motoBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const moto = await findMoto();

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('s3 and dynamodb of a house, with both locks', terraform ?? '', houseS3Backend);
});

describe.skipIf(terraform === null || moto === null)(
  'skipped unless terraform and moto_server are on PATH',
  () => {
    keyInterop('s3 with lock objects', terraform ?? '', () =>
      motoBackend(moto ?? '', { use_lockfile: 'true' }),
    );
    keyInterop('s3 with a lock table', terraform ?? '', () =>
      motoBackend(moto ?? '', { dynamodb_table: 'locks' }),
    );
  },
);
