import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { leadsTo } from '../../src/core/runs/chain.ts';
import type { Caller } from '../../src/house/caller.ts';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import type { Run } from '../../src/runs/run-book.ts';
import { RUN_TRIGGERS, type Trigger } from '../../src/runs/triggers/triggers.ts';
import { callApi } from '../server/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const STATE = {
  version: 4,
  terraform_version: '1.11.4',
  lineage: 'l',
  outputs: {},
  resources: [],
  serial: 1,
};

describe('run triggers', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let slug: Buffer;
  let net: Address;
  let web: Address;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, slots: 4 });
    slug = await slugOf({ 'main.tf': '' });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    count += 1;
    [net, web] = ['net', 'web'].map((key) => ({ project: `app${count}`, key, workspace: 'default' })) as [
      Address,
      Address,
    ];
    for (const { project, key } of [net, web])
      await house.house.ask('POST', `/http/${project}/${key}`, { body: JSON.stringify(STATE) });
  });

  const applied = async (address: Address): Promise<Run> => {
    const { id } = await house.run(await house.configuration(slug, { address }), { autoApply: true });
    return house.until(id, 'applied');
  };
  const trigger = async (target: Address, source: Address, caller = ADMIN_CALLER): Promise<Trigger> => {
    const made = await house.runs.triggers.create(caller, target, source);
    if (made.type !== 'created') throw new Error(JSON.stringify(made));
    return made.trigger;
  };
  const triggered = async (address: Address): Promise<readonly Run[]> => {
    const listed = await house.runs.list(ADMIN_CALLER, address, { from: 0, limit: 100 });
    return listed.type === 'runs' ? listed.runs.filter(({ cause }) => cause === 'run-trigger') : [];
  };
  const theOne = async (address: Address): Promise<Run> => {
    await eventually('the run is made', async () => (await triggered(address)).length > 0);
    const [run] = await triggered(address);
    return run as Run;
  };
  const autoApply = (address: Address, auto: boolean): Promise<unknown> =>
    house.house.house.workspaces.kept.set(ADMIN_CALLER, address, () => ({
      settings: { 'auto-apply-run-trigger': auto },
    }));
  const callerWith = (...grants: Caller['identity']['grants']): Caller => ({
    identity: { subject: 'token:another', grants },
    door: 'test',
  });

  it('make a run of what was applied last, which waits to be confirmed, after each apply of another', async () => {
    const { configuration } = await applied(web);
    await trigger(web, net);
    const source = await applied(net);
    const run = await theOne(web);
    expect(run).toMatchObject({
      kind: 'apply',
      createdBy: 'house:run-trigger',
      configuration,
      message: `after ${source.id} was applied at ${formatAddress(net)}`,
    });
    await house.until(run.id, 'planned');
    await house.runs.act(ADMIN_CALLER, run.id, 'discard');
  });

  it('make no run of a plan, of what was discarded, or once they are removed', async () => {
    await applied(web);
    const { id } = await trigger(web, net);
    const planned = await house.run(await house.configuration(slug, { address: net, speculative: true }));
    await house.until(planned.id, 'planned_and_finished');
    const waiting = await house.run(await house.configuration(slug, { address: net }));
    await house.until(waiting.id, 'planned');
    await house.runs.act(ADMIN_CALLER, waiting.id, 'discard');
    expect(await house.runs.triggers.remove(ADMIN_CALLER, id)).toEqual({ type: 'removed' });
    const last = await applied(net);
    await house.runs.triggers.ended(last);
    expect(await triggered(web)).toEqual([]);
  });

  it('make one run of an apply, however often it is told, also by two nodes at once', async () => {
    await applied(web);
    const source = await applied(net);
    await trigger(web, net);
    const { triggers } = house.runs;
    await Promise.all([triggers.ended(source), triggers.ended(source), triggers.ended(source)]);
    await triggers.ended(source);
    const [run, ...others] = await triggered(web);
    expect(others).toEqual([]);
    await house.until(run?.id ?? '', 'planned');
    await triggers.ended(source);
    expect(await house.show(run?.id ?? '')).toMatchObject({ status: 'planned' });
    await house.runs.act(ADMIN_CALLER, run?.id ?? '', 'discard');
  });

  it('let one run wait at a time: it sees what all before it have applied', async () => {
    await applied(web);
    await trigger(web, net);
    const lock = await house.house.ask('LOCK', `/http/${web.project}/web`, { body: '{"ID":"another"}' });
    expect(lock.status).toBe(200);
    for (let index = 0; index < 3; index += 1) await applied(net);
    const run = await theOne(web);
    expect(await triggered(web)).toHaveLength(1);
    await house.runs.act(ADMIN_CALLER, run.id, 'cancel');
  });

  it('go on from one to the next where the workspaces say that they apply', async () => {
    const app = { ...net, key: 'app' };
    await house.house.ask('POST', `/http/${app.project}/app`, { body: JSON.stringify(STATE) });
    for (const one of [web, app]) {
      await applied(one);
      await autoApply(one, true);
    }
    await trigger(web, net);
    await trigger(app, web);
    await applied(net);
    const last = await theOne(app);
    expect(await house.until(last.id, 'applied')).toMatchObject({ chain: 2 });
  });

  it('close no circle, and end where two that were made at once do', async () => {
    await trigger(web, net);
    const refused = { type: 'invalid', problem: expect.stringMatching(/again and again/) };
    expect(await house.runs.triggers.create(ADMIN_CALLER, net, web)).toEqual(refused);
    expect(await house.runs.triggers.create(ADMIN_CALLER, net, net)).toEqual(refused);
    const run = await applied(net);
    await house.house.house.records(RUN_TRIGGERS).put(null, 'rt-closing', {
      source: formatAddress(net),
      target: formatAddress(net),
      createdAt: 1,
      createdBy: 'x',
    });
    await house.runs.triggers.ended({ ...run, chain: 20 });
    expect(await triggered(net)).toEqual([]);
    await house.runs.triggers.remove(ADMIN_CALLER, 'rt-closing');
    const links = [
      { source: 'a', target: 'b' },
      { source: 'b', target: 'c' },
      { source: 'c', target: 'a' },
    ];
    expect([leadsTo(links, 'a', 'c'), leadsTo(links, 'a', 'd')]).toEqual([true, false]);
  });

  it('are made by who may write the one and read the other, and told to who may read both', async () => {
    const writer = { role: 'writer', pattern: formatAddress(web) } as const;
    const reader = { role: 'reader', pattern: formatAddress(net) } as const;
    const { triggers } = house.runs;
    expect(await triggers.create(callerWith(writer), web, net)).toMatchObject({
      type: 'forbidden',
      action: 'read',
    });
    expect(await triggers.create(callerWith({ ...writer, role: 'reader' }, reader), web, net)).toMatchObject({
      type: 'forbidden',
      action: 'write',
    });
    expect(await triggers.create(callerWith(reader, writer), net, web)).toMatchObject({ type: 'forbidden' });
    const { id } = await trigger(web, net, callerWith(writer, reader));
    expect((await trigger(web, net)).id).toBe(id);
    const seen = await triggers.list(callerWith(writer), web, 'inbound');
    expect(seen).toEqual({ type: 'triggers', triggers: [] });
    expect(await triggers.look(callerWith(writer), id)).toEqual({ type: 'absent' });
    expect(await triggers.look(callerWith(writer, reader), id)).toMatchObject({ type: 'trigger' });
    expect(await triggers.look(callerWith(reader), id)).toMatchObject({ type: 'forbidden' });
    expect(await triggers.remove(callerWith(reader), id)).toMatchObject({ type: 'forbidden' });
    expect(await triggers.remove(callerWith({ ...writer, role: 'reader' }, reader), id)).toMatchObject({
      type: 'forbidden',
    });
    const gone = { ...net, key: 'gone' };
    expect(await triggers.create(ADMIN_CALLER, web, gone)).toEqual({ type: 'absent' });
  });

  it('go with their workspaces', async () => {
    const { id } = await trigger(web, net);
    await house.runs.triggers.prune();
    expect(await house.runs.triggers.look(ADMIN_CALLER, id)).toMatchObject({ type: 'trigger' });
    await house.house.ask('DELETE', `/http/${net.project}/net`);
    await house.runs.triggers.prune();
    expect(await house.runs.triggers.look(ADMIN_CALLER, id)).toEqual({ type: 'absent' });
  });

  it('are made, listed and removed by the API', async () => {
    const [address, after] = [formatAddress(web), formatAddress(net)];
    const made = await callApi(house.house, 'POST /run-triggers', { body: { address, after } });
    expect([made.status, made.json]).toMatchObject([201, { address, after }]);
    for (const one of [address, after])
      expect((await callApi(house.house, `GET /run-triggers?address=${one}`)).json).toEqual({
        triggers: [made.json],
      });
    const circle = await callApi(house.house, 'POST /run-triggers', {
      body: { address: after, after: address },
    });
    expect(circle.status).toBe(422);
    const id = String(made.json['id']);
    expect((await callApi(house.house, `DELETE /run-triggers/${id}`)).json).toEqual({ removed: id });
    expect((await callApi(house.house, `DELETE /run-triggers/${id}`)).status).toBe(404);
  });

  it("are told as HCP's", async () => {
    const ask = async (
      method: string,
      path: string,
      data?: object,
    ): Promise<{ status: number; json: unknown }> => {
      const sent = data === undefined ? {} : { body: JSON.stringify({ data }) };
      const { status, text } = await house.house.ask(method, `/api/v2/${path}`, sent);
      return { status, json: text === '' ? null : JSON.parse(text) };
    };
    const [source, target] = [workspaceId(net), workspaceId(web)];
    const sourceable = { data: { type: 'workspaces', id: source } };
    const path = `workspaces/${target}/run-triggers`;
    const made = await ask('POST', path, { type: 'run-triggers', relationships: { sourceable } });
    const told = {
      type: 'run-triggers',
      attributes: { 'workspace-name': 'web', 'sourceable-name': 'net' },
      relationships: {
        workspace: { data: { id: target } },
        sourceable: { data: { id: source, type: 'workspaces' } },
      },
    };
    expect(made).toMatchObject({ status: 201, json: { data: told } });
    const { id } = (made.json as { data: { id: string } }).data;
    const inbound = await ask('GET', `${path}?filter%5Brun-trigger%5D%5Btype%5D=inbound&include=sourceable`);
    expect(inbound.json).toMatchObject({ data: [{ id }], included: [{ id: source, type: 'workspaces' }] });
    const outbound = `workspaces/${source}/run-triggers?filter%5Brun-trigger%5D%5Btype%5D=outbound`;
    expect((await ask('GET', outbound)).json).toMatchObject({ data: [{ id }] });
    expect((await ask('GET', path)).status).toBe(422);
    expect((await ask('GET', `run-triggers/${id}`)).json).toMatchObject({ data: told });
    expect((await ask('DELETE', `run-triggers/${id}`)).status).toBe(204);
    expect((await ask('GET', `run-triggers/${id}`)).status).toBe(404);
  });
});
