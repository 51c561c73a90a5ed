import { describe } from 'vitest';
import { findConsul } from '../support/consul-agent.ts';
import { findTerraform } from '../support/terraform.ts';
import { consulAgentBackend, houseConsulBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const consul = await findConsul();

describe.skipIf(terraform === null)('skipped unless terraform is on PATH', () => {
  keyInterop('the consul door of a house', terraform ?? '', houseConsulBackend);
});

describe.skipIf(terraform === null || consul === null)(
  'skipped unless terraform and consul are on PATH',
  () => {
    keyInterop('a real Consul', terraform ?? '', () => consulAgentBackend(consul ?? ''));
  },
);
