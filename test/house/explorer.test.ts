import { afterEach, describe, expect, it } from 'vitest';
import type { Grant } from '../../src/core/grant.ts';
import type { Address } from '../../src/core/address.ts';
import type { Caller } from '../../src/house/caller.ts';
import type { ExploreAnswer, Exploring } from '../../src/house/explorer/explorer.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';

const AWS = 'provider["registry.terraform.io/hashicorp/aws"]';
const SECRET = 'correct-horse-battery';

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly module?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly sensitive?: readonly string[];
}

function stateText(serial: number, resources: readonly Resource[], terraform = '1.11.4'): string {
  return JSON.stringify({
    version: 4,
    terraform_version: terraform,
    serial,
    lineage: 'l',
    outputs: {},
    resources: resources.map(({ type, name, module, attributes, sensitive = [] }) => ({
      ...(module === undefined ? {} : { module }),
      mode: 'managed',
      type,
      name,
      provider: AWS,
      instances: [
        {
          schema_version: 0,
          attributes,
          sensitive_attributes: sensitive.map((value) => [{ type: 'get_attr', value }]),
        },
      ],
    })),
  });
}

const WEB: Resource = {
  type: 'aws_instance',
  name: 'web-server',
  module: 'module.net["eu"]',
  attributes: {
    id: 'i-0abc1234',
    arn: 'arn:aws:iam::123:role/deployer',
    tags: { Name: 'Front' },
    user: SECRET,
    port: 8080,
  },
  sensitive: ['user'],
};
const DB: Resource = {
  type: 'aws_db_instance',
  name: 'main',
  attributes: { id: 'db-77', password: 'hunter2hunter2' },
};

function callerWith(...grants: readonly Grant[]): Caller {
  return { identity: { subject: 'token:somebody', grants }, door: 'test' };
}

async function write(house: TestHouse, key: string, text: string, project = 'acme'): Promise<void> {
  const address: Address = { project, key, workspace: 'default' };
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  const terms = { claim: { kind: 'none' }, contentLength: null } as const;
  const answer = await house.house.states.write(ADMIN_CALLER, address, body(), terms);
  if (answer.type !== 'stored') throw new Error(answer.type);
}

async function find(
  house: TestHouse,
  asked: Partial<Exploring>,
  caller: Caller = ADMIN_CALLER,
): Promise<Extract<ExploreAnswer, { type: 'found' }>> {
  const answer = await house.house.explorer.find(caller, { limit: 100, ...asked });
  if (answer.type !== 'found') throw new Error(JSON.stringify(answer));
  return answer;
}

/** On all pages: one ends after some time, full or not. */
async function names(house: TestHouse, asked: Partial<Exploring>, caller?: Caller): Promise<string[]> {
  const found: string[] = [];
  for (let page: Partial<Exploring> | null = asked; page !== null;) {
    const { states, next } = await find(house, page, caller);
    found.push(...states.map(({ name }) => name));
    page = next === null ? null : { ...asked, cursor: next };
  }
  return found;
}

let house: TestHouse;
afterEach(() => house.close());

