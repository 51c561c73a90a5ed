import { describe } from 'vitest';
import { findConsul } from '../support/consul-agent.ts';
import { isLongRun } from '../support/amount.ts';
import { findGoProgram } from '../support/find-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { consulAgentBackend, houseConsulBackend } from './fixtures/folder-backends.ts';
import { keyInterop } from './fixtures/folder-interop.ts';

const terraform = await findTerraform();
const tofu = await findGoProgram('tofu');
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

describe.skipIf(!isLongRun || tofu === null || consul === null)(
  'in the long run; skipped unless tofu and consul are on PATH',
  () => {
    keyInterop('a real Consul, by tofu', tofu ?? '', () => consulAgentBackend(consul ?? ''));
  },
);
