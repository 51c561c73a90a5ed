import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../e2e/fixtures/gate.ts';
import { resource } from '../e2e/fixtures/http-folder.ts';
import { NO_BROWSER, startBrowser } from '../support/browser.ts';
import { busyFactor } from '../support/busy-factor.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { processesOf } from '../support/process-tree.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { signIn, visit } from './fixtures/signed-in.ts';

// The first two minutes, as the README tells them.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** From `npm start` to "I see my apply holding the lock"; what is built before is not counted. */
const MS_MAX = 120_000;
const terraform = await findTerraform();
const why = NO_BROWSER ?? (terraform === null ? 'terraform is not on PATH' : null);

describe.skipIf(why !== null)(`the first two minutes (skipped: ${why})`, () => {
  let directory: string;
  let browser: Browser;

  beforeAll(async () => {
    [directory, browser] = await Promise.all([
      mkdtemp(join(tmpdir(), 'statehouse-first-minutes-')),
      startBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it('lead from "npm start" to the page that shows my apply hold the lock', async () => {
    await using gate = await Gate.make();
    const port = await freePort();
    const data = join(directory, 'statehouse-data');
    const began = performance.now();
    // Without its "prestart": that is the build, which npm test has done.
    const flags = [`--listen=127.0.0.1:${port}`, `--data=${data}`];
    const server = new RunningProgram('npm', ['start', '--ignore-scripts', '--', ...flags], {
      cwd: ROOT,
      env: process.env,
    });
    try {
      await eventually(
        'the server opens',
        () => server.stdout.includes('For another state') || !server.running,
        60_000,
      );
      const block = /^terraform \{\n[\s\S]*?\n\}\n/m.exec(server.stdout)?.[0] ?? '';
      const exports = server.stdout.split('\n').filter((line) => /^\s*export TF_/.test(line));
      expect([block, exports.length], server.output).toEqual([expect.stringContaining('backend "http"'), 2]);
      await writeFile(join(directory, 'main.tf'), block + resource('first', 'first', gate.command));
      const script = [...exports, 'terraform init -input=false', 'terraform apply -auto-approve'].join('\n');
      const apply = new RunningProgram('/bin/sh', ['-ec', script], {
        cwd: directory,
        env: {
          PATH: `${dirname(terraform ?? '')}:${process.env['PATH']}`,
          HOME: directory,
          CHECKPOINT_DISABLE: '1',
          TF_IN_AUTOMATION: '1',
        },
      });
      try {
        const { page, context, faults } = await visit(browser, `http://127.0.0.1:${port}`);
        context.setDefaultTimeout(60_000);
        await signIn(page, (await readFile(join(data, 'demo-credential'), 'utf8')).trim());
        await page.locator('.lock-row.holder').getByText('apply', { exact: true }).waitFor();
        const ms = performance.now() - began;
        process.stdout.write(`from npm start to the lock at the page: ${(ms / 1_000).toFixed(1)} s\n`);
        expect(ms).toBeLessThan(MS_MAX * busyFactor());
        await gate.open();
        expect((await apply.end).code, apply.output).toBe(0);
        await page.getByText('No lock is held').waitFor();
        expect(faults).toEqual([]);
        await context.close();
      } finally {
        apply.signal('SIGKILL');
      }
    } finally {
      // npm passes no signal on; Ctrl-C in a terminal reaches them all.
      for (const pid of await processesOf(server.pid)) process.kill(pid, 'SIGTERM');
      await server.end;
    }
  }, 240_000);
});
