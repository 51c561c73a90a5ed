import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PENDING_STATE_KIND } from '../../../src/house/records/kinds.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import {
  announced,
  api,
  dataOf,
  errorOf,
  listOf,
  makeWorkspace,
  md5Of,
  one,
  stateText,
  store,
  uploadPath,
} from './hcp-client.ts';

describe('states at the hcp door', () => {
  let house: TestHouse;
  let count = 0;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const workspace = (): Promise<string> => makeWorkspace(house, `states-${++count}`);
  const announce = (id: string, text: string, more: object = {}): ReturnType<typeof api> =>
    api(house, 'POST', `workspaces/${id}/state-versions`, announced(text, more));
  const put = (path: string, body: string): ReturnType<typeof house.ask> =>
    house.ask('PUT', path, { as: null, body });

  it('are pending until they have come, and then the newest version, under the same ID', async () => {
    const id = await workspace();
    const text = stateText(1);
    expect((await api(house, 'GET', `workspaces/${id}/current-state-version`)).status).toBe(404);
    const created = await announce(id, text);
    expect(created.status).toBe(201);
    const { id: version, attributes } = dataOf(created);
    expect(attributes).toMatchObject({ status: 'pending', serial: 1 });
    const seen = dataOf(await api(house, 'GET', `state-versions/${version}`));
    expect(seen.attributes).toMatchObject({ status: 'pending', 'hosted-state-upload-url': null });
    expect((await put(`${uploadPath(created)}/json`, '{"format_version":"1.0"}')).status).toBe(200);
    expect((await put(uploadPath(created), text)).status).toBe(200);
    const current = dataOf(await api(house, 'GET', `workspaces/${id}/current-state-version`));
    expect(current).toMatchObject({ id: version, attributes: { status: 'finalized', md5: md5Of(text) } });
    const { pathname } = new URL(String(current.attributes['hosted-state-download-url']));
    expect((await house.ask('GET', pathname)).text).toBe(text);
    expect((await house.ask('GET', pathname, { as: null })).status).toBe(401);
  });

  it('are taken from an address once, for an hour, while its holder may write, and from no other', async () => {
    const id = await workspace();
    const text = stateText(1);
    const path = uploadPath(await announce(id, text));
    const other = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`;
    expect((await put(other, text)).status).toBe(404);
    expect((await put(path.replace(/sv-[^/]+/, 'sv-YQ'), text)).status).toBe(404);
    expect((await house.ask('GET', path, { as: null })).status).toBe(404);
    expect((await put(path, text)).status).toBe(200);
    // Its answer may be lost, and terraform sends it again: nothing is stored by it, whatever became of the state.
    await api(house, 'DELETE', `workspaces/${id}`);
    expect((await put(path, text)).status).toBe(200);
    expect((await put(path, stateText(2))).status).toBe(422);
    expect((await put(`${path}/json`, '{}')).status).toBe(200);
    expect((await api(house, 'GET', `workspaces/${id}/current-state-version`)).status).toBe(404);
    await makeWorkspace(house, `states-${count}`);

    const late = await announce(id, stateText(2));
    const pending = await house.engine.entries(PENDING_STATE_KIND);
    const [entry] = pending.toSorted(
      (a, b) => Number(b.attributes['createdAt']) - Number(a.attributes['createdAt']),
    );
    const aged = { ...entry!, attributes: { ...entry!.attributes, createdAt: Date.now() - 3_600_001 } };
    await house.engine.apply([{ type: 'put-entry', entry: aged, note: null }]);
    expect((await put(uploadPath(late), stateText(2))).status).toBe(404);

    const pair = await house.credential(`leaver-${count}`, [{ role: 'writer', pattern: '*' }]);
    const begun = await api(house, 'POST', `workspaces/${id}/state-versions`, announced(stateText(2)), {
      as: pair,
    });
    await house.house.credentials.revoke(ADMIN_CALLER, pair.id);
    expect((await put(uploadPath(begun), stateText(2))).status).toBe(404);
    expect(listOf(await api(house, 'GET', versionsOf(count)))).toHaveLength(1);
  });

  const versionsOf = (number: number): string =>
    `state-versions?filter%5Borganization%5D%5Bname%5D=acme&filter%5Bworkspace%5D%5Bname%5D=states-${number}`;

  it('are those that were announced, and states', async () => {
    const id = await workspace();
    const path = uploadPath(await announce(id, stateText(1)));
    expect(errorOf(await put(path, stateText(1, { resources: [{}] }))).detail).toContain('md5');
    const lie = 'no state';
    const announcedLie = one({ serial: 1, lineage: 'l', md5: md5Of(lie) });
    const created = await api(house, 'POST', `workspaces/${id}/state-versions`, announcedLie);
    expect((await put(uploadPath(created), lie)).status).toBe(422);
    expect((await api(house, 'GET', `workspaces/${id}/current-state-version`)).status).toBe(404);
    expect((await put(path, stateText(1))).status).toBe(200);
  });

  it.each([
    ['no serial', one({ lineage: 'l', md5: md5Of('') })],
    ['a negative serial', one({ serial: -1, lineage: 'l', md5: md5Of('') })],
    [
      'a serial that is too large',
      '{"data":{"type":"","attributes":{"serial":18446744073709551616,"md5":"0123456789abcdef0123456789abcdef"}}}',
    ],
    ['a broken md5', one({ serial: 1, lineage: 'l', md5: 'x' })],
    ['a list', '{"data":[]}'],
    ['no document', '{"serial":1}'],
    ['broken JSON', '{"data":{"type":"sta'],
  ])('are refused that are announced with %s', async (_, body) => {
    const id = await workspace();
    const { status } = await api(house, 'POST', `workspaces/${id}/state-versions`, body);
    expect(status).toBe(422);
  });

  it('that would lose a change are asked for with their bytes, refused in words, and kept to be rescued', async () => {
    const id = await workspace();
    await store(house, id, stateText(2));
    const stale = stateText(1);
    const first = await announce(id, stale);
    expect(first.status).toBe(422);
    // Go's client looks for these words.
    expect(errorOf(first).title).toBe('param is missing or the value is empty: state');
    const inline = await announce(id, stale, { state: Buffer.from(stale).toString('base64') });
    expect(inline.status).toBe(409);
    expect(errorOf(inline).detail).toMatch(/lower than that of the newest.*statehouse rescue acme\/states/);
    const other = stateText(3, { lineage: 'another' });
    const strange = await announce(id, other, { state: Buffer.from(other).toString('base64') });
    expect(errorOf(strange).detail).toContain('lineage differs');
  });

  it('are taken from the document as well, and again without another version', async () => {
    const id = await workspace();
    const text = stateText(1);
    const state = Buffer.from(text).toString('base64');
    for (let times = 0; times < 2; times += 1) {
      const made = await announce(id, text, { state });
      expect(made.status).toBe(201);
      expect(dataOf(made).attributes).toMatchObject({ status: 'finalized', serial: 1 });
    }
    expect(listOf(await api(house, 'GET', versionsOf(count)))).toHaveLength(1);
    const wrong = await announce(id, stateText(2), { state });
    expect(errorOf(wrong).detail).toContain('md5');
  });

  it('may go another way under the lock where they are forced, and not without', async () => {
    const id = await workspace();
    await store(house, id, stateText(5));
    expect((await announce(id, stateText(1), { force: true })).status).toBe(422);
    expect(
      (await api(house, 'POST', `workspaces/${id}/actions/lock`, one({ reason: 'Locked by Terraform' })))
        .status,
    ).toBe(200);
    const forced = await announce(id, stateText(1), { force: true });
    expect(forced.status, forced.text).toBe(201);
    expect((await put(uploadPath(forced), stateText(1))).status).toBe(200);
    const current = dataOf(await api(house, 'GET', `workspaces/${id}/current-state-version`));
    expect(current.attributes['serial']).toBe(1);
  });

  it('are rolled forward to an old version', async () => {
    const id = await workspace();
    await store(house, id, stateText(1, { outputs: { said: { value: 'old', type: 'string' } } }));
    const old = dataOf(await api(house, 'GET', `workspaces/${id}/current-state-version`)).id;
    await store(house, id, stateText(2));
    const back = { 'rollback-state-version': { data: { type: 'state-versions', id: old } } };
    const rolled = await api(
      house,
      'PATCH',
      `workspaces/${id}/state-versions`,
      one({}, { relationships: back }),
    );
    expect(dataOf(rolled).attributes['serial']).toBe(3);
    const other = await workspace();
    expect(
      (await api(house, 'PATCH', `workspaces/${other}/state-versions`, one({}, { relationships: back })))
        .status,
    ).toBe(422);
  });

  it('show their outputs with every digit, and sensitive ones one at a time', async () => {
    const id = await workspace();
    const outputs =
      '{"big":{"value":12345678901234567890123,"type":"number"},"secret":{"value":"hunter2","type":"string","sensitive":true},"shape":{"value":{"a":[1.0]},"type":["object",{"a":["list","number"]}]}}';
    const text = stateText(1).replace('"outputs":{}', `"outputs":${outputs}`);
    await store(house, id, text);
    const listed = await api(house, 'GET', `workspaces/${id}/current-state-version-outputs`);
    expect(listed.text).toContain('"value":12345678901234567890123');
    expect(listed.text).toContain('"detailed-type":["object",{"a":["list","number"]}]');
    expect(listed.text).not.toContain('hunter2');
    const secret = listOf(listed).find(({ attributes }) => attributes['name'] === 'secret');
    expect(secret?.attributes).toMatchObject({ sensitive: true, value: null, type: 'string' });
    const path = `state-version-outputs/${secret?.id ?? ''}`;
    expect(dataOf(await api(house, 'GET', path)).attributes['value']).toBe('hunter2');
    const current = dataOf(await api(house, 'GET', `workspaces/${id}/current-state-version?include=outputs`));
    expect(current.relationships?.['outputs']).toMatchObject({ data: [{}, {}, {}] });
    const withOutputs = await api(house, 'GET', `workspaces/${id}?include=outputs`);
    expect(withOutputs.text).toContain('"output-type":"string"');
    expect(withOutputs.text).not.toContain('hunter2');
    const version = await api(house, 'GET', `state-versions/${current.id}/outputs`);
    expect(version.text).toContain('hunter2');
    const reader = await house.credential(`outputs-${count}`, [{ role: 'outputs', pattern: '*' }]);
    expect(dataOf(await api(house, 'GET', path, undefined, { as: reader })).attributes['value']).toBeNull();
    expect((await api(house, 'GET', `workspaces/${id}`, undefined, { as: reader })).status).toBe(200);
    expect(
      (await api(house, 'GET', `workspaces/${id}/current-state-version`, undefined, { as: reader })).status,
    ).toBe(403);
  });

  it('have addresses at the name and scheme by which a proxy was asked', async () => {
    const id = await workspace();
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'state.example.com' };
    const created = await api(house, 'POST', `workspaces/${id}/state-versions`, announced(stateText(1)), {
      headers,
    });
    expect(String(dataOf(created).attributes['hosted-state-upload-url'])).toMatch(
      /^https:\/\/state\.example\.com\/api\/v2\//,
    );
  });
});
