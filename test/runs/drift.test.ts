import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { DRIFT_SCHEDULES, type StoredSchedule } from '../../src/runs/drift/records.ts';
import type { Run } from '../../src/runs/run-book.ts';
import { callApi } from '../server/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const STATE = { version: 4, terraform_version: '1.11.4', lineage: 'l', outputs: {}, resources: [] };
const SECRET = 'correct-horse-battery-staple';

/** What `terraform show -json` says of a plan that only refreshes, with values. */
function planOf(drift: Readonly<Record<string, readonly string[]>>): string {
  const resource_drift = Object.entries(drift).map(([address, actions]) => ({
    address,
    mode: 'managed',
    change: { actions, before: { password: SECRET }, after: null },
  }));
  return JSON.stringify({ format_version: '1.2', resource_drift });
}

describe('drift', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let address: Address;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, slots: 8 });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    count += 1;
    address = { project: `app${count}`, key: 'net', workspace: 'default' };
    name = formatAddress(address);
  });

  const written = async (at: Address, serial = 1): Promise<void> => {
    const body = JSON.stringify({ ...STATE, serial });
    expect((await house.house.ask('POST', `/http/${at.project}/${at.key}`, { body })).status).toBe(200);
  };
  /** Applies what finds this drift whenever only refreshed. */
  const applied = async (drift: Parameters<typeof planOf>[0], at = address, plan = ''): Promise<Run> => {
    await written(at);
    const files = {
      'plan.sh': `case "$*" in *-refresh-only*) code=${Object.keys(drift).length === 0 ? 0 : 2};${plan} esac\n`,
      'show.json': planOf(drift),
    };
    const { id } = await house.run(await house.configuration(await slugOf(files), { address: at }), {
      autoApply: true,
    });
    return house.until(id, 'applied');
  };
  const shown = async (at = address): Promise<Record<string, unknown>> =>
    (await callApi(house.house, `GET /state/drift?address=${formatAddress(at)}`)).json as unknown as Record<
      string,
      unknown
    >;
  const checked = async (): Promise<Record<string, unknown>> => {
    const made = await callApi(house.house, `POST /state/drift-check?address=${name}`);
    expect(made.status, made.text).toBe(201);
    await house.until(String(made.json['id']), 'planned_and_finished', 'errored');
    return shown();
  };
  const scheduled = (schedule: string | null, at = address): ReturnType<typeof callApi> =>
    callApi(house.house, `POST /state/drift?address=${formatAddress(at)}`, { body: { schedule } });
  const schedules = () => house.house.house.records(DRIFT_SCHEDULES);
  const now = (): Promise<number> => house.house.house.now();
  /** Has it be due, as if its time had come. */
  const due = async (at = address): Promise<void> => {
    const dueAt = (await now()) - 1;
    await schedules().update(null, formatAddress(at), (before) => ({ ...(before as StoredSchedule), dueAt }));
  };
  const checksOf = async (at = address): Promise<readonly Run[]> => {
    const listed = await house.runs.list(ADMIN_CALLER, at, { from: 0, limit: 100 });
    return listed.type === 'runs' ? listed.runs.filter(({ cause }) => cause === 'drift-check') : [];
  };
  const look = (): Promise<void> => house.runs.drift.checks.look();
  const found = async (at = address): Promise<unknown> =>
    eventually('the check is over', async () => (await shown(at))['checkedAt'] !== null);

  it('is found by a check: which resources, how they changed, and none of their values', async () => {
    await applied({
      'local_file.a': ['delete'],
      'local_file.b["x"]': ['update'],
      'local_file.moved': ['no-op'],
    });
    expect(await shown()).toMatchObject({ drifted: false, checkedAt: null, run: null, problem: null });
    const detail = await checked();
    expect(detail).toMatchObject({
      address: name,
      drifted: true,
      count: 2,
      problem: null,
      outdated: false,
      resources: [
        { address: 'local_file.a', action: 'delete' },
        { address: 'local_file.b["x"]', action: 'update' },
      ],
    });
    expect(JSON.stringify(detail)).not.toContain(SECRET);
    const listed = await callApi(house.house, `GET /drift?project=${address.project}`);
    expect(listed.json).toEqual({
      states: [expect.objectContaining({ address: name, count: 2 })],
      next: null,
    });
    const metrics = await house.house.ask('GET', '/metrics');
    expect(metrics.text).toMatch(/^statehouse_drifted_states [1-9]/m);
    const kept = await house.house.house.records(DRIFT_SCHEDULES).list();
    expect(JSON.stringify(kept)).not.toContain(SECRET);
  });

  it('takes no lock, and is looked for while somebody else has it', async () => {
    await applied({});
    await house.house.ask('LOCK', `/http/${address.project}/net`, { body: '{"ID":"another"}' });
    expect(await checked()).toMatchObject({ drifted: false, count: 0, resources: [] });
    const [check] = await checksOf();
    expect(check).toMatchObject({ kind: 'plan', task: { refreshOnly: true } });
  });

  it('stays known while a check fails, which is told', async () => {
    await applied({ 'local_file.a': ['delete'] }, address, '[ ! -e /tmp/never ] || exit 1;');
    await checked();
    const failing = await slugOf({ 'plan.sh': 'case "$*" in *-refresh-only*) exit 1; esac\n' });
    const { id } = await house.run(await house.configuration(failing, { address }), { autoApply: true });
    await house.until(id, 'applied');
    const detail = await checked();
    expect(detail).toMatchObject({
      drifted: true,
      count: 1,
      resources: [{ address: 'local_file.a' }],
      problem: expect.stringMatching(/the check is errored: "statehouse run logs run-/),
    });
  });

  it('is outdated once the state was written since', async () => {
    await applied({ 'local_file.a': ['delete'] });
    await checked();
    await written(address, 9);
    expect(await shown()).toMatchObject({ drifted: true, outdated: true });
  });

  it('is told to webhooks once for the same drift, and when it is gone', async () => {
    await using receiver = await WebhookReceiver.start();
    const events = ['drift-found', 'drift-gone'] as const;
    const webhook = {
      name: 'team',
      url: receiver.url,
      secret: null,
      events,
      pattern: name,
      format: 'json',
    } as const;
    expect((await house.house.house.webhooks.set(ADMIN_CALLER, webhook)).type).toBe('set');
    await applied({ 'local_file.a': ['delete'] });
    const { run } = await checked();
    await checked();
    await applied({});
    const { run: last } = await checked();
    await eventually('both are told', () => receiver.got.length >= 2);
    const told = receiver.got.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(told).toMatchObject([
      { event: 'drift-found', address: name, facts: { run, resources: 1 } },
      { event: 'drift-gone', address: name, facts: { run: last, resources: 0 } },
    ]);
    expect(JSON.stringify(told)).not.toMatch(/local_file/);
  });

  it('is looked for by schedule, each time once, though every node looks', async () => {
    await applied({ 'local_file.a': ['delete'] });
    const set = await scheduled('every 24h');
    expect(set.json).toMatchObject({ schedule: 'every 24h', dueAt: expect.any(String) });
    await look();
    expect(await checksOf()).toEqual([]);
    await due();
    await Promise.all([look(), look(), house.runs.drift.checks.look()]);
    await found();
    await look();
    const [check, ...others] = await checksOf();
    expect([check?.createdBy, others]).toEqual(['house:drift', []]);
    expect(await shown()).toMatchObject({ drifted: true });
    expect((await schedules().one(name))?.dueAt).toBeGreaterThan(await now());
    expect((await scheduled(null)).json).toMatchObject({ schedule: null, dueAt: null });
  });

  it('is put off while the workspace is locked, frozen or has a run', async () => {
    await applied({});
    await scheduled('daily at 03:00');
    const path = `/http/${address.project}/net`;
    const putOff = async (): Promise<void> => {
      await due();
      await look();
      const later = (await schedules().one(name))?.dueAt ?? 0;
      const left = later - (await now());
      expect([left > 500_000, left <= 600_000]).toEqual([true, true]);
      expect(await checksOf()).toEqual([]);
    };
    await house.house.ask('LOCK', path, { body: '{"ID":"another"}' });
    await putOff();
    await house.house.ask('UNLOCK', path, { body: '{"ID":"another"}' });
    const { freezes } = house.house.house;
    await freezes.set(ADMIN_CALLER, { pattern: name, reason: 'audit', until: (await now()) + 60_000 });
    await putOff();
    await freezes.lift(ADMIN_CALLER, name);
    const waiting = await house.run(await house.configuration(await slugOf({ 'main.tf': '' }), { address }));
    await house.until(waiting.id, 'planned');
    await putOff();
    await house.runs.act(ADMIN_CALLER, waiting.id, 'discard');
    await eventually('the lock is free', async () => {
      await due();
      await look();
      return (await checksOf()).length === 1;
    });
  });

  it('is looked for by another node where the first was killed before it had made the run', async () => {
    await applied({});
    await scheduled('every 24h');
    const at = (await now()) - 600_000;
    await schedules().update(null, name, (before) => ({
      ...(before as StoredSchedule),
      making: { run: 'run-neverMade', at },
    }));
    await look();
    await found();
    await look();
    expect(await checksOf()).toHaveLength(1);
  });

  it('is looked for again soon where something was applied since it was found', async () => {
    await applied({ 'local_file.a': ['delete'] });
    await scheduled('every 720h');
    await checked();
    await applied({});
    await eventually('it is due', async () => ((await schedules().one(name))?.dueAt ?? 0) <= (await now()));
  });

  it('of a crowd is looked for a few at a time, and one project leaves room for others', async () => {
    const crowd = Array.from({ length: 12 }, (_, index) => ({ ...address, key: `crowd${index}` }));
    const other = { ...address, project: `${address.project}b` };
    for (const one of [...crowd, other]) {
      await applied({}, one, ' sleep 0.3;;');
      await scheduled('every 24h', one);
    }
    for (const one of [...crowd, other]) await due(one);
    let most = 0;
    const open = async (): Promise<number> => {
      const queue = await house.runs.queue();
      return queue.filter(({ run }) => run.cause === 'drift-check' && run.address.project === address.project)
        .length;
    };
    await look();
    await eventually('all were looked at', async () => {
      most = Math.max(most, await open());
      const all = await Promise.all([...crowd, other].map((one) => shown(one)));
      return all.every(({ checkedAt }) => checkedAt !== null);
    });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('is not looked for where nothing was applied, nor where the workspace is gone', async () => {
    await written(address);
    await scheduled('every 24h');
    await due();
    await look();
    expect(await shown()).toMatchObject({
      problem: expect.stringMatching(/^no run has applied/),
      checkedAt: null,
    });
    await house.house.ask('DELETE', `/http/${address.project}/net`);
    await due();
    await look();
    expect(await schedules().one(name)).toBe(null);
    expect((await scheduled('every 24h')).status).toBe(404);
    expect((await scheduled('often', address)).status).toBe(422);
  });

  it('goes on being looked for when the credential of who set the schedule is revoked, who can set it no more', async () => {
    await applied({});
    const grants = [{ role: 'writer', pattern: `${address.project}/*` }] as const;
    const pair = await house.house.credential('leaver', grants);
    const body = { schedule: 'every 24h' };
    const call = `POST /state/drift?address=${name}` as const;
    expect((await callApi(house.house, call, { body, as: pair })).status).toBe(200);
    expect((await callApi(house.house, `DELETE /credentials/${pair.id}`)).status).toBe(200);
    expect((await callApi(house.house, call, { body: { schedule: null }, as: pair })).status).toBe(401);
    await due();
    await look();
    await found();
    expect((await checksOf())[0]).toMatchObject({ createdBy: 'house:drift' });
  });
});
