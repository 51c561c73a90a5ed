import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-webhooks-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(
  { url }: TestHouse,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const env = { STATEHOUSE_SERVER: url, STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
  return runStatehouse(words, { env, cwd: directory });
}

describe('a webhook with a real receiver', () => {
  it('is added, listed, tested and removed by the command line, and what arrives can be verified', async () => {
    await using receiver = await WebhookReceiver.start();
    await using house = await TestHouse.open();
    const file = join(directory, 'url');
    await writeFile(file, `${receiver.url}/hook-t0psecret\n`, { mode: 0o600 });
    const added = await run(house, 'webhook', 'add', 'pager', '--url-file', file, '--json');
    expect(added).toMatchObject({ code: 0, err: '' });
    const { secret } = JSON.parse(added.out) as { secret: string };
    const listed = await run(house, 'webhook', 'list');
    expect(listed.out).toContain(new URL(receiver.url).host);
    expect(listed.out).not.toMatch(/t0psecret/);
    expect(await run(house, 'webhook', 'test', 'pager')).toMatchObject({
      code: 0,
      out: 'pager took the message: it answered 200.\n',
    });
    const [{ path, headers, body }] = receiver.got as [(typeof receiver.got)[number]];
    expect(path).toBe('/hook-t0psecret');
    const [, time, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['statehouse-signature']))!;
    expect(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')).toBe(signature);
    receiver.status = 500;
    const failed = await run(house, 'webhook', 'test', 'pager');
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('answered 500')]);
    expect((await run(house, 'webhook', 'remove', 'pager')).out).toBe('pager is removed.\n');
    expect((await run(house, 'webhook', 'test', 'pager')).code).toBe(1);
    expect((await run(house, 'webhook', 'list')).out).toBe('No webhooks yet.\n');
    expect((await run(house, 'webhook', 'add', 'p', 'https://a.b', '--event', 'lock')).code).toBe(2);
  });

  it('is told at once of a lock that is broken and of a write that is refused', async () => {
    await using receiver = await WebhookReceiver.start();
    await using house = await TestHouse.open();
    await run(house, 'webhook', 'add', 'pager', receiver.url);
    const as = await house.credential('alice', [{ role: 'writer', pattern: 'acme/*' }]);
    await house.ask('LOCK', '/http/acme/net', { body: sampleLock('one'), as });
    await house.ask('POST', '/http/acme/net', { body: sampleState(1) });
    await eventually('the refusal is told', () => receiver.got.length === 1);
    await run(house, 'force-unlock', 'acme/net', '--yes');
    await eventually('the break-in is told', () => receiver.got.length === 2);
    expect(receiver.got.map(({ headers }) => headers['statehouse-event'])).toEqual([
      'write-refused',
      'lock-broken',
    ]);
    expect(receiver.got.map(({ body }) => body).join('')).not.toContain('"resources"');
  });

  it('is not followed where it redirects, and never read beyond its status', async () => {
    await using elsewhere = await WebhookReceiver.start();
    await using receiver = await WebhookReceiver.start();
    await using house = await TestHouse.open();
    receiver.status = 307;
    receiver.location = `${elsewhere.url}/inside`;
    await run(house, 'webhook', 'add', 'pager', receiver.url);
    const { code, out } = await run(house, 'webhook', 'test', 'pager');
    expect([code, out]).toEqual([1, 'pager did not take the message: the receiver answered 307.\n']);
    expect(elsewhere.got).toEqual([]);
  });

  it('is told after a restart what could not be sent before', async () => {
    await using receiver = await WebhookReceiver.start();
    receiver.status = 503;
    const store = { kind: 'directory', path: join(directory, 'data') } as const;
    await using first = await TestHouse.open({ store });
    await run(first, 'webhook', 'add', 'pager', receiver.url, '--event', 'write-refused');
    await first.ask('POST', '/http/acme/net', { body: sampleState(2) });
    await first.ask('POST', '/http/acme/net', { body: sampleState(1) });
    await eventually('it was tried', () => first.house.webhooks.counts.failed === 1);
    await first.close();
    receiver.status = 204;
    await using second = await TestHouse.open({ store });
    await eventually('it arrives', () => second.house.webhooks.counts.sent === 1, 30_000);
    expect(receiver.got).toHaveLength(2);
    const [before, after] = receiver.got.map(({ headers }) => headers['statehouse-delivery']);
    expect(after).toBe(before);
  }, 60_000);
});
