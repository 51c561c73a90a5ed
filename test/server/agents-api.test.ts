import { describe, expect, it } from 'vitest';
import { callApi } from './api-client.ts';
import { RunningHouse } from '../runs/running-house.ts';
import { TestHouse } from '../support/open-test-house.ts';

describe('the API of agents', () => {
  it('makes, shows and removes agent pools and their tokens, and has agents execute runs', async () => {
    await using running = await RunningHouse.open({ mode: 'agents' });
    await using none = await TestHouse.open();
    const { house: other } = running;
    const made = await callApi(other, 'POST /agent-pools', { body: { project: 'app', name: 'office' } });
    expect([made.status, made.json]).toMatchObject([201, { project: 'app', name: 'office' }]);
    const id = String(made.json['id']);
    const again = await callApi(other, 'POST /agent-pools', { body: { project: 'app', name: 'office' } });
    expect(again.json['id']).toBe(id);
    const bad = await callApi(other, 'POST /agent-pools', { body: { project: 'app', name: '' } });
    expect(bad.status).toBe(400);
    expect((await callApi(other, 'GET /agent-pools?project=app')).json).toMatchObject({ pools: [{ id }] });
    const token = await callApi(other, 'POST /agent-tokens', { body: { pool: id, description: 'one' } });
    expect(token.json).toMatchObject({
      description: 'one',
      token: expect.stringMatching(/^at-\w+\.\w{40}$/),
    });
    const shown = await callApi(other, `GET /agent-pools/${id}`);
    expect(shown.json).toMatchObject({ name: 'office', tokens: [{ description: 'one' }], agents: [] });
    expect(JSON.stringify(shown.json)).not.toContain(String(token.json['token']).split('.')[1]);
    const mode = { body: { mode: 'agent', pool: 'office' } };
    const set = await callApi(other, 'POST /execution?address=app/net', mode);
    expect(set.json).toEqual({ mode: 'agent', pool: id });
    expect((await callApi(other, 'GET /execution?address=app/net')).json).toEqual({
      mode: 'agent',
      pool: id,
    });
    expect((await callApi(other, 'GET /execution?address=app/other')).json).toEqual({
      mode: 'local',
      pool: null,
    });
    const elsewhere = await callApi(other, 'POST /execution?address=beta/net', mode);
    expect([elsewhere.status, elsewhere.json['message']]).toEqual([
      422,
      'project beta has no agent pool "office"',
    ]);
    const revoked = await callApi(other, `DELETE /agent-tokens/${String(token.json['id'])}`);
    expect(revoked.json).toEqual({ revoked: token.json['id'] });
    expect((await callApi(other, `DELETE /agent-pools/${id}`)).json).toEqual({ removed: id });
    expect((await callApi(other, `GET /agent-pools/${id}`)).status).toBe(404);
    expect((await callApi(none, 'GET /agent-pools?project=app')).status).toBe(404);
  });
});
