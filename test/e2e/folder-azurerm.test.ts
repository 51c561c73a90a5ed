import { describe } from 'vitest';
import { findAzurite } from '../support/azurite.ts';
import { findTerraform } from '../support/terraform.ts';
import { azuriteBackend, houseAzurermBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const azurite = await findAzurite();

describe.skipIf(terraform === null || azurite === null)(
  'skipped unless terraform and azurite-blob are on PATH',
  () => {
    keyInterop('azurerm on Azurite', terraform ?? '', () => azuriteBackend(azurite ?? ''));
  },
);

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('the azurerm door of a house', terraform ?? '', houseAzurermBackend);
});
