import { afterEach, describe, expect, it } from 'vitest';
import type { Grant } from '../../src/core/grant.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { basic, type Answer } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';

let house: TestHouse;

afterEach(() => house.close());

interface Change {
  readonly grants?: readonly Grant[];
  readonly expiresAt?: string | null;
}

function change(id: string, wanted: Change, as?: Pair): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(wanted);
  return house.ask('PATCH', `/api/v1/credentials/${id}`, {
    body,
    headers,
    ...(as === undefined ? {} : { as }),
  });
}

/** Begins a write, and leaves it half way. @returns a function that sends the rest, and gives the status */
async function halfWrite(key: string, as: Pair): Promise<() => Promise<string>> {
  const write = await RawConnection.open(house.url);
  const body = sampleState(1);
  const before = house.house.inFlightBytes;
  write.send(
    `POST /http/${key} HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(as)}\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
  );
  await eventually('the write has begun', () => house.house.inFlightBytes > before);
  return async () => {
    write.send(body.slice(20));
    await eventually('the write is answered', () => write.heard.includes('HTTP/1.1 '));
    const status = write.heard.slice(9, 12);
    await write[Symbol.asyncDispose]();
    return status;
  };
}

describe('a credential that is changed', () => {
  it('may do what it is given from the next request on, with the same secret, and the audit log says what', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', [{ role: 'writer', pattern: 'acme/*' }]);
    const put = async (key: string): Promise<number> =>
      (await house.ask('POST', `/http/${key}`, { as: ci, body: sampleState(1) })).status;
    expect(await put('acme/a')).toBe(200);
    const answer = await change(ci.id, { grants: [{ role: 'reader', pattern: 'acme/*' }] });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
      200,
      { id: ci.id, grants: [{ role: 'reader', pattern: 'acme/*' }], expiresAt: null },
    ]);
    expect(await put('acme/b')).toBe(403);
    expect((await house.ask('GET', '/http/acme/a', { as: ci })).status).toBe(200);
    await change(ci.id, { grants: [{ role: 'writer', pattern: 'other/*' }] });
    expect(await put('other/a')).toBe(200);
    const { records } = JSON.parse(
      (await house.ask('GET', '/api/v1/audit?action=credential-change')).text,
    ) as { records: { detail: object }[] };
    expect(records.map(({ detail }) => detail)).toMatchObject([
      { id: ci.id, name: 'ci', grants: 'writer:other/*', expires: 'never' },
      { id: ci.id, name: 'ci', grants: 'reader:acme/*', expires: 'never' },
    ]);
  });

  it('loses what it has under way and may do no more, and keeps the rest', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', [{ role: 'writer', pattern: '*' }]);
    await house.ask('LOCK', '/http/acme/held', { body: sampleLock('other') });
    await house.ask('LOCK', '/http/kept/held', { body: sampleLock('another') });
    const lost = house.ask('LOCK', '/http/acme/held?wait=5m', { as: ci, body: sampleLock('mine') });
    const kept = house.ask('LOCK', '/http/kept/held?wait=5m', { as: ci, body: sampleLock('mine, too') });
    await house.untilParked(2);
    const [cut, goesOn] = [await halfWrite('acme/x', ci), await halfWrite('kept/x', ci)];

    const soon = new Date(Date.now() + 3_600_000).toISOString();
    await change(ci.id, { grants: [{ role: 'writer', pattern: 'kept/*' }], expiresAt: soon });
    expect((await lost).status).toBe(401);
    expect(await cut()).toBe('401');
    expect(await goesOn()).toBe('200');
    expect((await house.ask('GET', '/http/acme/x')).status).toBe(404);
    await house.ask('UNLOCK', '/http/kept/held', { body: sampleLock('another') });
    expect((await kept).status).toBe(200);
  });

  it('ends when it is to end by now, and may be given more time', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', [{ role: 'reader', pattern: '*' }], Date.now() + 3_600_000);
    const whoami = async (): Promise<number> => (await house.ask('GET', '/api/v1/whoami', { as: ci })).status;
    const soon = (): string => new Date(Date.now() + 700).toISOString();
    // A busy machine may be there too late.
    await eventually('it ends', async () => (await change(ci.id, { expiresAt: soon() })).status === 200);
    await eventually('it has expired', async () => (await whoami()) !== 200);
    expect((await change(ci.id, { expiresAt: null })).status).toBe(200);
    expect(await whoami()).toBe(200);
  });

  it('is changed by an admin of the server alone: nobody widens its own rights', async () => {
    house = await TestHouse.open();
    const lead = await house.credential('lead', [{ role: 'admin', pattern: 'acme/*' }]);
    const grants = [{ role: 'admin', pattern: '*' }] as const;
    expect((await change(lead.id, { grants }, lead)).status).toBe(403);
    expect((await change(lead.id, { expiresAt: null }, lead)).status).toBe(403);
    expect((await house.ask('GET', '/api/v1/credentials', { as: lead })).status).toBe(403);
  });

  it.each<[string, Change]>([
    ['nothing', {}],
    ['no grants', { grants: [] }],
    ['a pattern that is none', { grants: [{ role: 'reader', pattern: 'acme' }] }],
    ['a moment that is over', { expiresAt: '2020-01-01T00:00:00Z' }],
  ])('is refused %s', async (_, wanted) => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', [{ role: 'reader', pattern: '*' }]);
    expect((await change(ci.id, wanted)).status).toBeGreaterThanOrEqual(400);
    expect((await house.ask('GET', '/api/v1/whoami', { as: ci })).status).toBe(200);
  });

  it('stays revoked, and one that is not there is not made', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', [{ role: 'reader', pattern: '*' }]);
    await house.ask('DELETE', `/api/v1/credentials/${ci.id}`);
    expect((await change(ci.id, { expiresAt: null })).status).toBe(422);
    expect((await house.ask('GET', '/api/v1/whoami', { as: ci })).status).toBe(401);
    expect((await change('A'.repeat(20), { expiresAt: null })).status).toBe(404);
  });
});
