import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { sampleState } from '../support/sample-state.ts';
import { inDirectory, MASTER_KEY, openOn } from '../tampering/stored-house.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const KILLS = 3;

it('a change of the integrity key that is killed at any moment leaves all rows under one key, and is run again', async () => {
  await using stored = await inDirectory();
  const heads: string[] = [];
  {
    await using house = await openOn(stored);
    const write = (key: number): Promise<unknown> =>
      house.ask('POST', `/http/acme/s${key}`, { body: sampleState(key) });
    for (let key = 1; key <= 100; key += 20)
      await Promise.all(Array.from({ length: 20 }, (_, at) => write(key + at)));
    heads.push(await house.engine.auditHead());
  }
  const options = ['--data', stored.directory];
  const env = { ...process.env, STATEHOUSE_MASTER_KEY: MASTER_KEY };
  const statehouse = (...words: readonly string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [PROGRAM, ...words, ...options], { env });

  const began = performance.now();
  await statehouse('rotate-integrity-key');
  const whole = performance.now() - began;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const child = spawn(process.execPath, [PROGRAM, 'rotate-integrity-key', ...options], {
      env,
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    // Most of it is the start of the program: the change itself is at the end.
    await Promise.race([sleep(whole * (0.5 + (0.5 * kill) / KILLS)), ended]);
    child.kill('SIGKILL');
    await ended;
    await statehouse('audit', 'verify', '--head', heads[0]!);
  }
  await statehouse('rotate-integrity-key');
  const { stdout } = await statehouse('audit', 'verify', '--head', heads[0]!);
  expect(stdout).toMatch(/^\d+:[0-9a-f]{64}/);
  await using house = await openOn(stored);
  expect((await house.ask('GET', '/http/acme/s77')).text).toBe(sampleState(77));
}, 120_000);
