import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { basic } from '../../support/request.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';

const LIMIT = 256 * 1024;
const KEPT = sampleState(7, { said: 'kept' });

describe('a state that is sent to the http door and cannot be kept', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open({ stateBytesMax: LIMIT });
  });

  afterAll(async () => {
    await house.close();
  });

  /** An address that has a state already. */
  async function occupied(): Promise<string> {
    count += 1;
    const target = `/http/acme/bad-${count}`;
    expect((await house.ask('POST', target, { body: KEPT })).status).toBe(200);
    return target;
  }

  async function stillKept(target: string): Promise<void> {
    expect((await house.ask('GET', target)).text).toBe(KEPT);
    const [, , project = '', key = ''] = target.split('/');
    const address = { project, key, workspace: 'default' };
    const answer = await house.house.history.versions(ADMIN_CALLER, address, { limit: 9 });
    expect(answer.type === 'versions' && answer.versions.length).toBe(1);
    expect((await house.ask('GET', '/readyz')).status).toBe(200);
  }

  const words: readonly (readonly [string, string, RegExp])[] = [
    ['is no JSON', 'hello', /JSON|object/i],
    ['is empty', '', /empty|state/i],
    ['is JSON and no object', '[1,2,3]', /object/i],
    ['is JSON and no state', '{"hello":"world"}', /state|version/i],
    ['is of format version 3', sampleState(8).replace('"version": 4', '"version": 3'), /version/i],
    ['has no serial', sampleState(8).replace('"serial": 8,', ''), /serial/i],
    [
      'has a serial that is no whole number',
      sampleState(8).replace('"serial": 8', '"serial": 8.5'),
      /serial/i,
    ],
    ['has a serial beyond 64 bits', sampleState(2n ** 64n), /serial/i],
    ['has a lineage that is no text', sampleState(8).replace('"lineage-1"', '7'), /lineage/i],
    ['has a lineage that is an object', sampleState(8).replace('"lineage-1"', '{}'), /lineage/i],
    ['has a lineage that is longer than any', sampleState(8, { lineage: 'l'.repeat(600) }), /lineage/i],
    ['ends in the middle', sampleState(8).slice(0, -20), /end|truncat|cut|closed/i],
    ['goes on after its end', `${sampleState(8)}{}`, /after|follow/i],
    ['is nested without end', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, /nest|deep/i],
  ];

  it.each(words)('because it %s, is answered 422', async (_what, body, says) => {
    const target = await occupied();
    const answer = await house.ask('POST', target, { body });
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.text)).toMatchObject({
      error: 'not-a-state',
      message: expect.stringMatching(says) as string,
    });
    await stillKept(target);
  });

  it('because its Content-MD5 is another, is answered 400', async () => {
    const target = await occupied();
    const md5 = createHash('md5').update('something else').digest('base64');
    const answer = await house.ask('POST', target, { body: sampleState(8), headers: { 'content-md5': md5 } });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('Content-MD5');
    await stillKept(target);
    const right = createHash('md5').update(sampleState(8)).digest('base64');
    const good = await house.ask('POST', target, { body: sampleState(8), headers: { 'content-md5': right } });
    expect(good.status).toBe(200);
  });

  it('because it breaks off before its Content-Length, is not kept', async () => {
    const target = await occupied();
    const body = sampleState(8);
    await using connection = await RawConnection.open(house.url);
    connection.send(`${head('POST', target, { 'content-length': String(body.length + 50) })}${body}`);
    connection.finish();
    await eventually('the connection is closed', () => connection.closed);
    expect(connection.heard).not.toContain('200 OK');
    await stillKept(target);
  });

  it('because its sender vanishes in the middle, is not kept', async () => {
    const target = await occupied();
    const body = sampleState(8, { size: 100_000 });
    const connection = await RawConnection.open(house.url);
    connection.send(
      `${head('POST', target, { 'content-length': String(body.length) })}${body.slice(0, 60_000)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.drop();
    await stillKept(target);
  });

  it('because it is above the limit, is refused before it is read', async () => {
    const target = await occupied();
    await using connection = await RawConnection.open(house.url);
    connection.send(head('POST', target, { 'content-length': String(LIMIT + 1) }));
    await eventually('the refusal comes', () => connection.heard.includes('\r\n\r\n'));
    expect(connection.heard).toMatch(/^HTTP\/1\.1 413 /);
    expect(connection.heard).toContain(`"limit":${LIMIT}`);
    await stillKept(target);
  });

  it('because it turns out to be above the limit, is refused as soon as it is', async () => {
    const target = await occupied();
    await using connection = await RawConnection.open(house.url);
    connection.send(head('POST', target, { 'transfer-encoding': 'chunked' }));
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
    // Far more than the limit, and more than the sockets between us hold: it must be read away for the answer to be heard.
    for (let sent = 0; sent <= 64 * LIMIT && !connection.closed; sent += 0x8000) connection.send(chunk);
    await eventually('the refusal comes', () => connection.heard.includes('\r\n\r\n'));
    expect(connection.heard).toMatch(/^HTTP\/1\.1 413 /);
    await eventually('the sender is cut off', () => connection.closed);
    await stillKept(target);
  });

  it('is kept when it comes in chunks and is whole', async () => {
    const target = await occupied();
    await using connection = await RawConnection.open(house.url);
    connection.send(head('POST', target, { 'transfer-encoding': 'chunked' }));
    const body = sampleState(8);
    connection.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    await eventually('the answer comes', () => connection.heard.includes('\r\n\r\n'));
    expect(connection.heard).toMatch(/^HTTP\/1\.1 200 /);
    expect((await house.ask('GET', target)).text).toBe(body);
  });

  const stale: readonly (readonly [string, string, string])[] = [
    ['is of another lineage', sampleState(8, { lineage: 'lineage-2' }), 'lineage'],
    ['has a lower serial', sampleState(6), 'serial-lower'],
    ['has the same serial and other bytes', sampleState(7, { said: 'other' }), 'serial-equal'],
  ];

  it.each(stale)('because it %s, is answered 409 and told what to do', async (_what, body, reason) => {
    const target = await occupied();
    const answer = await house.ask('POST', target, { body });
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({
      reason,
      serial: '7',
      lineage: 'lineage-1',
      version: 1,
      message: expect.stringContaining('state push -force') as string,
    });
    await stillKept(target);
  });

  it('because somebody else holds the lock, is answered 423 with the holder', async () => {
    const target = await occupied();
    await house.ask('LOCK', target, { body: sampleLock('holder-1') });
    const unlocked = await house.ask('POST', target, { body: sampleState(8) });
    expect(unlocked.status).toBe(423);
    expect(JSON.parse(unlocked.text)).toMatchObject({ ID: 'holder-1', Who: 'alice@laptop' });
    const other = await house.ask('POST', `${target}?ID=another`, { body: sampleState(8) });
    expect([409, 423]).toContain(other.status);
    expect(JSON.parse(other.text)).toMatchObject({ ID: 'holder-1' });
    expect((await house.ask('DELETE', target)).status).toBe(423);
    await stillKept(target);
  });

  it('because it was made for another state, is answered 412', async () => {
    const target = await occupied();
    const { headers } = await house.ask('GET', target);
    const next = await house.ask('POST', target, {
      body: sampleState(8),
      headers: { 'if-match': headers.etag ?? '' },
    });
    expect(next.status).toBe(200);
    const late = await house.ask('POST', target, {
      body: sampleState(9),
      headers: { 'if-match': headers.etag ?? '' },
    });
    expect(late.status).toBe(412);
    const onlyNew = await house.ask('POST', target, {
      body: sampleState(9),
      headers: { 'if-none-match': '*' },
    });
    expect(onlyNew.status).toBe(412);
    expect((await house.ask('GET', target)).text).toBe(sampleState(8));
  });
});

function head(method: string, target: string, headers: Readonly<Record<string, string>>): string {
  const all = { host: 'house', authorization: basic(TEST_ADMIN), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}
