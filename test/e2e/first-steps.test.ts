import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../src/testing/eventually.ts';
import { freePort } from '../../src/testing/free-port.ts';
import { RunningProgram } from '../../src/testing/running-program.ts';
import { findTerraform, TerraformFolder } from '../../src/testing/terraform.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const terraform = await findTerraform();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-first-steps-'));
});

afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

/** The block of a text and the variables that it exports, as a shell would take them. */
function pasted(text: string): { block: string; env: Record<string, string> } {
  const block = /^terraform \{\n[\s\S]*?\n\}\n/m.exec(text)?.[0] ?? '';
  const exports = [...text.matchAll(/^\s*export (\w+)=(\S+)$/gm)];
  return { block, env: Object.fromEntries(exports.map(([, name = '', value = '']) => [name, value])) };
}

it.skipIf(terraform === null)(
  'what the first start prints is all that terraform needs, and the next start needs nothing',
  async () => {
    const parameters = [MAIN, 'serve', `--listen=127.0.0.1:${await freePort()}`, '--log-level=error'];
    const start = async (until: string): Promise<RunningProgram> => {
      const run = new RunningProgram(process.execPath, parameters, { cwd: directory, env: process.env });
      await eventually('the house opens', () => run.stdout.includes(until) || !run.running);
      return run;
    };
    const first = await start('For another state');
    const { block, env } = pasted(first.stdout);
    const main =
      'resource "terraform_data" "first" {\n  input = "kept"\n}\noutput "said" {\n  value = terraform_data.first.output\n}\n';
    await using folder = await TerraformFolder.make(terraform ?? '', {
      files: { 'main.tf': block + main },
      env,
    });
    await folder.must('init');
    expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
    first.signal('SIGTERM');
    await first.end;

    const second = await start('config http');
    try {
      expect(await folder.must('apply', '-auto-approve')).toContain('No changes');
      expect(await folder.must('output', '-raw', 'said')).toBe('kept');
    } finally {
      second.signal('SIGTERM');
    }
    expect((await second.end).code).toBe(0);
  },
);
