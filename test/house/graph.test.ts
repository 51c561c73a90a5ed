import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Grant } from '../../src/core/grant.ts';
import type { Caller } from '../../src/house/caller.ts';
import { basic } from '../support/request.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

let house: TestHouse;
beforeAll(async () => {
  house = await TestHouse.open();
});
afterAll(() => house.close());

const reader = (...patterns: readonly string[]): Caller => ({
  identity: {
    subject: 'token:somebody',
    grants: patterns.map((pattern): Grant => ({ role: 'reader', pattern })),
  },
  door: 'test',
});
const net: Address = { project: 'acme', key: 'net', workspace: 'default' };

/** A state with a data source for each of these. */
function readingState(...sources: readonly Readonly<Record<string, unknown>>[]): string {
  const instances = sources.map((attributes, index) => ({
    index_key: index,
    schema_version: 0,
    attributes: { workspace: null, ...attributes },
  }));
  const provider = 'provider["terraform.io/builtin/terraform"]';
  const source = { mode: 'data', type: 'terraform_remote_state', name: 'other', provider, instances };
  return JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial: 1,
    lineage: 'l',
    outputs: {},
    resources: [source],
  });
}

const wrapped = (config: Readonly<Record<string, string>>): unknown => ({
  value: config,
  type: ['object', Object.fromEntries(Object.keys(config).map((name) => [name, 'string']))],
});

async function edges(caller: Caller, address: Address | null): Promise<string[]> {
  const answer =
    address === null
      ? await house.house.graph.of(caller, null)
      : await house.house.graph.around(caller, address);
  if (answer.type !== 'graph') throw new Error(answer.type);
  return answer.edges.map(
    ({ from, to, declared, seen }) => `${from} > ${to} ${declared ? 'declared' : ''} ${seen?.count ?? 0}`,
  );
}

describe('which states read which', () => {
  it('is said by data sources, as each backend names a state', async () => {
    await house.ask('POST', '/http/acme/net', { body: sampleState(1) });
    await house.ask('POST', '/http/acme/app', {
      body: readingState(
        { backend: 'http', config: wrapped({ address: 'https://states.example.com/below/http/acme/net' }) },
        { backend: 'http', config: { address: 'https://states.example.com/http/acme/net?workspace=dev' } },
        { backend: 's3', config: { bucket: 'beta', key: 'a/b.tfstate' }, workspace: 'prod' },
        { backend: 'gcs', config: { bucket: 'beta', prefix: 'gcs/x/' } },
        { backend: 'consul', config: { path: 'beta/consul' }, workspace: 'dev' },
        { backend: 'local', config: { path: '../net/terraform.tfstate' } },
        { backend: 'http', config: { address: 'not a url' } },
        { backend: 's3', config: { bucket: '', key: '' } },
      ),
    });
    await eventually('it is indexed', async () => (await edges(reader('*'), net)).length === 1);
    expect(await edges(reader('*'), { ...net, key: 'app' })).toEqual(
      ['acme/net', 'acme/net@dev', 'beta/a/b.tfstate@prod', 'beta/consul@dev', 'beta/gcs/x'].map(
        (to) => `acme/app > ${to} declared 0`,
      ),
    );
    expect(await edges(reader('*'), null)).toHaveLength(5);
  });

  it('is shown to who may read both, and tells others nothing', async () => {
    expect(await edges(reader('acme/net'), net)).toEqual([]);
    expect(await edges(reader('acme/app'), { ...net, key: 'app' })).toEqual([]);
    expect(await edges(reader('acme/app', 'acme/net@*'), null)).toEqual([
      'acme/app > acme/net declared 0',
      'acme/app > acme/net@dev declared 0',
    ]);
    const outputs: Caller = {
      ...reader(),
      identity: { subject: 'token:o', grants: [{ role: 'outputs', pattern: '*' }] },
    };
    expect(await house.house.graph.around(outputs, net)).toMatchObject({ type: 'forbidden' });
    expect(await house.house.graph.of(outputs, null)).toMatchObject({ type: 'forbidden' });
  });

  it('is seen where somebody reads who holds one lock alone', async () => {
    const ci = await house.credential('ci', [{ role: 'writer', pattern: '*' }]);
    const other = await house.credential('other', [{ role: 'writer', pattern: '*' }]);
    const as = (who = ci): { headers: Record<string, string> } => ({
      headers: { authorization: basic(who) },
    });
    const lock = (key: string, id: string): Promise<unknown> =>
      house.ask('LOCK', `/http/acme/${key}`, { ...as(), as: null, body: sampleLock(id) });
    const unlock = (key: string, id: string): Promise<unknown> =>
      house.ask('UNLOCK', `/http/acme/${key}`, { ...as(), as: null, body: sampleLock(id) });
    const read = (key: string, who = ci): Promise<unknown> =>
      house.ask('GET', `/http/acme/${key}`, { ...as(who), as: null });
    await house.ask('POST', '/http/acme/dns', { body: sampleState(1) });
    await lock('dns', 'one');
    await read('dns');
    await read('net');
    await read('net');
    await read('net', other);
    // Of two locks nobody can say for which it reads.
    await lock('web', 'two');
    await read('app');
    await unlock('web', 'two');
    await unlock('dns', 'one');
    await read('app');
    const seen = (await edges(reader('*'), null)).filter((edge) => !edge.includes('declared'));
    expect(seen).toEqual(['acme/dns > acme/net  2']);
    expect(await edges(reader('acme/dns'), { ...net, key: 'dns' })).toEqual([]);
  });
});