describe('the explorer', () => {
  it('finds a state by its resources, what wrote it, who, and when', async () => {
    house = await TestHouse.open();
    await write(house, 'web', stateText(1, [WEB, DB]));
    await write(house, 'db', stateText(1, [DB], '1.5.7'));
    await write(house, 'db', stateText(1, [WEB]), 'beta');
    await eventually('all is found', async () => (await names(house, {})).length === 3);
    const found: readonly (readonly [Partial<Exploring>, readonly string[]])[] = [
      [{ value: 'i-0abc1234' }, ['acme/web', 'beta/db']],
      [{ text: 'I-0ABC1234', project: 'acme' }, ['acme/web']],
      [{ value: 'deployer', name: 'server' }, ['acme/web', 'beta/db']],
      [{ value: 'front' }, ['acme/web', 'beta/db']],
      [{ text: '8080' }, ['acme/web', 'beta/db']],
      [{ type: 'aws_db_instance' }, ['acme/db', 'acme/web']],
      [{ type: 'aws_db_instance', value: 'i-0abc1234' }, []],
      [{ address: 'module.net["eu"].aws_instance.web-server' }, ['acme/web', 'beta/db']],
      [{ address: 'aws_db_instance.main' }, ['acme/db', 'acme/web']],
      [{ provider: 'aws' }, ['acme/db', 'acme/web', 'beta/db']],
      [{ provider: 'hashicorp/aws', project: 'beta' }, ['beta/db']],
      [{ module: 'net' }, ['acme/web', 'beta/db']],
      [{ module: 'module.net' }, ['acme/web', 'beta/db']],
      [{ name: 'web' }, ['acme/web', 'beta/db']],
      [{ terraformVersion: '1.5.7' }, ['acme/db']],
      [{ writer: 'token:test-admin', terraformVersion: '1.11.4' }, ['acme/web', 'beta/db']],
      [{ writer: 'token:nobody' }, []],
      [{ before: Date.now() - 60_000 }, []],
      [{ since: Date.now() - 60_000, project: 'beta' }, ['beta/db']],
      [{ text: 'nothing-like-it' }, []],
    ];
    for (const [asked, expected] of found)
      expect([asked, await names(house, asked)]).toEqual([asked, expected]);
    const [web] = (await find(house, { text: 'i-0abc1234' })).states;
    expect(web).toMatchObject({ matches: 1, writer: 'token:test-admin', terraformVersion: '1.11.4' });
    expect(web?.resources[0]).toMatchObject({ address: 'module.net["eu"].aws_instance.web-server' });
    expect(web?.resources[0]?.values[0]).toEqual(['id', 'i-0abc1234']);
  });

  it('finds nothing sensitive, and shows nothing of it', async () => {
    house = await TestHouse.open();
    await write(house, 'web', stateText(1, [WEB, DB]));
    await eventually('it is found', async () => (await names(house, { value: 'db-77' })).length === 1);
    for (const text of [SECRET, 'hunter2hunter2']) expect(await names(house, { text })).toEqual([]);
    const all = await find(house, { provider: 'aws' });
    expect(JSON.stringify(all)).not.toMatch(/correct-horse|hunter2/);
    const rows = await house.engine.indexRows(['acme/web']);
    expect(Buffer.from(rows[0]?.sealed ?? []).toString('latin1')).not.toMatch(/i-0abc|hunter2|correct/);
  });

  it('tells nobody of what it may not read, not by a count, a place to go on from or a state’s name', async () => {
    house = await TestHouse.open();
    for (let n = 0; n < 30; n += 1)
      await write(house, `secret-${n}`, stateText(1, [WEB]), n % 2 === 0 ? 'acme' : 'beta');
    await write(house, 'zebra/prod', stateText(1, [WEB]), 'beta');
    const isIndexed = async (): Promise<boolean> =>
      (await names(house, { value: 'i-0abc1234' })).length === 31;
    await eventually('all is found', isIndexed, 50_000);
    const least = callerWith({ role: 'outputs', pattern: '*' });
    expect(await house.house.explorer.find(least, { text: 'i-0abc1234', limit: 10 })).toMatchObject({
      type: 'forbidden',
    });
    for (const pattern of ['beta/zebra/*', 'beta/*/prod', '*/zebra/*', '*/*/prod@default']) {
      const caller = callerWith({ role: 'reader', pattern }, { role: 'outputs', pattern: '*' });
      const seen: string[] = [];
      const cursors: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Extract<ExploreAnswer, { type: 'found' }> = await find(
          house,
          { value: 'i-0abc1234', limit: 1, ...(cursor === null ? {} : { cursor }) },
          caller,
        );
        seen.push(...page.states.map(({ name }) => name));
        cursor = page.next;
        if (cursor !== null) cursors.push(Buffer.from(cursor, 'base64url').toString('latin1'));
      } while (cursor !== null);
      expect([pattern, seen]).toEqual([pattern, ['beta/zebra/prod']]);
      expect(cursors.join('')).not.toContain('secret');
    }
    const nowhere = callerWith({ role: 'reader', pattern: 'gamma/*' });
    expect(await find(house, { value: 'i-0abc1234' }, nowhere)).toMatchObject({ states: [], next: null });
  });

  it('goes on page by page, each state once', async () => {
    house = await TestHouse.open();
    for (let n = 0; n < 25; n += 1)
      await write(house, `s-${String(n).padStart(2, '0')}`, stateText(1, [n % 2 === 0 ? WEB : DB]));
    await eventually('all is found', async () => (await names(house, {})).length === 25);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Extract<ExploreAnswer, { type: 'found' }> = await find(house, {
        type: 'aws_instance',
        limit: 4,
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...page.states.map(({ name }) => name));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 13 }, (_, n) => `acme/s-${String(2 * n).padStart(2, '0')}`));
    expect(await house.house.explorer.find(ADMIN_CALLER, { cursor: 'AAAA', limit: 1 })).toMatchObject({
      type: 'invalid',
    });
  });

  it('follows what is written, deleted, undeleted and purged', async () => {
    house = await TestHouse.open();
    const address: Address = { project: 'acme', key: 'web', workspace: 'default' };
    await write(house, 'web', stateText(1, [WEB]));
    await eventually('it is found', async () => (await names(house, { value: 'i-0abc1234' })).length === 1);
    await write(house, 'web', stateText(2, [DB]));
    await eventually('it has changed', async () => (await names(house, { value: 'db-77' })).length === 1);
    expect(await names(house, { value: 'i-0abc1234' })).toEqual([]);
    await house.house.states.delete(ADMIN_CALLER, address, { kind: 'none' });
    await eventually('it is gone', async () => (await names(house, {})).length === 0);
    await house.house.history.undelete(ADMIN_CALLER, address);
    await eventually('it is back', async () => (await names(house, { value: 'db-77' })).length === 1);
    await house.house.states.delete(ADMIN_CALLER, address, { kind: 'none' });
    await house.house.history.purge(ADMIN_CALLER, address);
    expect(await house.engine.indexRows(['acme/web'])).toEqual([]);
  });

  it('says why it knows nothing of a state, which is found by the rest', async () => {
    house = await TestHouse.open();
    const sealed = { encrypted_data: 'x', encryption_version: 'v0', meta: {}, serial: 1, lineage: 'l' };
    await write(house, 'sealed', JSON.stringify(sealed));
    await eventually(
      'it is found',
      async () => (await names(house, { writer: 'token:test-admin' })).length === 1,
    );
    expect((await find(house, {})).states[0]).toMatchObject({ unread: 'encrypted', matches: 0 });
  });

  it('is made anew when it is asked to, and where there is none', async () => {
    house = await TestHouse.open();
    await write(house, 'web', stateText(1, [WEB]));
    await eventually('it is found', async () => (await names(house, { value: 'i-0abc1234' })).length === 1);
    await house.engine.apply([{ type: 'drop-index', names: null }]);
    expect(await names(house, { value: 'i-0abc1234' })).toEqual([]);
    expect(await house.house.explorer.renew(callerWith({ role: 'admin', pattern: 'acme/*' }))).toMatchObject({
      type: 'forbidden',
    });
    await house.house.explorer.renew(ADMIN_CALLER);
    await eventually(
      'it is found again',
      async () => (await names(house, { value: 'i-0abc1234' })).length === 1,
    );
    await eventually('it is whole', async () => (await find(house, {})).complete);
  });
});
