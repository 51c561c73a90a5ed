import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const RESOURCE = `
resource "terraform_data" "first" {
  input = "kept"
}
output "said" {
  value = terraform_data.first.output
}
`;
const terraform = await findTerraform();
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-first-steps-'));
});

afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

/** Starts a house in a folder, as a newcomer does, and waits until it has said so much. */
async function serve(cwd: string, listen: string, until: string, flags: readonly string[]) {
  const parameters = [MAIN, 'serve', `--listen=${listen}`, '--log-level=error', ...flags];
  const run = new RunningProgram(process.execPath, parameters, { cwd, env: process.env });
  await eventually('the house opens', () => run.stdout.includes(until) || !run.running);
  return run;
}

describe.skipIf(terraform === null)('a newcomer (skipped unless terraform is on PATH)', () => {
  it.each([
    ['over http', []],
    ['over https, with a certificate that the house signed itself', ['--tls-self-signed']],
  ])('pastes what the first start prints, and terraform keeps its state there, %s', async (_how, flags) => {
    const cwd = join(directory, `house-${flags.length}`);
    const folder = join(directory, `folder-${flags.length}`);
    await mkdir(cwd);
    await mkdir(folder);
    const listen = `127.0.0.1:${await freePort()}`;
    const first = await serve(cwd, listen, 'For another state', flags);
    // What a mouse would mark: the block, and the lines that begin with "export TF_".
    const block = /^terraform \{\n[\s\S]*?\n\}\n/m.exec(first.stdout)?.[0] ?? '';
    const exports = first.stdout.split('\n').filter((line) => /^\s*export TF_/.test(line));
    await writeFile(join(folder, 'main.tf'), block + RESOURCE);
    const shell = (script: string): RunningProgram =>
      new RunningProgram('/bin/sh', ['-ec', [...exports, script].join('\n')], {
        cwd: folder,
        env: {
          PATH: `${dirname(terraform ?? '')}:${process.env['PATH']}`,
          HOME: folder,
          CHECKPOINT_DISABLE: '1',
          TF_IN_AUTOMATION: '1',
        },
      });
    const applied = await shell('terraform init\nterraform apply -auto-approve').end;
    expect(applied.code, applied.output).toBe(0);
    expect(applied.stdout).toContain('1 added');
    first.signal('SIGTERM');
    await first.end;

    const second = await serve(cwd, listen, 'config http', flags);
    const again = await shell('terraform apply -auto-approve\nterraform output -raw said').end;
    expect(again.stdout).toContain('No changes');
    expect(again.stdout).toMatch(/kept$/);
    second.signal('SIGTERM');
    expect((await second.end).code).toBe(0);
  });
});
