import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Run } from '../../src/runs/run-book.ts';
import { RunningHouse, slugOf } from '../runs/running-house.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';

const PROVIDER = new URL('fixtures/files-provider/', import.meta.url).pathname;
/** Where terraform looks for providers beside a configuration. */
const MIRRORED =
  'terraform.d/plugins/registry.terraform.io/statehouse/files/1.0.0/linux_amd64/terraform-provider-files';
const NET: Address = { project: 'app', key: 'net', workspace: 'default' };

/**
 * A resource that can change behind the back of its state needs a provider, which is built by Go from modules of the
 * network: some 25 MB, so that is asked for.
 */
const isAsked = process.env['STATEHOUSE_TEST_PROVIDER'] === '1';
if (!isAsked)
  console.warn(
    'skipped: drift with a real provider. STATEHOUSE_TEST_PROVIDER=1 builds one with go, and runs it',
  );

it.runIf(isAsked)(
  'terraform finds what was changed and deleted by hand, and puts it back',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-drift-'));
    try {
      const program = join(directory, 'provider');
      const build = ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-o', program, '.'];
      await promisify(execFile)('go', build, { cwd: PROVIDER });
      const files = ['a', 'b', 'c'].map((name) => join(directory, name));
      const main = `
terraform {
  required_providers { files = { source = "statehouse/files" } }
}
resource "files_file" "one" {
  for_each = toset(${JSON.stringify(files)})
  path     = each.key
  content  = "as it was applied"
}`;
      await using house = await RunningHouse.open();
      const slug = await slugOf({ 'main.tf': main, [MIRRORED]: await readFile(program) });
      const first = await house.run(await house.configuration(slug), { autoApply: true });
      await house.until(first.id, 'applied', 'errored');
      expect((await house.show(first.id)).status, await house.log(first.id, 'plan')).toBe('applied');
      const check = async (): Promise<{ drifted: unknown; resources: unknown }> => {
        const made = (await house.runs.drift.check(ADMIN_CALLER, NET)) as { run: Run };
        await house.until(made.run.id, 'planned_and_finished', 'errored');
        const shown = await house.runs.drift.show(ADMIN_CALLER, NET);
        if (shown.type !== 'shown') throw new Error(shown.type);
        const { record, resources } = shown.detail;
        return { drifted: record?.found?.drifted, resources };
      };
      expect(await check()).toEqual({ drifted: false, resources: [] });
      await writeFile(files[0] ?? '', 'changed by hand');
      await rm(files[1] ?? '');
      expect(await check()).toEqual({
        drifted: true,
        resources: [
          { address: `files_file.one["${files[0]}"]`, action: 'update' },
          { address: `files_file.one["${files[1]}"]`, action: 'delete' },
        ],
      });
      const again = (await house.runs.createAgain(ADMIN_CALLER, NET, {
        ...first.task,
        autoApply: true,
        planOnly: false,
        message: '',
        variables: [],
        program: null,
        version: null,
      })) as { run: Run };
      await house.until(again.run.id, 'applied');
      expect(await Promise.all(files.map((path) => readFile(path, 'utf8')))).toEqual(
        files.map(() => 'as it was applied'),
      );
      expect(await check()).toEqual({ drifted: false, resources: [] });
    } finally {
      await rm(directory, { recursive: true });
    }
  },
  600_000,
);
