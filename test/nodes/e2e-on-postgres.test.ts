import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { isLongRun } from '../support/amount.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { TEST_DATABASE } from '../support/test-database.ts';

const programs = await findPostgres();
const terraform = await findTerraform();
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
/** What real terraforms do to a house, whatever engine it has. */
const SUITES = [
  'test/e2e/http-crash',
  ...(isLongRun ? ['test/e2e/http-contention', 'test/e2e/http-everyday'] : []),
];

describe.skipIf(programs === null || terraform === null)(
  'the end-to-end tests with terraform (skipped unless postgres and terraform are on PATH)',
  () => {
    it('pass on PostgreSQL as they do on the embedded engine', async () => {
      await using server = await PostgresServer.start(programs!);
      const database = server.url(await server.createDatabase());
      const run = new RunningProgram(process.execPath, [VITEST, 'run', '--maxWorkers=1', ...SUITES], {
        cwd: ROOT,
        env: { ...process.env, [TEST_DATABASE]: database },
      });
      const { code, output } = await run.end;
      if (code !== 0) console.error(output);
      expect(code).toBe(0);
      const schemas = await server.query("SELECT FROM pg_namespace WHERE nspname LIKE 't\\_%'", 'test_1');
      expect(schemas.length).toBeGreaterThan(SUITES.length);
    }, 600_000);
  },
);
