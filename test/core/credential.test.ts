import { describe, expect, it } from 'vitest';
import { CREDENTIAL_ID, CREDENTIAL_NAME, CREDENTIAL_SECRET } from '../../src/core/credential.ts';

describe('a credential', () => {
  it.each(['AKIAIOSFODNN7EXAMPLE', 'a'.repeat(16), 'A_9'.repeat(40)])('may have the id %s', (id) => {
    expect(CREDENTIAL_ID.test(id)).toBe(true);
  });

  it.each([
    '',
    'short',
    'a'.repeat(15),
    'a'.repeat(129),
    'AKIA.IOSFODNN7EXAMPLE',
    'AKIAIOSFODNN7EXAMPLE\n',
    'é'.repeat(20),
  ])('may not have the id %j', (id) => {
    expect(CREDENTIAL_ID.test(id)).toBe(false);
  });

  it('has a secret that Azure’s clients read as base64, and that is long enough', () => {
    const secrets = [16, 20, 40, 128].map((length) => 'aB3z'.repeat(length / 4));
    expect(secrets.map((secret) => CREDENTIAL_SECRET.test(secret))).toEqual([false, true, true, true]);
    for (const bad of [
      'aB3z'.repeat(10).slice(1),
      `${'aB3z'.repeat(10)}====`,
      'aB3/'.repeat(10),
      'x'.repeat(132),
    ]) {
      expect(CREDENTIAL_SECRET.test(bad), bad).toBe(false);
    }
  });

  it.each(['ci', 'ci-prod', 'oidc:repo:org/app', 'a@b.c'])('may be called %s', (name) => {
    expect(CREDENTIAL_NAME.test(name)).toBe(true);
  });

  it.each(['', '-ci', 'ci-', 'c i', 'ci\n', 'x'.repeat(101)])('may not be called %j', (name) => {
    expect(CREDENTIAL_NAME.test(name)).toBe(false);
  });
});
