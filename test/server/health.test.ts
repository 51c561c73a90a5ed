import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { EngineFault } from '../../src/ports/engine.ts';
import { HealthDoor } from '../../src/server/health.ts';
import type { House } from '../../src/house/house.ts';
import { Metrics } from '../../src/server/metrics.ts';
import type { DoorRequest } from '../../src/protocols/door.ts';
import { quietHouse } from '../support/quiet-house.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

const READYZ = { path: '/readyz', header: () => undefined } as unknown as DoorRequest;

describe('how the house is', () => {
  it('is told to anybody', async () => {
    await using house = await TestHouse.open();
    for (const path of ['/healthz', '/readyz']) {
      expect((await house.ask('GET', path, { as: null })).status).toBe(200);
      expect((await house.ask('HEAD', path, { as: null })).status).toBe(200);
    }
  });

  it('and where its doors are', async () => {
    await using house = await TestHouse.open();
    const { status, text } = await house.ask('GET', '/', { as: null });
    expect([status, text]).toEqual([200, expect.stringContaining('/api/openapi.json')]);
    const unknown = await house.ask('GET', '/nothing');
    expect([unknown.status, unknown.text]).toEqual([
      404,
      expect.stringContaining('/ lists the paths of this server'),
    ]);
  });

  it('tells when the master key has encrypted half as often as is safe', async () => {
    const closing = new AbortController().signal;
    const said = async (seals: number): Promise<string> => {
      const house = { check: async () => undefined, seals } as unknown as House;
      const metrics = new Metrics(quietHouse());
      const door = new HealthDoor({ house, metrics, closing, bodies: null, clock: { skew: 0 } });
      return String((await door.answer(READYZ)).body);
    };
    expect(await said(2 ** 31 - 1)).toBe('ready\n');
    expect(await said(2 ** 31)).toContain('run "statehouse rotate-key"');
  });

  it('is "not ready" while it cannot write or is closing, and "healthy" even then', async () => {
    const closing = new AbortController();
    let works = false;
    const house = {
      check: async () => {
        if (!works) throw new EngineFault('the disk is away');
      },
    } as unknown as House;
    const metrics = new Metrics(quietHouse());
    const door = new HealthDoor({
      bodies: null,
      house,
      metrics,
      closing: closing.signal,
      clock: { skew: 0 },
    });
    await expect(door.answer(READYZ)).rejects.toThrow(EngineFault);
    expect(door.fault().status).toBe(503);
    works = true;
    expect((await door.answer(READYZ)).status).toBe(200);
    closing.abort();
    expect((await door.answer(READYZ)).status).toBe(503);
    expect((await door.answer({ ...READYZ, path: '/healthz' })).status).toBe(200);
  });

  it('is looked at once for many who ask at a time', async () => {
    let looks = 0;
    let done: () => void = () => undefined;
    const house = {
      check: () => {
        looks += 1;
        return new Promise<void>((resolve) => void (done = resolve));
      },
    } as unknown as House;
    const metrics = new Metrics(quietHouse());
    const door = new HealthDoor({
      bodies: null,
      house,
      metrics,
      closing: new AbortController().signal,
      clock: { skew: 0 },
    });
    const many = Array.from({ length: 50 }, () => door.answer(READYZ));
    done();
    expect((await Promise.all(many)).every(({ status }) => status === 200)).toBe(true);
    expect(looks).toBe(1);
    const again = door.answer(READYZ);
    done();
    await again;
    expect(looks).toBe(2);
  });
});

