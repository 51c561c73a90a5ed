import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import { api, dataOf, errorOf, listOf, one, type Resource } from '../protocols/hcp/hcp-client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import type { Pair } from '../support/test-admin.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const ALL = [
  'run:created',
  'run:planning',
  'run:needs_attention',
  'run:applying',
  'run:completed',
  'run:errored',
];
const TOKEN = 'a token that nobody is told';

describe('notifications', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let receiver: WebhookReceiver;
  let address: Address;
  let list: string;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, slots: 4 });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    count += 1;
    address = { project: 'notified', key: `net${count}`, workspace: 'default' };
    list = `workspaces/${workspaceId(address)}/notification-configurations`;
    const made = await api(
      house.house,
      'POST',
      'organizations/notified/workspaces',
      one({ name: address.key }),
    );
    expect(made.status, made.text).toBe(201);
    receiver = await WebhookReceiver.start();
    return () => receiver[Symbol.asyncDispose]();
  });

  const wanted = (more: object = {}): object =>
    one({
      name: 'team',
      enabled: true,
      'destination-type': 'generic',
      url: receiver.url,
      triggers: ALL,
      token: TOKEN,
      ...more,
    });
  const make = async (more: object = {}): Promise<Resource> => {
    const made = await api(house.house, 'POST', list, wanted(more));
    expect(made.status, made.text).toBe(201);
    return dataOf(made);
  };
  const triggers = (): unknown[] =>
    receiver.got.map(({ body }) => {
      const { notifications } = JSON.parse(body) as { notifications: readonly { trigger: string }[] };
      return notifications[0]?.trigger;
    });

  it('tell of a run as HCP does, signed with the token, from its making to its end', async () => {
    const { id } = await make();
    expect(JSON.parse(receiver.got[0]?.body ?? '')).toEqual({
      payload_version: 1,
      notification_configuration_id: id,
      run_url: null,
      run_id: null,
      run_message: null,
      run_created_at: null,
      run_created_by: null,
      workspace_id: null,
      workspace_name: null,
      organization_name: null,
      notifications: [
        {
          message: 'Verification of team',
          trigger: 'verification',
          run_status: null,
          run_updated_at: null,
          run_updated_by: null,
        },
      ],
    });
    const configuration = await house.configuration(await slugOf({ 'main.tf': '' }), { address });
    const run = await house.run(configuration, { message: 'for the <b>team</b>' });
    await house.until(run.id, 'planned');
    await eventually('the question is told', () => triggers().includes('run:needs_attention'));
    await house.runs.act(ADMIN_CALLER, run.id, 'confirm');
    await house.until(run.id, 'applied');
    await eventually('the end is told', () => triggers().includes('run:completed'));
    expect(triggers()).toEqual(['verification', ...ALL.slice(0, 5)]);
    const last = receiver.got.at(-1);
    expect(JSON.parse(last?.body ?? '')).toMatchObject({
      payload_version: 1,
      notification_configuration_id: id,
      run_id: run.id,
      run_url: `${house.house.url}/app/notified/${address.key}/runs/${run.id}`,
      run_message: 'for the <b>team</b>',
      run_created_by: expect.stringMatching(/\w/),
      workspace_id: workspaceId(address),
      workspace_name: address.key,
      organization_name: 'notified',
      notifications: [{ message: 'Run Applied', trigger: 'run:completed', run_status: 'applied' }],
    });
    for (const { headers, body } of receiver.got)
      expect(headers['x-tfe-notification-signature']).toBe(
        createHmac('sha512', TOKEN).update(body).digest('hex'),
      );
    expect((await fetch(`${house.house.url}/app/notified/${address.key}/runs/${run.id}`)).status).toBe(200);
  });

  it('tell of what they are to tell alone: of no plan that nothing comes of, of no other workspace, of nothing while disabled', async () => {
    await make({ triggers: ['run:errored'] });
    const off = await make({ enabled: false });
    expect(receiver.got).toHaveLength(1);
    const slug = await slugOf({ 'main.tf': '', 'plan.sh': 'exit 1' });
    const plan = await house.run(await house.configuration(slug, { address, speculative: true }));
    await house.until(plan.id, 'errored');
    const other = { ...address, key: 'other' };
    const elsewhere = await house.run(await house.configuration(slug, { address: other }));
    await house.until(elsewhere.id, 'errored');
    const run = await house.run(await house.configuration(slug, { address }));
    await house.until(run.id, 'errored');
    await eventually('the failure is told', () => receiver.got.length >= 2);
    expect(JSON.parse(receiver.got[1]?.body ?? '')).toMatchObject({ run_id: run.id });
    expect(receiver.got).toHaveLength(2);
    expect(
      dataOf(await api(house.house, 'GET', `notification-configurations/${off.id}`)).attributes,
    ).toMatchObject({
      enabled: false,
      'delivery-responses': [],
    });
  });

  it('are written as chats take them, whatever a run is called', async () => {
    await make({
      'destination-type': 'slack',
      name: 'slack',
      triggers: ['run:created'],
      url: `${receiver.url}/slack`,
    });
    await make({
      'destination-type': 'microsoft-teams',
      triggers: ['run:created'],
      url: `${receiver.url}/teams`,
    });
    const configuration = await house.configuration(await slugOf({ 'main.tf': '' }), { address });
    const { id } = await house.run(configuration, { message: '<!channel> [free](http://evil.example)' });
    await eventually('both are told', () => receiver.got.length === 4);
    const told = (path: string): string => receiver.got.findLast((one) => one.path === path)?.body ?? '';
    expect(JSON.parse(told('/slack'))).toEqual({
      text: expect.stringMatching(/Run Pending by .* \(&lt;!channel&gt; .*\) <http:.*\|View the run>$/),
    });
    const card = JSON.parse(told('/teams')) as { attachments: readonly { content: object }[] };
    expect(card.attachments[0]?.content).toMatchObject({
      type: 'AdaptiveCard',
      body: [{ type: 'RichTextBlock', inlines: [{ text: expect.stringMatching(/<!channel>/) }] }],
      actions: [{ type: 'Action.OpenUrl', url: expect.stringMatching(new RegExp(`/runs/${id}$`)) }],
    });
    await house.runs.act(ADMIN_CALLER, id, 'cancel');
  });

  it('are listed, changed, tried and removed by admins of the workspace alone, and nobody is told the token', async () => {
    const made = await make({ enabled: false });
    const path = `notification-configurations/${made.id}`;
    const writer = await house.house.credential('writer', [{ role: 'operator', pattern: 'notified/*' }]);
    const neighbour = await house.house.credential('neighbour', [{ role: 'admin', pattern: 'another/*' }]);
    const asking = (as: Pair): Promise<readonly number[]> =>
      Promise.all(
        (
          [
            ['GET', list],
            ['POST', list, wanted()],
            ['GET', path],
            ['PATCH', path, one({ enabled: true })],
            ['POST', `${path}/actions/verify`],
            ['DELETE', path],
          ] as const
        ).map(async ([method, at, body]) => (await api(house.house, method, at, body, { as })).status),
      );
    for (const as of [writer, neighbour]) expect(await asking(as)).toEqual([403, 403, 403, 403, 403, 403]);
    expect(receiver.got).toEqual([]);
    const renamed = await api(house.house, 'PATCH', path, one({ name: 'others', triggers: ['run:created'] }));
    expect(dataOf(renamed).attributes).toMatchObject({ name: 'others', url: receiver.url, token: null });
    receiver.status = 500;
    const refused = await api(house.house, 'PATCH', path, one({ enabled: true }));
    expect([refused.status, errorOf(refused).detail]).toEqual([
      422,
      'the URL could not be verified: the receiver answered 500',
    ]);
    const tried = dataOf(await api(house.house, 'POST', `${path}/actions/verify`));
    expect(tried.attributes['delivery-responses']).toMatchObject([{ code: '500', successful: 'false' }]);
    receiver.status = 204;
    expect((await api(house.house, 'PATCH', path, one({ enabled: true }))).status).toBe(200);
    const all = await api(house.house, 'GET', list);
    expect(listOf(all)).toMatchObject([{ id: made.id, attributes: { enabled: true, token: null } }]);
    expect(all.text).not.toContain(TOKEN);
    expect((await api(house.house, 'DELETE', path)).status).toBe(204);
    expect((await api(house.house, 'GET', path)).status).toBe(404);
    expect(listOf(await api(house.house, 'GET', list))).toEqual([]);
  });

  it('reach nothing inside the network for an admin of the project, however it is named', async () => {
    const as = await house.house.credential('project', [{ role: 'admin', pattern: 'notified/*' }]);
    const { port } = new URL(receiver.url);
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::ffff:127.0.0.1]',
      '2130706433',
      '0.0.0.0',
      '10.0.0.1',
      '[::1]',
      '[fd00::1]',
    ]) {
      const made = await api(house.house, 'POST', list, wanted({ url: `http://${host}:${port}` }), { as });
      expect([host, made.status, errorOf(made).detail]).toEqual([
        host,
        422,
        'the URL could not be verified: there was no answer (not a public address)',
      ]);
    }
    for (const url of ['http://169.254.169.254/', 'file:///etc/passwd', 'http://a:b@example.com/'])
      expect((await api(house.house, 'POST', list, wanted({ url, enabled: false }), { as })).status).toBe(
        422,
      );
    // One that an admin of the server has named is left to them, and goes where they said alone.
    const { id } = await make({ triggers: ['run:created'] });
    const path = `notification-configurations/${id}`;
    expect((await api(house.house, 'PATCH', path, one({ name: 'theirs' }), { as })).status).toBe(200);
    const moved = await api(house.house, 'PATCH', path, one({ url: `${receiver.url}/else` }), { as });
    expect(moved.status).toBe(422);
    expect(receiver.got.map(({ path: at }) => at)).toEqual(['/']);
  });

  it('are as many as HCP allows, and gone with their workspace', async () => {
    for (let at = 0; at < 20; at += 1) await make({ enabled: false, name: `n${at}` });
    const full = await api(house.house, 'POST', list, wanted({ enabled: false }));
    expect([full.status, errorOf(full).detail]).toEqual([
      422,
      'the workspace has 20 notifications already: remove one',
    ]);
    for (const bad of [
      { triggers: ['run:eaten'] },
      { 'destination-type': 'email' },
      { name: '' },
      { url: 7 },
    ])
      expect((await api(house.house, 'POST', list, wanted(bad))).status, JSON.stringify(bad)).toBe(422);
    expect((await api(house.house, 'DELETE', `workspaces/${workspaceId(address)}`)).status).toBe(204);
    await house.runs.notifications.prune();
    const again = await api(
      house.house,
      'POST',
      'organizations/notified/workspaces',
      one({ name: address.key }),
    );
    expect(again.status).toBe(201);
    expect(listOf(await api(house.house, 'GET', list))).toEqual([]);
  });
});
