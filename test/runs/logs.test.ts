import { beforeEach, describe, expect, it } from 'vitest';
import { RecordBodies } from '../../src/house/records/bodies.ts';
import { RunLogs } from '../../src/runs/logs.ts';
import { systemClock, systemEntropy } from '../../src/server/runtime.ts';
import { buildHouse, type BuiltHouse } from '../../src/server/build.ts';
import { DEFAULTS } from '../../src/server/configuration.ts';

let built: BuiltHouse;
const logsOf = (max?: number): RunLogs =>
  new RunLogs({
    house: built.house,
    bodies: new RecordBodies({ engine: built.engine, sealer: built.keyring, entropy: systemEntropy }),
    clock: systemClock,
    ...(max === undefined ? {} : { max }),
  });

beforeEach(async () => {
  built = await buildHouse({ ...DEFAULTS, store: { kind: 'memory' }, logLevel: 'silent' });
  return () => built.close();
});

const ALL = { offset: 0, limit: 1_000_000 };

describe('the log of a run', () => {
  it('is read while it is written, as a stream between two marks', async () => {
    const logs = logsOf();
    const log = logs.begin('run-a', 'plan');
    log.write('hello ');
    const first = await logs.read('run-a', 'plan', ALL);
    expect([Buffer.from(first.bytes).toString(), first.ended]).toEqual(['\x02hello ', false]);
    const more = logs.read('run-a', 'plan', { offset: 7, limit: 3 }, { wait: 5_000 });
    const started = Date.now();
    log.write('world');
    expect(Buffer.from((await more).bytes).toString()).toBe('wor');
    expect(Date.now() - started).toBeLessThan(150);
    await log.end();
    const end = await logs.read('run-a', 'plan', { offset: 10, limit: 100 }, { wait: 5_000 });
    expect([Buffer.from(end.bytes).toString(), end.ended]).toEqual(['ld\x03', true]);
  });

  it('is the same for another node, and after a restart', async () => {
    const log = logsOf().begin('run-a', 'plan');
    const pieces = Array.from({ length: 300 }, (_, i) => `line ${i} ${'x'.repeat(1_000)}\n`);
    for (const piece of pieces) log.write(piece);
    const elsewhere = logsOf();
    await expect
      .poll(async () => (await elsewhere.read('run-a', 'plan', ALL)).bytes.length, { timeout: 5_000 })
      .toBeGreaterThan(200_000);
    await log.end();
    const found = await logsOf().read('run-a', 'plan', ALL);
    expect(Buffer.from(found.bytes).toString()).toBe(`\x02${pieces.join('')}\x03`);
    expect(found.ended).toBe(true);
    const late = await elsewhere.read('run-a', 'plan', { offset: 0, limit: 1e9 }, { wait: 3_000 });
    await expect.poll(async () => (await elsewhere.read('run-a', 'plan', ALL)).ended).toBe(true);
    expect(late.bytes.length).toBeLessThanOrEqual(found.bytes.length);
  });

  it('ends at its limit however much comes, and says so', async () => {
    const logs = logsOf(10_000);
    const log = logs.begin('run-a', 'apply');
    for (let i = 0; i < 2_000; i += 1) log.write('y'.repeat(1_000));
    await log.end();
    const { bytes, ended } = await logs.read('run-a', 'apply', ALL);
    expect(bytes.length).toBeLessThan(10_200);
    expect(Buffer.from(bytes).toString()).toContain('longer than 10000 bytes: the rest is not kept.\n\x03');
    expect(ended).toBe(true);
  });

  it('takes any bytes, and is ended for a writer that is gone', async () => {
    const binary = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
    logsOf().begin('run-a', 'plan').write(binary);
    const logs = logsOf();
    await expect.poll(async () => (await logs.read('run-a', 'plan', ALL)).bytes.length).toBe(70_001);
    await logsOf().close('run-a', 'plan', 'gone\n');
    const found = await logsOf().read('run-a', 'plan', ALL);
    expect(Buffer.from(found.bytes.subarray(1, 70_001)).equals(binary)).toBe(true);
    expect(Buffer.from(found.bytes.subarray(70_001)).toString()).toBe('gone\n\x03');
  });

  it('does not hold up who leaves, and is gone when it is dropped', async () => {
    const logs = logsOf();
    const log = logs.begin('run-a', 'plan');
    log.write('x');
    const gone = new AbortController();
    const waiting = logs.read('run-a', 'plan', { offset: 9, limit: 1 }, { wait: 60_000, gone: gone.signal });
    gone.abort();
    expect((await waiting).bytes.length).toBe(0);
    await log.end();
    await logs.drop('run-a');
    expect((await logsOf().read('run-a', 'plan', ALL)).bytes.length).toBe(0);
  });
});
