import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

const MAIN = new URL('../../dist/program/cli.main.cjs', import.meta.url).pathname;

/** A server that may open so many files; the file that starts it lies in a directory of its own. */
async function program(directory: string, limit: number): Promise<string> {
  const path = join(directory, 'limited.sh');
  await writeFile(path, `#!/bin/sh\nulimit -n ${limit}\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(path, 0o700);
  return path;
}

/** How a server ends that does not start. */
async function endOf(path: string, directory: string): Promise<{ code: number | null; output: string }> {
  const run = new RunningProgram(path, ['serve', '--listen=127.0.0.1:0', `--data=${directory}/data`], {
    cwd: directory,
    env: process.env,
  });
  return run.end;
}

async function crowd(port: number, size: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: size }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => undefined)));
  return sockets;
}

describe.runIf(process.platform === 'linux')('a server that may open few files', () => {
  it('tells connections above its limit to come again, answers the others whatever they ask for, and says honestly how it is', async () => {
    const { directory, remove } = await newDirectory();
    {
      await using house = await HouseProcess.start({ program: await program(directory, 300) });
      using early = new KeptConnection();
      const { agent } = early;
      expect((await ask(house.url, 'GET', '/healthz', { agent })).status).toBe(200);
      const sockets = await crowd(house.port, 129);
      await eventually('newcomers are told to come again', async () => {
        const late = await ask(house.url, 'POST', '/http/few/late', {
          body: sampleState(1),
          agent: new Agent(),
        });
        return late.status === 503 && Number(late.headers['retry-after']) > 0;
      });
      for (const path of ['/healthz', '/readyz']) {
        expect((await ask(house.url, 'GET', path, { agent: new Agent() })).status).toBe(200);
      }
      // What is asked for the first time is loaded now.
      expect((await ask(house.url, 'POST', '/http/few/early', { body: sampleState(1), agent })).status).toBe(
        200,
      );
      expect(
        (await ask(house.url, 'LOCK', '/http/few/early', { body: sampleLock('one'), agent })).status,
      ).toBe(200);
      for (const path of ['/api/v1/locks', '/api/v1/states', '/api/v1/backup', '/s3/few/early']) {
        expect((await ask(house.url, 'GET', path, { agent })).status).toBeLessThan(500);
      }
      for (const socket of sockets) socket.destroy();
      await eventually('there is room again', async () => {
        return (await ask(house.url, 'GET', '/http/few/early', { agent: new Agent() })).status === 200;
      });
    }
    await remove();
  });

  it('does not start with fewer than it needs, and says so', async () => {
    const { directory, remove } = await newDirectory();
    const { code, output } = await endOf(await program(directory, 200), directory);
    expect(code).toBe(1);
    expect(output).toContain('this process may open 200 files at a time, and a server needs 256 at least');
    await remove();
  });
});

/** One connection that stays. */
class KeptConnection implements Disposable {
  readonly agent: Agent = new Agent({ keepAlive: true, maxSockets: 1 });

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}
