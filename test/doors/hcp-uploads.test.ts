import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import { TestHouse } from '../support/open-test-house.ts';

// Terraform's `cloud` block sends a state and its JSON form at once, and either may be the first to come.
it.each([
  ['the state comes first', ['state', 'json'] as const],
  ['its JSON form comes first', ['json', 'state'] as const],
])('a state that is announced at the hcp door is taken where %s', async (_which, order) => {
  await using house = await TestHouse.open();
  const state = JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial: 1,
    lineage: 'l',
    outputs: {},
    resources: [],
  });
  const id = workspaceId({ project: 'acme', key: 'net', workspace: 'default' });
  const md5 = createHash('md5').update(state).digest('hex');
  await house.ask('POST', '/api/v2/organizations/acme/workspaces', {
    body: JSON.stringify({ data: { type: 'workspaces', attributes: { name: 'net' } } }),
  });
  const attributes = { serial: 1, md5, lineage: 'l' };
  const announced = await house.ask('POST', `/api/v2/workspaces/${id}/state-versions`, {
    body: JSON.stringify({ data: { type: 'state-versions', attributes } }),
  });
  const { data } = JSON.parse(announced.text) as { data: { attributes: Record<string, string> } };
  const urls = {
    state: data.attributes['hosted-state-upload-url'] ?? '',
    json: data.attributes['hosted-json-state-upload-url'] ?? '',
  };
  const put = (url: string): Promise<{ status: number }> =>
    house.ask('PUT', new URL(url).pathname, { as: null, body: state });
  for (const which of order) expect((await put(urls[which])).status, which).toBe(200);
  expect((await put(urls.json.replace(/.json$/, 'x/json'))).status).toBe(404);
});
