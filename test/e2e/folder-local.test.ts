import { describe } from 'vitest';
import { findTerraform } from '../support/terraform.ts';
import { houseBackend, localBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('local files', terraform ?? '', localBackend);
  keyInterop('http on a house', terraform ?? '', houseBackend);
});
