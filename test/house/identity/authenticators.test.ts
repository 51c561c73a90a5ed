import { describe, expect, it, vi } from 'vitest';
import { REFRESH_MS } from '../../../src/house/shared-run.ts';
import type { Presented } from '../../../src/house/identity/presented.ts';
import { MemoryEngine } from '../../../src/engines/memory/engine.ts';
import { sealedKeyId } from '../../../src/keyring/keyring.ts';
import { ManualClock } from '../../../src/contract/manual-clock.ts';
import { BuiltHouse, callerOf } from '../fixtures/built-house.ts';

const ADMIN = callerOf('root', 'admin');
const GRANTS = [{ role: 'writer', pattern: 'acme/*' }] as const;

async function made(
  { house }: BuiltHouse,
  name: string,
): Promise<{ readonly id: string; readonly secret: string }> {
  const answer = await house.credentials.create(ADMIN, { name, grants: GRANTS, expiresAt: null });
  if (answer.type !== 'created') throw new Error(JSON.stringify(answer));
  return { id: answer.credential.id, secret: answer.secret };
}

describe('a house authenticates', () => {
  it('whoever signed with the secret of a credential, and tells no secret of one that is revoked', async () => {
    await using built = await BuiltHouse.build('memory');
    const { identity, credentials } = built.house;
    const { id, secret } = await made(built, 'ci');
    const told: string[] = [];
    const signed = (right: boolean, keyId: string = id): Presented => ({
      kind: 'signed',
      keyId,
      token: null,
      verify: (known) => {
        told.push(known);
        return right;
      },
    });
    expect(await identity.authenticate(signed(true))).toEqual({
      subject: 'token:ci',
      grants: GRANTS,
      credentialId: id,
    });
    expect(await identity.authenticate(signed(false))).toBe(null);
    expect(told).toEqual([secret, secret]);
    expect(await identity.authenticate(signed(true, 'SHNOBODY'))).toBe(null);
    await credentials.revoke(ADMIN, id);
    expect(await identity.authenticate(signed(true))).toBe(null);
    expect(told).toEqual([secret, secret]);
  });

  it('nobody who presents nothing, an empty secret, or more than any credential is long', async () => {
    await using built = await BuiltHouse.build('memory');
    const { identity } = built.house;
    const { id, secret } = await made(built, 'ci');
    const wrongs: readonly (Presented | null)[] = [
      null,
      { kind: 'bearer', token: '' },
      { kind: 'bearer', token: '.' },
      { kind: 'bearer', token: `${id}.${secret}${'x'.repeat(2_000)}` },
      { kind: 'basic', user: '', password: '' },
      { kind: 'basic', user: 'unknown', password: '' },
      { kind: 'basic', user: id, password: secret.repeat(100) },
    ];
    for (const wrong of wrongs) expect([wrong, await identity.authenticate(wrong)]).toEqual([wrong, null]);
  });
});

describe('credentials of many nodes', () => {
  it('are read once for all who ask at a time, and not again until they are two seconds old', async () => {
    const clock = new ManualClock();
    const engine = new MemoryEngine(clock, sealedKeyId);
    Object.defineProperty(engine, 'traits', { value: { ...engine.traits, shared: true } });
    await using built = await BuiltHouse.build('memory', { engine, clock });
    const { id, secret } = await made(built, 'ci');
    const reads = vi.spyOn(engine, 'credentials');
    const ask = (): Promise<unknown> =>
      built.house.identity.authenticate({ kind: 'bearer', token: `${id}.${secret}` });
    const askAll = async (): Promise<void> => {
      for (const answer of await Promise.all(Array.from({ length: 50 }, ask)))
        expect(answer).toMatchObject({ subject: 'token:ci' });
    };
    await askAll();
    expect(reads).toHaveBeenCalledTimes(0);
    clock.advance(REFRESH_MS + 1);
    await askAll();
    expect(reads).toHaveBeenCalledTimes(1);
    await askAll();
    expect(reads).toHaveBeenCalledTimes(1);
  });

  it('are read again after a read that failed', async () => {
    await using built = await BuiltHouse.build('memory');
    const reads = vi.spyOn(built.engine, 'credentials').mockRejectedValueOnce(new Error('away'));
    const ask = (): Promise<unknown> =>
      built.house.identity.authenticate({ kind: 'bearer', token: 'unknown.secret' });
    await expect(ask()).rejects.toThrow('away');
    expect(await ask()).toBe(null);
    expect(reads).toHaveBeenCalledTimes(2);
  });
});