describe('the metrics', () => {
  it('need a credential that is valid', async () => {
    await using house = await TestHouse.open();
    const outputs = await house.credential('outputs', [{ role: 'outputs', pattern: 'acme/*' }]);
    const expired = await house.credential('late', [{ role: 'admin', pattern: '*' }], Date.now() + 50);
    await new Promise((resolve) => void setTimeout(resolve, 100));
    expect((await house.ask('GET', '/metrics', { as: null })).status).toBe(401);
    expect((await house.ask('GET', '/metrics', { as: expired })).status).toBe(401);
    const answer = await house.ask('GET', '/metrics', { as: outputs });
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
  });

  it('count requests and what came of them, and say how many are parked', async () => {
    await using house = await TestHouse.open();
    const target = '/http/acme/a';
    await house.ask('POST', target, { body: sampleState(2) });
    await house.ask('POST', target, { body: sampleState(2) });
    await house.ask('POST', target, { body: sampleState(1) });
    await house.ask('GET', target);
    await house.ask('GET', '/http/acme/none');
    await house.ask('LOCK', target, { body: sampleLock('one') });
    const second = house.ask('LOCK', `${target}?wait=1m`, { body: sampleLock('two') });
    await expect.poll(() => house.house.parked).toBe(1);
    const during = await house.ask('GET', '/metrics');
    expect(during.text).toContain('\nstatehouse_parked_requests 1\n');
    await house.ask('UNLOCK', target, { body: sampleLock('one') });
    await second;
    const { text } = await house.ask('GET', '/metrics');
    const counted = (line: string): void => expect(text).toContain(`\nstatehouse_${line}\n`);
    const requests = 'request_duration_seconds_count';
    counted(`${requests}{door="http",operation="write",status="200"} 2`);
    counted(`${requests}{door="http",operation="write",status="409"} 1`);
    counted(`${requests}{door="http",operation="read",status="404"} 1`);
    counted(`${requests}{door="http",operation="lock",status="200"} 2`);
    counted('outcomes_total{command="write",outcome="stored"} 2');
    counted('outcomes_total{command="write",outcome="stale"} 1');
    counted('outcomes_total{command="lock",outcome="held"} 1');
    counted('lock_handovers_total 1');
    counted('parked_requests 0');
  });

  it('tell how many locks are held, for how long, and which writes were refused', async () => {
    await using house = await TestHouse.open();
    await house.ask('LOCK', '/http/acme/net', { body: sampleLock('first') });
    await house.ask('LOCK', '/http/acme/net', { body: sampleLock('second') });
    await house.ask('POST', '/http/acme/net', { body: sampleState(1) });
    const { text } = await house.ask('GET', '/metrics');
    expect(text).toContain('statehouse_locks{what="held"} 1');
    expect(text).toContain('statehouse_locks{what="parked"} 0');
    expect(text).toMatch(/^statehouse_lock_oldest_age_seconds [\d.]+$/m);
    expect(text).toContain('statehouse_writes_rejected_total{reason="held"} 1');
  });

  it('tell how much is kept, when it was last backed up, and how long locks were free in vain', async () => {
    await using house = await TestHouse.open();
    await house.ask('POST', '/http/acme/a', { body: sampleState(1) });
    await house.ask('POST', '/http/acme/a', { body: sampleState(2) });
    await house.house.backups.taken();
    const { text } = await house.ask('GET', '/metrics');
    expect(text).toContain('\nstatehouse_states 1\n');
    expect(text).toContain('\nstatehouse_versions 2\n');
    expect(text).toMatch(/^statehouse_stored_bytes [1-9]\d*$/m);
    const at = Number(/^statehouse_last_backup_timestamp_seconds ([\d.]+)$/m.exec(text)?.[1]);
    expect(Math.abs(at - Date.now() / 1_000)).toBeLessThan(60);
    expect(text).toMatch(/^statehouse_lock_idle_while_waited_seconds \d/m);
    expect(text).toMatch(/^statehouse_node_lag_seconds \d/m);
  });

  it('are all explained to the operator', async () => {
    // All of them, those of a server with a certificate, too.
    const metrics = new Metrics(quietHouse(), { ends: 0 });
    const away = (): Promise<never> => Promise.reject(new Error('the engine is away'));
    metrics.measureRuns({ figures: away, drift: { findings: { drifted: away } } });
    const { body: text } = await metrics.text();
    const names = [...text.matchAll(/^# HELP (statehouse_\w+)/gm)].map(([, name = '']) => name);
    const page = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    const explained = [...page.matchAll(/^\| `(statehouse_\w+)` \|/gm)].map(([, name = '']) => name);
    expect(explained.sort()).toEqual(names.sort());
  });

  it('have no label that a client wrote', async () => {
    await using house = await TestHouse.open();
    const word = 'leaked-by-a-client';
    const aws =
      'AWS4-HMAC-SHA256 Credential=X/20260101/eu/dynamodb/aws4_request, SignedHeaders=host, Signature=0';
    for (const target of [
      `/${word}`,
      `/http/acme/${word}`,
      `/http/${word}`,
      `/api/${word}`,
      `/api/v1/state?address=acme/${word}`,
      `/api/v1/credentials/${word}`,
      `/api/v1/states?${word}=1`,
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND']) await house.ask(method, target);
    }
    const headers = { authorization: aws, 'x-amz-target': `DynamoDB_20120810.${word}` };
    await house.ask('POST', `/${word}`, { as: null, headers, body: '{}' });
    const { text } = await house.ask('GET', '/metrics');
    expect(text).not.toContain(word);
    expect(text).toContain('door="none",operation="unknown",status="404"');
    const labels = [...text.matchAll(/^statehouse_request_duration_seconds_count\{(.*)\}/gm)];
    expect(labels.length).toBeGreaterThan(5);
    for (const [, label] of labels) {
      expect(label).toMatch(/^door="[a-z0-9]+",operation="[A-Za-z-]+",status="\d{3}"$/);
    }
  });
});
