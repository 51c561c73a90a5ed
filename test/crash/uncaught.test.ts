import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

/** Flags that have the process fail at SIGUSR2, as a mistake in any event handler would have it. */
function failingBy(statement: string): string[] {
  const script = `process.on('SIGUSR2', () => { ${statement} });`;
  return [`--import=data:text/javascript,${encodeURIComponent(script)}`];
}

// Put together there, because the stack names the script with all of its text.
const FAULT = `const fault = new RangeError('no such thing'); fault.detail = 'the-' + 'secret'`;
const MANY = `for (let n = 0; n < 50; n++) queueMicrotask(() => { throw new Error('again'); })`;
const HANGING = `setInterval(() => {}, 1_000)`;

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
}

function faultsLogged(output: string): readonly LogLine[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{"level"'));
  return lines.map((line) => JSON.parse(line) as LogLine).filter(({ level }) => level >= 50);
}

describe('a fault that nothing caught', () => {
  it.each([
    ['thrown', `${FAULT}; throw fault`],
    ['a rejection', `${FAULT}; Promise.reject(fault)`],
  ])('ends the process in order: %s', async (_, statement) => {
    await using house = await HouseProcess.start({ nodeFlags: failingBy(statement) });
    await ask(house.url, 'POST', '/http/acme/x', { body: sampleState(1) });
    await ask(house.url, 'LOCK', '/http/acme/x', { body: sampleLock('one') });
    const parked = ask(house.url, 'LOCK', '/http/acme/x?wait=1m', { body: sampleLock('two') });
    await eventually('a request is parked', async () => {
      const { text } = await ask(house.url, 'GET', '/metrics');
      return text.includes('statehouse_parked_requests 1');
    });
    const end = await house.stop('SIGUSR2');
    // What was open is answered, as in any shutdown.
    expect((await parked).status).toBe(423);
    expect(end).toMatchObject({ code: 1, signal: null });
    const output = end?.output ?? '';
    expect(faultsLogged(output)).toMatchObject([{ name: 'RangeError', message: 'no such thing' }]);
    expect(faultsLogged(output)[0]?.stack).toContain('data:text/javascript');
    expect(output).not.toContain('the-secret');
    await house.launch();
    expect((await ask(house.url, 'GET', '/http/acme/x')).status).toBe(200);
  });

  it('ends the process by a deadline, whatever hangs, and does not fill the log', async () => {
    await using house = await HouseProcess.start({
      nodeFlags: failingBy(`${HANGING}; ${MANY}`),
      flags: ['--shutdown-timeout=0'],
    });
    const end = await house.stop('SIGUSR2');
    expect(end).toMatchObject({ code: 1, signal: null });
    expect(end?.milliseconds).toBeLessThan(25_000);
    expect(faultsLogged(end?.output ?? '')).toHaveLength(10);
  });
});
