import { describe } from 'vitest';
import { findFakeGcs } from '../support/fake-gcs-server.ts';
import { isLongRun } from '../support/amount.ts';
import { findGoProgram } from '../support/find-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { fakeGcsBackend, houseGcsBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const tofu = await findGoProgram('tofu');
const fakeGcs = await findFakeGcs();

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('the gcs door of a house', terraform ?? '', houseGcsBackend);
});

describe.skipIf(terraform === null || fakeGcs === null)(
  'skipped unless terraform and fake-gcs-server are on PATH',
  () => {
    keyInterop('gcs on fake-gcs-server', terraform ?? '', () => fakeGcsBackend(fakeGcs ?? ''));
  },
);

describe.skipIf(!isLongRun || tofu === null || fakeGcs === null)(
  'in the long run; skipped unless tofu and fake-gcs-server are on PATH',
  () => {
    keyInterop('gcs on fake-gcs-server, by tofu', tofu ?? '', () => fakeGcsBackend(fakeGcs ?? ''));
  },
);
