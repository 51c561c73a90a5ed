import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { findConsul } from '../support/consul-agent.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleState } from '../support/sample-state.ts';
import { consulLogin } from './fixtures/consul-folder.ts';

const consul = await findConsul();

it.skipIf(consul === null)(
  'the program consul watches, lists and deletes the keys below a prefix (skipped unless it is on PATH)',
  async () => {
    await using house = await TestHouse.open();
    const run = (...words: readonly string[]): RunningProgram =>
      new RunningProgram(consul!, words, {
        cwd: tmpdir(),
        env: { ...process.env, ...consulLogin(), CONSUL_HTTP_ADDR: house.url },
      });
    const put = (key: string): Promise<unknown> =>
      house.ask('POST', `/http/acme/watched/${key}`, { body: sampleState(1) });
    await put('a');
    const watching = run('watch', '-type=keyprefix', '-prefix=acme/watched/', 'cat; echo');
    const told = (key: string): Promise<unknown> =>
      eventually(`it is told of ${key}`, () => watching.stdout.includes(`"acme/watched/${key}"`), 60_000);
    await told('a');
    await put('b');
    await told('b');
    watching.signal('SIGKILL');
    await watching.end;
    const listed = await run('kv', 'get', '-keys', 'acme/watched/').end;
    expect(listed.stdout).toContain('acme/watched/a\nacme/watched/b');
    for (const _ of ['all', 'none']) {
      const deleted = await run('kv', 'delete', '-recurse', 'acme/watched/').end;
      expect(deleted).toMatchObject({ code: 0 });
    }
    expect((await run('kv', 'get', '-keys', 'acme/watched/').end).stdout.trim()).toBe('');
  },
  120_000,
);
