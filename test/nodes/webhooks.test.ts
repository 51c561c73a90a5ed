import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)('webhooks of three nodes (skipped unless postgres is on PATH)', () => {
  let nodes: ThreeHouses;
  let houses: readonly [TestHouse, TestHouse, TestHouse];
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    nodes = await ThreeHouses.open(programs!, {
      alarms: { stuckFactor: 1, stuckFloor: 0, backupMaxAge: 0 },
    });
    houses = nodes.houses as typeof houses;
    receiver = await WebhookReceiver.start();
    await houses[0].house.webhooks.set(ADMIN_CALLER, {
      name: 'pager',
      url: receiver.url,
      secret: null,
      events: ['lock-stuck', 'write-refused'],
      pattern: '*',
      format: 'json',
    });
  });
  afterAll(async () => {
    await receiver[Symbol.asyncDispose]();
    await nodes[Symbol.asyncDispose]();
  });

  it('send each event once, whichever nodes see it', async () => {
    const [a, b, c] = houses;
    for (const node of [b, c])
      await eventually('the webhook is known', async () => {
        const answer = await node.house.webhooks.list(ADMIN_CALLER);
        return answer.type === 'webhooks' && answer.webhooks.length === 1;
      });
    await a.ask('LOCK', '/http/acme/stuck', { body: sampleLock('one') });
    await a.ask('POST', '/http/acme/net', { body: sampleState(2) });
    await Promise.all(houses.map((node) => node.ask('POST', '/http/acme/net', { body: sampleState(1) })));
    await eventually('the refusal is told', () => receiver.got.length > 0);
    for (let looks = 0; looks < 3; looks += 1)
      await Promise.all(houses.map(({ house }) => house.webhooks.look()));
    await new Promise((resolve) => void setTimeout(resolve, 500));
    const told = receiver.got.map(({ headers }) => headers['statehouse-event']).toSorted();
    expect(told).toEqual(['lock-stuck', 'write-refused']);
  });

  it('are sent by another node where the one that saw the event could not', async () => {
    const [a, b, c] = houses;
    receiver.got.length = 0;
    receiver.status = 500;
    await a.ask('POST', '/http/acme/other', { body: sampleState(2) });
    await a.ask('POST', '/http/acme/other', { body: sampleState(1) });
    await eventually('it was tried', () => receiver.got.length === 1);
    await eventually('the failure is kept', () => a.house.webhooks.counts.failed === 1);
    receiver.status = 200;
    await a.close();
    await eventually(
      'another node sends it',
      () => b.house.webhooks.counts.sent + c.house.webhooks.counts.sent > 0 && receiver.got.length === 2,
      30_000,
    );
  }, 60_000);
});
