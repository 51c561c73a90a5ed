import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import type { WebhookRequest } from '../../src/ports/webhook-post.ts';
import type { WebhookWanted } from '../../src/house/webhooks/webhooks.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, settled } from './fixtures/built-house.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ADMIN = callerOf('root', 'admin');
const ALICE = callerOf('alice');
const WANTED: WebhookWanted = {
  name: 'pager',
  url: 'https://example.com/hook?token=t0psecret',
  secret: 'a-secret-of-sixteen',
  events: ['lock-stuck', 'lock-broken', 'write-refused', 'credential-expiring', 'backup-old'],
  pattern: '*',
  format: 'json',
};

/** A receiver that answers as it is told, and what it was sent. */
class Receiver {
  readonly got: WebhookRequest[] = [];
  status = 200;
  readonly post = async (request: WebhookRequest): Promise<number> => {
    this.got.push(request);
    return this.status;
  };

  events(): string[] {
    return this.got.map(({ headers }) => headers['statehouse-event'] ?? '');
  }
}

function ask({ house }: BuiltHouse, lockId: string): Promise<LockAnswer> {
  return house.locks.lock(ALICE, ADDRESS, {
    lockId,
    operation: 'OperationTypeApply',
    info: Buffer.from('{"Info":"s3cret reason"}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
}

async function opened(
  engine: (typeof ENGINES)[number],
  wanted: Partial<WebhookWanted> = {},
): Promise<{ built: BuiltHouse; receiver: Receiver }> {
  const receiver = new Receiver();
  const built = await BuiltHouse.build(engine, { postWebhook: receiver.post });
  expect((await built.house.webhooks.set(ADMIN, { ...WANTED, ...wanted })).type).toBe('set');
  return { built, receiver };
}

describe.each(ENGINES)('webhooks on %s', (engine) => {
  it('tell once of a lock that is held much longer than usual, and again when it still is after a week', async () => {
    const { built, receiver } = await opened(engine);
    await using closed = built;
    await ask(closed, 'a');
    built.clock.advance(HOUR / 4);
    await built.house.webhooks.look();
    await settled();
    expect(receiver.events()).toEqual([]);
    built.clock.advance(HOUR / 2);
    for (let looks = 0; looks < 3; looks += 1) await built.house.webhooks.look();
    await settled();
    expect(receiver.events()).toEqual(['lock-stuck']);
    const [{ body }] = receiver.got as [WebhookRequest];
    expect(JSON.parse(body)).toMatchObject({
      event: 'lock-stuck',
      address: 'acme/net/terraform.tfstate',
      facts: { subject: 'token:alice', operation: 'apply', heldForSeconds: 2_700 },
    });
    expect(body).not.toContain('s3cret');
    await built.house.backups.taken();
    built.clock.advance(7 * DAY);
    for (let looks = 0; looks < 3; looks += 1) await built.house.webhooks.look();
    await settled();
    expect(receiver.events().filter((event) => event === 'lock-stuck')).toHaveLength(2);
  });

  it('tell of a lock that is broken and of a write that is refused, however often it is sent', async () => {
    const { built, receiver } = await opened(engine);
    await using closed = built;
    await built.write(ALICE, sampleState(2));
    for (let tries = 0; tries < 5; tries += 1) await closed.write(ALICE, sampleState(1));
    await ask(built, 'a');
    await built.house.locks.unlock(callerOf('oscar', 'operator'), ADDRESS, { lockId: 'a', alias: null });
    await settled();
    await built.house.webhooks.look();
    await settled();
    expect(receiver.events().toSorted()).toEqual(['lock-broken', 'write-refused']);
    const bodies = receiver.got.map(({ body }) => body).join('\n');
    expect(bodies).toContain('token:oscar broke the lock of acme/net/terraform.tfstate');
    expect(bodies).toContain('"reason":"stale"');
  });

  it('tell of a credential that ends and of a backup that is not taken', async () => {
    const { built, receiver } = await opened(engine);
    await using closed = built;
    const now = built.clock.now();
    const grants = [{ role: 'writer', pattern: 'acme/*' }] as const;
    await built.house.credentials.create(ADMIN, { name: 'ci', grants, expiresAt: now + 30 * DAY });
    await built.house.credentials.create(ADMIN, { name: 'job', grants, expiresAt: now + 24 * DAY + HOUR });
    await built.house.credentials.create(ADMIN, { name: 'short', grants, expiresAt: now + 5 * DAY });
    built.clock.advance(4 * DAY);
    await built.house.webhooks.look();
    await settled();
    expect(receiver.events()).toEqual([]);
    built.clock.advance(20 * DAY);
    for (let looks = 0; looks < 3; looks += 1) await closed.house.webhooks.look();
    await settled();
    expect(receiver.events().toSorted()).toEqual([
      'backup-old',
      'credential-expiring',
      'credential-expiring',
    ]);
  });

  it('are signed over the time and the body, with no secret in the body, in a list or in the database', async () => {
    const { built, receiver } = await opened(engine);
    await using closed = built;
    expect(await built.house.webhooks.test(ADMIN, 'pager')).toMatchObject({ ok: true, status: 200 });
    const [{ headers, body, url }] = receiver.got as [WebhookRequest];
    expect(url).toBe(WANTED.url);
    const [, time = '', signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['statehouse-signature']!)!;
    expect(Number(time)).toBe(Math.floor(built.clock.now() / 1_000));
    const expected = createHmac('sha256', WANTED.secret!).update(`${time}.${body}`).digest('hex');
    expect(signature).toBe(expected);
    const shown = JSON.stringify([
      body,
      await built.house.webhooks.list(ADMIN),
      await built.engine.entries(null),
      await closed.engine.audit({ limit: 100 }),
    ]);
    for (const secret of [WANTED.secret!, 't0psecret']) expect(shown).not.toContain(secret);
  });

  it('are tried again with pauses that grow, in their order, and given up after a day', async () => {
    const { built, receiver } = await opened(engine, { events: ['lock-stuck'] });
    await using closed = built;
    receiver.status = 500;
    await ask(built, 'a');
    built.clock.advance(HOUR);
    await built.house.webhooks.look();
    await settled();
    built.clock.advance(4_000);
    await built.house.webhooks.look();
    await settled();
    expect(receiver.got).toHaveLength(1);
    for (let hours = 0; hours < 60; hours += 1) {
      built.clock.advance(HOUR);
      await closed.house.webhooks.look();
      await settled();
    }
    expect(receiver.got).toHaveLength(11);
    expect(new Set(receiver.got.map(({ headers }) => headers['statehouse-delivery'])).size).toBe(1);
    expect(built.house.webhooks.counts).toEqual({ sent: 0, failed: 11, givenUp: 1, dropped: 0 });
    expect(built.errors.join('\n')).toContain('is given up');
    expect(built.errors.join('\n')).not.toContain('t0psecret');
  });

  it('tell of what their pattern covers, and of the server only where that is everything', async () => {
    const { built, receiver } = await opened(engine, { pattern: 'acme/app/*' });
    await using closed = built;
    await ask(built, 'a');
    built.clock.advance(8 * DAY);
    await closed.house.webhooks.look();
    await settled();
    expect(receiver.events()).toEqual([]);
  });

  it('are for admins of the server alone, at addresses that can be asked', async () => {
    const { built } = await opened(engine);
    await using closed = built;
    const { webhooks } = closed.house;
    const projectAdmin = {
      ...ADMIN,
      identity: { subject: 'token:p', grants: [{ role: 'admin' as const, pattern: 'acme/*' }] },
    };
    for (const who of [ALICE, projectAdmin]) {
      expect((await webhooks.set(who, WANTED)).type).toBe('forbidden');
      expect((await webhooks.list(who)).type).toBe('forbidden');
      expect((await webhooks.test(who, 'pager')).type).toBe('forbidden');
      expect((await webhooks.remove(who, 'pager')).type).toBe('forbidden');
    }
    for (const url of [
      'ftp://example.com',
      'example.com',
      'https://user:pass@example.com',
      'http://169.254.169.254/latest/meta-data',
      'http://[fe80::1]/',
      'http://[::ffff:169.254.169.254]/',
      'http://0xa9fea9fe/',
      `https://example.com/${'x'.repeat(2_000)}`,
    ]) {
      const answer = await webhooks.set(ADMIN, { ...WANTED, url });
      expect(answer.type, url).toBe('invalid');
      expect(JSON.stringify(answer)).not.toContain('pass@');
    }
    expect((await webhooks.set(ADMIN, { ...WANTED, secret: 'short' })).type).toBe('invalid');
    expect((await webhooks.set(ADMIN, { ...WANTED, name: 'Not A Name' })).type).toBe('invalid');
    expect(await webhooks.remove(ADMIN, 'pager')).toEqual({ type: 'removed' });
    expect(await webhooks.remove(ADMIN, 'pager')).toEqual({ type: 'absent' });
  });

  it('leave a crowd of refusals one share of the room, and a name in a message calls nobody in a chat', async () => {
    const { built, receiver } = await opened(engine, { format: 'slack' });
    await using closed = built;
    receiver.status = 500;
    for (let at = 0; at < 80; at += 1) {
      const address = { ...ADDRESS, key: `<!channel>/${at}` };
      const write = (serial: number) =>
        built.house.states.write(ALICE, address, bytesOf(sampleState(serial)), {
          claim: { kind: 'none' },
          contentLength: null,
        });
      await write(2);
      await write(1);
    }
    await settled();
    const waiting = (await closed.engine.entries('webhook-delivery')).length;
    expect(waiting).toBe(50);
    expect(built.house.webhooks.counts.dropped).toBe(30);
    const { text } = JSON.parse(receiver.got[0]!.body) as { text: string };
    expect(text).toContain('&lt;!channel&gt;');
    expect(text).not.toContain('<');
  });
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
