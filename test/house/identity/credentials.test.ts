import { describe, expect, it } from 'vitest';
import type { Grant, Identity } from '../../../src/core/grant.ts';
import { readAuthorization } from '../../../src/protocols/wire/authorization.ts';
import { BuiltHouse, callerOf, ENGINES } from '../fixtures/built-house.ts';

const ADMIN = callerOf('root', 'admin');
const GRANTS: readonly Grant[] = [{ role: 'writer', pattern: 'acme/*' }];

async function made(
  built: BuiltHouse,
  name: string,
  expiresAt: number | null = null,
): Promise<{ id: string; secret: string }> {
  const answer = await built.house.credentials.create(ADMIN, { name, grants: GRANTS, expiresAt });
  if (answer.type !== 'created') throw new Error(JSON.stringify(answer));
  return { id: answer.credential.id, secret: answer.secret };
}

function byPair(built: BuiltHouse, { id, secret }: { id: string; secret: string }): Promise<Identity | null> {
  return built.house.identity.authenticate({ kind: 'basic', user: id, password: secret });
}

describe.each(ENGINES)('credentials, on %s', (engine) => {
  it('open the house by id and secret, as Basic and as Bearer, and by nothing else', async () => {
    await using built = await BuiltHouse.build(engine);
    const { identity } = built.house;
    const enter = (header: string | undefined): Promise<Identity | null> =>
      identity.authenticate(readAuthorization(header));
    const { id, secret } = await made(built, 'ci');
    const known = { subject: 'token:ci', grants: GRANTS, credentialId: id };
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(await enter(basic(`${id}:${secret}`))).toEqual(known);
    expect(await enter(`bearer ${id}.${secret}`)).toEqual(known);
    expect(await enter(basic(`me:${id}.${secret}`))).toEqual(known);
    for (const wrong of [
      undefined,
      '',
      basic(`${id}:${secret}x`),
      basic(`${id}:`),
      basic(`${id}`),
      `Bearer ${id}.`,
      `Bearer ${id}`,
      `Bearer .${secret}`,
      `Digest ${id}.${secret}`,
    ]) {
      expect([wrong, await enter(wrong)]).toEqual([wrong, null]);
    }
  });

  it('are shown without their secret, and kept sealed', async () => {
    await using built = await BuiltHouse.build(engine);
    const { id, secret } = await made(built, 'ci');
    const listed = JSON.stringify(await built.house.credentials.list(ADMIN));
    expect(listed).toContain(id);
    expect(listed).not.toContain(secret);
    const [kept] = await built.engine.credentials();
    expect(Buffer.from(kept?.sealedSecret ?? []).includes(secret)).toBe(false);
    const log = JSON.stringify(await built.house.audit.read(ADMIN, { limit: 9 }));
    expect(log).toContain('credential-create');
    expect(log).not.toContain(secret);
  });

  it('end when they are revoked, and say so from their expiry on', async () => {
    await using built = await BuiltHouse.build(engine);
    const { credentials } = built.house;
    const brief = await made(built, 'brief', built.clock.now() + 1_000);
    expect(await byPair(built, brief)).toMatchObject({ expiry: { at: built.clock.now() + 1_000 } });
    built.clock.advance(1_000);
    const caller = { identity: (await byPair(built, brief)) as Identity, door: 'test' };
    expect(built.house.refuseEverywhere(caller, 'write')).toEqual({ type: 'expired' });
    built.clock.advance(3_600_000);
    expect(built.house.refuseEverywhere(caller, 'write')).toEqual({ type: 'expired', graceOver: true });
    expect(await credentials.revoke(ADMIN, brief.id)).toMatchObject({ type: 'revocation' });
    expect(await byPair(built, brief)).toBe(null);
    expect(await credentials.revoke(ADMIN, 'SHNOBODY')).toEqual({ type: 'absent' });
    // Its name is free again; whoever takes it is somebody new.
    const anew = await made(built, 'brief');
    expect(anew.id).not.toBe(brief.id);
  });

  it('are made by admins of the whole house alone', async () => {
    await using built = await BuiltHouse.build(engine);
    const local = {
      identity: {
        subject: 'token:local',
        grants: [{ role: 'admin' as const, pattern: 'acme/*' }],
      },
      door: 'test',
    };
    const wanted = { name: 'mine', grants: GRANTS, expiresAt: null };
    for (const who of [callerOf('w'), callerOf('o', 'operator'), local]) {
      expect(await built.house.credentials.create(who, wanted)).toMatchObject({ type: 'forbidden' });
      expect(await built.house.credentials.list(who)).toMatchObject({ type: 'forbidden' });
      expect(await built.house.credentials.revoke(who, 'any')).toMatchObject({ type: 'forbidden' });
    }
    const expired = { ...ADMIN, identity: { ...ADMIN.identity, expiry: { at: 0, graceUntil: 1 } } };
    expect(await built.house.credentials.create(expired, wanted)).toMatchObject({ type: 'expired' });
  });

  const wrongs: readonly (readonly [
    string,
    Partial<{ name: string; grants: readonly Grant[]; expiresAt: number }>,
  ])[] = [
    ['a name that is taken', { name: 'taken' }],
    ['no name', { name: '' }],
    ['a name with a line end', { name: 'a\nb' }],
    ['no grant', { grants: [] }],
    ['a pattern that is none', { grants: [{ role: 'reader', pattern: 'acme' }] }],
    ['an empty pattern', { grants: [{ role: 'reader', pattern: '' }] }],
    ['an expiry in the past', { expiresAt: 1 }],
    [
      'more grants than any needs',
      { grants: Array.from({ length: 65 }, () => ({ role: 'reader', pattern: '*' })) },
    ],
  ];

  it.each(wrongs)('are not made with %s', async (_what, changes) => {
    await using built = await BuiltHouse.build(engine);
    await made(built, 'taken');
    const answer = await built.house.credentials.create(ADMIN, {
      name: 'new',
      grants: GRANTS,
      expiresAt: null,
      ...changes,
    });
    expect(answer).toMatchObject({ type: 'invalid' });
    expect(await built.engine.credentials()).toHaveLength(1);
  });

  it('of an admin that has expired leave the house without one', async () => {
    await using built = await BuiltHouse.build(engine);
    const { credentials } = built.house;
    const grants: readonly Grant[] = [{ role: 'admin', pattern: '*' }];
    await credentials.create(ADMIN, { name: 'brief', grants, expiresAt: built.clock.now() + 1_000 });
    expect(await credentials.hasAdmin()).toBe(true);
    built.clock.advance(1_000);
    expect(await credentials.hasAdmin()).toBe(false);
  });

  it('can be fixed for automation: the same admin is there after every start, and nobody else', async () => {
    await using built = await BuiltHouse.build(engine);
    const { credentials } = built.house;
    expect(await credentials.hasAdmin()).toBe(false);
    const [id, secret] = ['SHAUTOMATION2345', 'automationsecretautomation01'];
    await credentials.ensureAdmin(ADMIN, id, secret);
    await credentials.ensureAdmin(ADMIN, id, secret);
    expect(await credentials.hasAdmin()).toBe(true);
    expect(await built.engine.credentials()).toHaveLength(1);
    const other = 'anothersecretanothersecret01';
    await credentials.ensureAdmin(ADMIN, id, other);
    expect(await byPair(built, { id, secret: other })).not.toBe(null);
    expect(await byPair(built, { id, secret })).toBe(null);
    await expect(credentials.ensureAdmin(ADMIN, 'short', secret)).rejects.toThrow(/ID\.SECRET/);
  });
});
