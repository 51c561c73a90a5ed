import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, in its order: begun first, such a file never runs alone in the end. */
const LONGEST: readonly string[] = [
  'test/server/spare-memory.test.ts',
  'test/e2e/folder-s3.test.ts',
  'test/e2e/consul.test.ts',
  'test/nodes/e2e-on-postgres.test.ts',
  'test/server/crowd.test.ts',
  'test/e2e/cloud.test.ts',
  'test/e2e/azurerm.test.ts',
  'test/e2e/folder-migrate.test.ts',
  'test/e2e/folder-azurerm.test.ts',
  'test/e2e/folder-cloud.test.ts',
  'test/e2e/gcs.test.ts',
  'test/nodes/coming-and-going.test.ts',
  'test/nodes/history.test.ts',
  'test/e2e/boto3.test.ts',
  'test/e2e/folder-consul.test.ts',
  'test/e2e/s3-blocks.test.ts',
  'test/e2e/s3-locks.test.ts',
  'test/nodes/seeded-faults.test.ts',
  'test/e2e/folder-gcs.test.ts',
  'test/e2e/folder-local.test.ts',
  'test/e2e/azurerm-lost-answers.test.ts',
  'test/authorisation/matrix.test.ts',
  'test/clients/contract.test.ts',
  'test/server/traffic.test.ts',
  'test/core/rules/exploration.test.ts',
  'test/doors/matrix.test.ts',
  'test/engines/postgres-trouble.test.ts',
  'test/protocols/http/answers.test.ts',
];

/** The files in the order in which they keep every processor busy to the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? LONGEST.length : at;
    };
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
