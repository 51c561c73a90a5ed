import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/amount.ts';
import { findGoProgram } from '../support/find-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { AzurermHouse } from './fixtures/azurerm-folder.ts';
import { consulFolder } from './fixtures/consul-folder.ts';
import { gcsFolder } from './fixtures/gcs-folder.ts';
import { addressAt, lockAt } from './fixtures/view.ts';

const BYTES = 60_000_000;
const PROGRAMS = [
  ['terraform', await findTerraform()],
  // OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
  ['tofu', await findGoProgram('tofu')],
] as const;

function outputsOf(serial: number): object {
  const line = `A large value, of which nothing may be lost: ${serial}. `;
  return { large: { value: line.repeat(Math.ceil(BYTES / line.length)), type: 'string' } };
}

/** A state with one value of 60 MB, as terraform itself writes it again. */
function largeState(serial: number): string {
  const header = { version: 4, terraform_version: '1.11.4', serial, lineage: 'large' };
  const outputs = outputsOf(serial);
  return `${JSON.stringify({ ...header, outputs, resources: [], check_results: null }, null, 2)}\n`;
}

describe.skipIf(!isLongRun).each(PROGRAMS)(
  'a state of 60 MB by %s (in the long run; skipped unless it is on PATH)',
  (_, program) => {
    let azurerm: AzurermHouse;
    let plain: TestHouse;

    beforeAll(async () => {
      azurerm = await AzurermHouse.open();
      plain = await TestHouse.open();
    });
    afterAll(async () => {
      await azurerm[Symbol.asyncDispose]();
      await plain.close();
    });

    const DOORS: Readonly<Record<string, (path: string) => Promise<TerraformFolder>>> = {
      gcs: (path) => gcsFolder(program!, { url: plain.url, path }, ''),
      azurerm: (path) => azurerm.folder(program!, path, ''),
      consul: (path) => consulFolder(program!, { url: plain.url, path }, ''),
    };

    it.skipIf(program === null).each(Object.keys(DOORS))(
      'is written over another, and read back, over %s',
      async (door) => {
        const path = `acme/large/${door}`;
        const house = door === 'azurerm' ? azurerm.house : plain;
        await using folder = await DOORS[door]!(path);
        // With -force, since terraform gives the first state of a place a lineage of its own.
        for (const serial of [1, 2]) {
          await folder.write('large.json', largeState(serial));
          await folder.must('state', 'push', '-force', 'large.json');
        }
        const pulled = JSON.parse(await folder.must('state', 'pull')) as { readonly outputs: unknown };
        // A difference of 60 MB is not to be printed.
        expect(JSON.stringify(pulled.outputs) === JSON.stringify(outputsOf(2))).toBe(true);
        const { head } = (await house.engine.world(addressAt(path))).record;
        expect(head?.size).toBeGreaterThan(BYTES);
        expect((await lockAt(house, path)).holders).toEqual([]);
      },
      180_000,
    );
  },
);
