import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../../src/server/configuration.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { api, dataOf, errorOf, listOf, makeWorkspace, one } from './hcp-client.ts';

const POOLS = 'organizations/acme/agent-pools';

describe('agent pools at the hcp door', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open({ runs: { ...DEFAULTS.runs, mode: 'agents' } });
  });
  afterAll(() => house.close());

  it('are made, listed and removed with their tokens, as go-tfe reads them', async () => {
    const made = await api(house, 'POST', POOLS, one({ name: 'office', 'organization-scoped': true }));
    expect(made.status).toBe(201);
    const pool = dataOf(made);
    expect(pool).toMatchObject({
      type: 'agent-pools',
      attributes: { name: 'office', 'agent-count': 0, 'organization-scoped': true },
      relationships: { organization: { data: { id: 'acme', type: 'organizations' } } },
    });
    expect(listOf(await api(house, 'GET', `${POOLS}?q=off`)).map(({ id }) => id)).toEqual([pool.id]);
    expect(listOf(await api(house, 'GET', `${POOLS}?q=none`))).toEqual([]);
    expect(dataOf(await api(house, 'GET', `agent-pools/${pool.id}`)).id).toBe(pool.id);
    const tokens = `agent-pools/${pool.id}/authentication-tokens`;
    const token = dataOf(await api(house, 'POST', tokens, one({ description: 'first' })));
    expect(token).toMatchObject({
      type: 'authentication-tokens',
      attributes: { description: 'first', token: expect.stringMatching(/^at-\w{16}\.\w{40}$/) },
    });
    expect(listOf(await api(house, 'GET', tokens))).toMatchObject([
      { id: token.id, attributes: { description: 'first', token: null } },
    ]);
    const registered = await house.ask('POST', '/api/agents', {
      as: null,
      headers: { authorization: `Bearer ${String(token.attributes['token'])}` },
      body: JSON.stringify({ name: 'desk', version: '1', programs: [] }),
    });
    expect(registered.status).toBe(201);
    const [agent] = listOf(await api(house, 'GET', `agent-pools/${pool.id}/agents`));
    expect(agent).toMatchObject({ type: 'agents', attributes: { name: 'desk', status: 'idle' } });
    expect(dataOf(await api(house, 'GET', `agents/${agent?.id}`))).toEqual(agent);
    expect((await api(house, 'GET', 'agents/agent-unknown')).status).toBe(404);
    expect(token.attributes['last-used-at']).toBe(null);
    expect(dataOf(await api(house, 'GET', `authentication-tokens/${token.id}`)).attributes).toMatchObject({
      description: 'first',
      token: null,
      'last-used-at': expect.stringMatching(/^20/),
    });
    const at = `agent-pools/${pool.id}`;
    expect(dataOf(await api(house, 'PATCH', at, one({ name: 'desks' }))).attributes).toMatchObject({
      name: 'desks',
      'agent-count': 1,
    });
    await api(house, 'POST', POOLS, one({ name: 'taken' }));
    for (const change of [{ name: 'taken' }, { name: '' }, { name: 7 }, { 'organization-scoped': false }])
      expect((await api(house, 'PATCH', at, one(change))).status, JSON.stringify(change)).toBe(422);
    expect((await api(house, 'PATCH', 'agent-pools/apool-unknown', one({ name: 'x' }))).status).toBe(404);
    expect((await api(house, 'DELETE', `authentication-tokens/${token.id}`)).status).toBe(204);
    expect(listOf(await api(house, 'GET', tokens))).toEqual([]);
    expect((await api(house, 'DELETE', `agent-pools/${pool.id}`)).status).toBe(204);
    expect((await api(house, 'GET', `agent-pools/${pool.id}`)).status).toBe(404);
  });

  it('execute the runs of the workspaces that say so', async () => {
    const pool = dataOf(await api(house, 'POST', POOLS, one({ name: 'lab' }))).id;
    const elsewhere = await api(house, 'POST', 'organizations/beta/agent-pools', one({ name: 'lab' }));
    await makeWorkspace(house, 'net');
    const at = 'organizations/acme/workspaces/net';
    expect(dataOf(await api(house, 'GET', at)).attributes['execution-mode']).toBe('local');
    const without = await api(house, 'PATCH', at, one({ 'execution-mode': 'agent' }));
    expect([without.status, errorOf(without).detail]).toEqual([
      422,
      'the execution mode "agent" needs an agent-pool-id',
    ]);
    const foreign = { 'execution-mode': 'agent', 'agent-pool-id': dataOf(elsewhere).id };
    expect((await api(house, 'PATCH', at, one(foreign))).status).toBe(422);
    const set = await api(house, 'PATCH', at, one({ 'execution-mode': 'agent', 'agent-pool-id': pool }));
    expect(dataOf(set)).toMatchObject({
      attributes: { 'execution-mode': 'agent', 'agent-pool-id': pool, operations: true },
      relationships: { 'agent-pool': { data: { id: pool, type: 'agent-pools' } } },
    });
    // A server that executes nothing itself has no mode for that.
    expect((await api(house, 'PATCH', at, one({ 'execution-mode': 'remote' }))).status).toBe(422);
  });
});
