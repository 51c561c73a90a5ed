import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/amount.ts';
import { RunningProgram } from '../support/running-program.ts';
import { PUT_BACK, type PutBack } from './put-back.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['src', 'test', 'dist', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const RUN_MS_MAX = 300_000;

describe.runIf(isLongRun)('a defect that is put back (in the long run alone)', () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'statehouse-put-back-'));
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(PUT_BACK.map((one) => [one.defect, one] as const))(
    'is found by its test: %s',
    async (_, mutant) => {
      // Where the test fails anyhow, its failure proves nothing.
      expect(await outcome(mutant)).toMatch(/^\d passed/);
      const path = fileOf(mutant);
      const text = readFileSync(path, 'utf8');
      writeFileSync(
        path,
        text.replace(mutant.from, () => mutant.to),
      );
      try {
        expect(await outcome(mutant)).toMatch(/^\d failed/);
      } finally {
        writeFileSync(path, text);
      }
    },
    2 * RUN_MS_MAX,
  );

  /** What the runner counts of the one test. */
  async function outcome({ test, only }: PutBack): Promise<string> {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const run = new RunningProgram(process.execPath, [vitest, 'run', test, '-t', only, '--retry=0'], {
      cwd: copy,
      env: { ...process.env, NO_COLOR: '1', CI: '', STATEHOUSE_TEST_LONG: '' },
    });
    const { output } = await run.end;
    return /^ +Tests +(.*?)(?: \||  ?\(|$)/m.exec(output)?.[1] ?? output;
  }

  function fileOf({ at, from }: PutBack): string {
    const path = join(copy, at);
    const files = statSync(path).isDirectory()
      ? readdirSync(path)
          .map((name) => join(path, name))
          .filter((file) => file.endsWith('.cjs'))
      : [path];
    const found = files.filter((file) => readFileSync(file, 'utf8').includes(from));
    expect(found, `one file with ${from}`).toHaveLength(1);
    return found[0] as string;
  }
});
