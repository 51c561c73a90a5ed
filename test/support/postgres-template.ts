import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names a directory where the files of one test run share what `initdb` makes, which takes as long as many a test. */
export const POSTGRES_TEMPLATE = 'STATEHOUSE_TEST_POSTGRES_TEMPLATE';

/** Makes that directory for a run of vitest. @returns what removes it */
export async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-postgres-template-'));
  process.env[POSTGRES_TEMPLATE] = directory;
  return () => rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
