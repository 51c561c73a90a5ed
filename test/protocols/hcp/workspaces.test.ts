import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { sampleState } from '../../support/sample-state.ts';
import { api, dataOf, errorOf, listOf, makeWorkspace, one, stateText, store } from './hcp-client.ts';

const LIST = 'organizations/acme/workspaces';

describe('workspaces at the hcp door', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
    await house.ask('POST', '/http/acme/net/terraform.tfstate?workspace=dev', { body: sampleState(1) });
    await makeWorkspace(house, 'app-dev', { 'auto-apply': true });
    await makeWorkspace(house, 'app-prod');
    const bindings = [{ type: 'tag-bindings', attributes: { key: 'env', value: 'prod' } }];
    await api(
      house,
      'PATCH',
      `${LIST}/app-prod`,
      one({}, { relationships: { 'tag-bindings': { data: bindings } } }),
    );
    await api(
      house,
      'POST',
      `workspaces/${dataOf(await api(house, 'GET', `${LIST}/app-dev`)).id}/relationships/tags`,
      {
        data: [
          { type: 'tags', attributes: { name: 'web' } },
          { type: 'tags', attributes: { name: 'small' } },
        ],
      },
    );
  });
  afterAll(() => house.close());

  const names = async (query: string): Promise<readonly unknown[]> =>
    listOf(await api(house, 'GET', `${LIST}?${query}`)).map(({ attributes }) => attributes['name']);

  it('tell what the API is beside every answer, and to whom it is closed', async () => {
    const ping = await api(house, 'GET', 'ping');
    expect(ping).toMatchObject({
      status: 204,
      headers: { 'tfp-api-version': '2.6', 'tfp-appname': 'HCP Terraform' },
    });
    const stranger = await api(house, 'GET', 'ping', undefined, { as: { id: 'SHUNKNOWN', secret: 'x' } });
    expect(stranger).toMatchObject({ status: 401, headers: { 'tfp-api-version': '2.6' } });
    expect((await api(house, 'GET', 'nothing/here')).status).toBe(404);
    expect(await api(house, 'DELETE', 'ping')).toMatchObject({ status: 405, headers: { allow: 'GET' } });
  });

  it('are listed with the states of other doors, by filters', async () => {
    expect(await names('')).toEqual(['app-dev', 'app-prod', 'net..terraform.tfstate.-dev']);
    expect(await names('search%5Bname%5D=APP-')).toEqual(['app-dev', 'app-prod']);
    expect(await names('search%5Bwildcard-name%5D=*.-dev')).toEqual(['net..terraform.tfstate.-dev']);
    expect(await names('search%5Bwildcard-name%5D=app-d')).toEqual([]);
    expect(await names('search%5Btags%5D=web,small')).toEqual(['app-dev']);
    expect(await names('search%5Bexclude-tags%5D=web')).toEqual(['app-prod', 'net..terraform.tfstate.-dev']);
    expect(
      await names('filter%5Btagged%5D%5B0%5D%5Bkey%5D=env&filter%5Btagged%5D%5B0%5D%5Bvalue%5D=prod'),
    ).toEqual(['app-prod']);
    expect(
      await names('filter%5Btagged%5D%5B0%5D%5Bkey%5D=env&filter%5Btagged%5D%5B0%5D%5Bvalue%5D=dev'),
    ).toEqual([]);
    expect(await names('sort=-name&page%5Bsize%5D=1&page%5Bnumber%5D=2')).toEqual(['app-prod']);
    const { meta } = JSON.parse((await api(house, 'GET', `${LIST}?page%5Bsize%5D=2`)).text) as {
      meta: unknown;
    };
    expect(meta).toEqual({
      pagination: {
        'current-page': 1,
        'page-size': 2,
        'prev-page': null,
        'next-page': 2,
        'total-pages': 2,
        'total-count': 3,
      },
    });
    expect((await api(house, 'GET', `${LIST}?page%5Bnumber%5D=0`)).status).toBe(422);
  });

  it('are put into projects, which are seen in filters and go when they are empty', async () => {
    const made = await api(house, 'POST', 'organizations/acme/projects', one({ name: 'base layer' }));
    expect(made.status).toBe(201);
    const { id } = dataOf(made);
    expect(
      (await api(house, 'POST', 'organizations/acme/projects', one({ name: 'base layer' }))).status,
    ).toBe(422);
    const found = await api(house, 'GET', 'organizations/acme/projects?filter%5Bnames%5D=base%20layer');
    expect(listOf(found).map((project) => project.id)).toEqual([id]);
    const into = { project: { data: { type: 'projects', id } } };
    await api(house, 'PATCH', `${LIST}/app-dev`, one({}, { relationships: into }));
    expect(await names(`filter%5Bproject%5D%5Bid%5D=${id}`)).toEqual(['app-dev']);
    expect((await api(house, 'DELETE', `projects/${id}`)).status).toBe(422);
    const home = listOf(await api(house, 'GET', 'organizations/acme/projects?q=default'))[0]?.id ?? '';
    const ws = dataOf(await api(house, 'GET', `${LIST}/app-dev`)).id;
    expect(
      (
        await api(house, 'POST', `projects/${home}/relationships/workspaces`, {
          data: [{ type: 'workspaces', id: ws }],
        })
      ).status,
    ).toBe(204);
    expect((await api(house, 'DELETE', `projects/${id}`)).status).toBe(204);
    expect((await api(house, 'GET', `projects/${id}`)).status).toBe(404);
    const foreign = { project: { data: { type: 'projects', id: 'prj-YmV0YQ' } } };
    expect((await api(house, 'PATCH', `${LIST}/app-dev`, one({}, { relationships: foreign }))).status).toBe(
      422,
    );
  });

  it('keep what is set for them, tell terraform its own version, and are not renamed', async () => {
    const { id, attributes } = dataOf(await api(house, 'GET', `${LIST}/app-dev`));
    expect(attributes).toMatchObject({
      'auto-apply': true,
      'execution-mode': 'local',
      operations: false,
      'tag-names': ['web', 'small'],
    });
    const set = one({
      'terraform-version': '1.5.7',
      description: 'the app',
      'trigger-patterns': ['/net/**'],
      'unknown-thing': 1,
    });
    await api(house, 'PATCH', `workspaces/${id}`, set);
    const now = dataOf(await api(house, 'GET', `workspaces/${id}`)).attributes;
    expect(now).toMatchObject({
      'terraform-version': '1.5.7',
      description: 'the app',
      'trigger-patterns': ['/net/**'],
      'auto-apply': true,
    });
    expect(now).not.toHaveProperty('unknown-thing');
    const asked = await api(house, 'GET', `workspaces/${id}`, undefined, {
      headers: { 'terraform-version': '1.11.4' },
    });
    expect(dataOf(asked).attributes['terraform-version']).toBe('1.11.4');
    for (const wrong of [
      { name: 'other' },
      { 'execution-mode': 'remote' },
      { description: 7 },
      { 'auto-apply': 'yes' },
    ])
      expect((await api(house, 'PATCH', `workspaces/${id}`, one(wrong))).status).toBe(422);
    const taken = await api(house, 'POST', LIST, one({ name: 'app-dev' }));
    expect(errorOf(taken).detail).toBe('Name has already been taken');
    const other = await api(house, 'POST', LIST, one({ name: 'no/name' }));
    expect(errorOf(other).detail).toContain('letters, digits');
  });

  it('lose and keep tags as they are told', async () => {
    const { id } = dataOf(await api(house, 'GET', `${LIST}/app-prod`));
    const tag = (key: string, value: string): object => ({
      type: 'tag-bindings',
      attributes: { key, value },
    });
    await api(house, 'PATCH', `workspaces/${id}/tag-bindings`, {
      data: [tag('team', 'net'), tag('flat', '')],
    });
    const bound = listOf(await api(house, 'GET', `workspaces/${id}/effective-tag-bindings`));
    expect(bound.map(({ attributes }) => attributes)).toEqual([
      { key: 'env', value: 'prod' },
      { key: 'team', value: 'net' },
      { key: 'flat', value: '' },
    ]);
    const [flat] = listOf(await api(house, 'GET', `workspaces/${id}/relationships/tags`));
    await api(house, 'DELETE', `workspaces/${id}/relationships/tags`, {
      data: [{ type: 'tags', id: flat?.id }],
    });
    expect(listOf(await api(house, 'GET', `workspaces/${id}/relationships/tags`))).toEqual([]);
    const all = listOf(await api(house, 'GET', 'organizations/acme/tags?q=we'));
    expect(all.map(({ attributes }) => attributes)).toEqual([{ name: 'web', 'instance-count': 1 }]);
    const web = { data: [{ type: 'tags', id: all[0]?.id }] };
    expect((await api(house, 'DELETE', 'organizations/acme/tags', web)).status).toBe(204);
    expect(listOf(await api(house, 'GET', 'organizations/acme/tags?q=we'))).toEqual([]);
    expect(
      (await api(house, 'PATCH', `workspaces/${id}/tag-bindings`, { data: [tag('bad<', '')] })).status,
    ).toBe(422);
    const many = Array.from({ length: 101 }, (_, index) => tag(`t${index}`, ''));
    expect((await api(house, 'PATCH', `workspaces/${id}/tag-bindings`, { data: many })).status).toBe(422);
  });

  it('are deleted safely only without resources, and with all that was set for them', async () => {
    const id = await makeWorkspace(house, 'gone');
    await store(
      house,
      id,
      stateText(1, { resources: [{ mode: 'managed', type: 'a', name: 'b', instances: [] }] }),
    );
    const safe = await api(house, 'POST', `${LIST}/gone/actions/safe-delete`);
    expect(safe.status).toBe(409);
    expect(errorOf(safe).title).toContain('managing resources');
    await store(
      house,
      id,
      stateText(2, { resources: [{ mode: 'data', type: 'a', name: 'b', instances: [] }] }),
    );
    await api(house, 'POST', `workspaces/${id}/vars`, one({ key: 'k', value: 'v', category: 'env' }));
    expect((await api(house, 'POST', `workspaces/${id}/actions/safe-delete`)).status).toBe(204);
    expect((await api(house, 'GET', `workspaces/${id}`)).status).toBe(404);
    expect((await house.ask('GET', '/http/acme/gone')).status).toBe(404);
    const address = { project: 'acme', key: 'gone', workspace: 'default' };
    expect(await house.engine.versions(address, { limit: 5 })).toHaveLength(2);
    await makeWorkspace(house, 'gone');
    expect(listOf(await api(house, 'GET', `workspaces/${id}/vars`))).toEqual([]);
  });

  it('are not deleted while another holds the lock', async () => {
    const id = await makeWorkspace(house, 'held');
    await store(house, id, stateText(1));
    const pair = await house.credential('holder', [{ role: 'writer', pattern: '*' }]);
    await api(house, 'POST', `workspaces/${id}/actions/lock`, one({ reason: 'x' }), { as: pair });
    const refused = await api(house, 'DELETE', `workspaces/${id}`);
    expect(refused.status).toBe(409);
    expect(errorOf(refused).title).toContain('locked');
  });

  it('have variables, whose sensitive values are written and told to nobody', async () => {
    const id = await makeWorkspace(house, 'vars');
    const path = `workspaces/${id}/vars`;
    const plain = await api(
      house,
      'POST',
      path,
      one({ key: 'region', value: 'north', category: 'terraform' }),
    );
    expect(plain.status).toBe(201);
    const secret = await api(
      house,
      'POST',
      path,
      one({ key: 'TOKEN', value: 'hunter2hunter2', category: 'env', sensitive: true }),
    );
    expect(dataOf(secret).attributes).toMatchObject({ value: null, sensitive: true });
    const listed = await api(house, 'GET', `workspaces/${id}/all-vars`);
    expect(listOf(listed).map(({ attributes: { key, value } }) => [key, value])).toEqual([
      ['TOKEN', null],
      ['region', 'north'],
    ]);
    expect(listed.text).not.toContain('hunter2');
    expect(
      JSON.stringify(await house.engine.entries(null), (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    ).not.toMatch(/hunter2|north/);
    const place = `${path}/${dataOf(secret).id}`;
    await api(house, 'PATCH', place, one({ description: 'the token' }));
    expect(dataOf(await api(house, 'GET', place)).attributes).toMatchObject({
      description: 'the token',
      value: null,
    });
    for (const wrong of [
      { sensitive: false },
      { key: 'OTHER' },
      { key: 'not a name' },
      { value: 'x'.repeat(300_000) },
      { value: 'a\0b' },
      { hcl: true },
    ])
      expect((await api(house, 'PATCH', place, one(wrong))).status, Object.keys(wrong)[0]).toBe(422);
    const again = await api(house, 'POST', path, one({ key: 'region', value: '', category: 'terraform' }));
    expect(errorOf(again).detail).toBe('Key has already been taken');
    expect((await api(house, 'DELETE', place)).status).toBe(204);
    expect((await api(house, 'DELETE', place)).status).toBe(404);
    expect((await api(house, 'GET', `${path}/${dataOf(plain).id}`)).status).toBe(200);
  });

  it('are refused documents that are too large, before they are read whole', async () => {
    const huge = one({ name: 'x', description: 'x'.repeat(400_000) });
    expect((await api(house, 'POST', LIST, huge)).status).toBe(413);
  });
});
