import { expect, it } from 'vitest';
import { loadOptional } from '../../src/protocols/optional-package.ts';

it('a package that was left out of an installation is named, with what to do', async () => {
  const missing = 'not-installed-anywhere';
  const loading = loadOptional('the s3 backend', missing, import(missing));
  await expect(loading).rejects.toMatchObject({
    name: 'BackendFault',
    message: expect.stringContaining('the s3 backend needs the package not-installed-anywhere') as string,
    next: expect.stringContaining('without --omit=optional') as string,
  });
  expect(await loadOptional('a test', 'node:path', import('node:path'))).toHaveProperty('join');
});
