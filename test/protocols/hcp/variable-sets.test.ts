import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import type { Pair } from '../../support/test-admin.ts';
import { api, dataOf, errorOf, listOf, makeWorkspace, one } from './hcp-client.ts';

describe('variable sets at the hcp door', () => {
  let house: TestHouse;
  let net: string;
  let web: string;
  let ofNet: Pair;
  beforeAll(async () => {
    house = await TestHouse.open();
    [net, web] = [await makeWorkspace(house, 'net'), await makeWorkspace(house, 'web')];
    ofNet = await house.credential('of-net', [{ role: 'admin', pattern: 'acme/net' }]);
  });
  afterAll(() => house.close());

  const make = async (attributes: object, more: object = {}): Promise<string> => {
    const made = await api(house, 'POST', 'organizations/acme/varsets', one(attributes, more));
    expect(made.status, made.text).toBe(201);
    return dataOf(made).id;
  };
  const put = async (set: string, attributes: object): Promise<string> => {
    const made = await api(house, 'POST', `varsets/${set}/relationships/vars`, one(attributes));
    expect(made.status, made.text).toBe(201);
    return dataOf(made).id;
  };
  const ofRuns = async (key: string): Promise<Record<string, string>> => {
    const address = { project: 'acme', key, workspace: 'default' };
    const variables = await house.house.workspaces.sets.ofRuns(address);
    return Object.fromEntries(variables.map((one) => [one.key, `${one.value}${one.overrides ? '!' : ''}`]));
  };
  const workspaces = (...ids: readonly string[]): object => ({
    data: ids.map((id) => ({ type: 'workspaces', id })),
  });

  it('are for all workspaces or for some, and the nearer one counts', async () => {
    const all = await make({ name: 'for all', global: true });
    const some = await make({ name: 'b' }, { relationships: { workspaces: workspaces(net) } });
    const first = await make({ name: 'a' }, { relationships: { workspaces: workspaces(net) } });
    const strong = await make({ name: 'strong', priority: true, global: true });
    for (const key of ['one', 'two', 'three', 'four', 'five'])
      await put(all, { key, value: 'all', category: 'terraform' });
    for (const key of ['two', 'three', 'four']) await put(some, { key, value: 'b', category: 'terraform' });
    for (const key of ['three', 'four']) await put(first, { key, value: 'a', category: 'terraform' });
    await put(strong, { key: 'five', value: 'strong', category: 'terraform' });
    for (const key of ['four', 'five'])
      await api(house, 'POST', `workspaces/${net}/vars`, one({ key, value: 'own', category: 'terraform' }));
    expect(await ofRuns('net')).toEqual({ one: 'all', two: 'b', three: 'a', four: 'own', five: 'strong!' });
    expect(await ofRuns('web')).toMatchObject({ one: 'all', two: 'all', four: 'all', five: 'strong!' });

    await api(house, 'POST', `varsets/${some}/relationships/workspaces`, workspaces(web));
    expect((await ofRuns('web'))['two']).toBe('b');
    await api(house, 'DELETE', `varsets/${some}/relationships/workspaces`, workspaces(web));
    expect((await ofRuns('web'))['two']).toBe('all');
    const listed = listOf(await api(house, 'GET', `workspaces/${web}/varsets`));
    expect(listed.map(({ attributes }) => attributes['name'])).toEqual(['strong', 'for all']);
    const effective = listOf(await api(house, 'GET', `workspaces/${net}/all-vars`));
    expect(effective.find(({ attributes }) => attributes['key'] === 'three')?.attributes['value']).toBe('a');

    for (const id of [all, some, first, strong]) {
      expect((await api(house, 'DELETE', `varsets/${id}`)).status).toBe(204);
      expect((await api(house, 'GET', `varsets/${id}`)).status).toBe(404);
    }
    expect(await ofRuns('web')).toEqual({});
  });

  it('never tell a sensitive value again, and are kept sealed', async () => {
    const set = await make({ name: 'secrets', global: true });
    const id = await put(set, { key: 'TOKEN', value: 'hunter2', category: 'env', sensitive: true });
    for (const path of [
      `varsets/${set}/relationships/vars`,
      `varsets/${set}/relationships/vars/${id}`,
      `workspaces/${net}/all-vars`,
    ])
      expect((await api(house, 'GET', path)).text).not.toContain('hunter2');
    expect((await ofRuns('net'))['TOKEN']).toBe('hunter2');
    const plain = one({ sensitive: false });
    expect((await api(house, 'PATCH', `varsets/${set}/relationships/vars/${id}`, plain)).status).toBe(422);
    await api(house, 'DELETE', `varsets/${set}`);
  });

  it('are changed by nobody who may not change the whole project, since they reach the runs of all', async () => {
    const set = await make({ name: 'for net' }, { relationships: { workspaces: workspaces(net) } });
    const as = { as: ofNet };
    const env = one({ key: 'LD_PRELOAD', value: '/tmp/x', category: 'env' });
    expect(
      (await api(house, 'POST', 'organizations/acme/varsets', one({ name: 'evil', global: true }), as))
        .status,
    ).toBe(403);
    expect((await api(house, 'POST', `varsets/${set}/relationships/vars`, env, as)).status).toBe(403);
    expect((await api(house, 'PATCH', `varsets/${set}`, one({ global: true }), as)).status).toBe(403);
    expect((await api(house, 'GET', `workspaces/${net}/varsets`, undefined, as)).status).toBe(200);
    const elsewhere = workspaces((await makeWorkspace(house, 'third')).replace(/.$/, 'x'));
    expect((await api(house, 'POST', `varsets/${set}/relationships/workspaces`, elsewhere)).status).toBe(404);
    const taken = await api(house, 'POST', 'organizations/acme/varsets', one({ name: 'for net' }));
    expect(errorOf(taken).detail).toBe('Name has already been taken');
    await api(house, 'DELETE', `varsets/${set}`);
  });

  it('forget a workspace that is deleted, so that the next of its name does not have what it had', async () => {
    const gone = await makeWorkspace(house, 'gone');
    const set = await make({ name: 'for gone' }, { relationships: { workspaces: workspaces(gone) } });
    await put(set, { key: 'secret', value: 'x', category: 'terraform', sensitive: true });
    expect(await ofRuns('gone')).toEqual({ secret: 'x' });
    await api(house, 'DELETE', `workspaces/${gone}`);
    await makeWorkspace(house, 'gone');
    expect(await ofRuns('gone')).toEqual({});
    expect(await house.house.workspaces.sets.list(ADMIN_CALLER, 'acme')).toMatchObject({
      sets: [{ name: 'for gone', workspaces: [] }],
    });
  });
});
