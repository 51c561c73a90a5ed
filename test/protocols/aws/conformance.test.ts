import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const CONFORMANCE = fileURLToPath(new URL('../../upstream/conformance.mjs', import.meta.url));

it('docs/conformance.md says what the lists of upstream tests say', async () => {
  const { stderr } = await promisify(execFile)(process.execPath, [CONFORMANCE, '--check']);
  expect(stderr).toBe('');
});
