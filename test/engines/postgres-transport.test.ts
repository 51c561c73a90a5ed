import { afterEach, describe, expect, it, vi } from 'vitest';
import { transportWarning } from '../../src/engines/postgres/session/transport.ts';

describe('the way to the database', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    'postgres://house:secret@db.internal/house',
    'postgres://house:secret@db.internal/house?sslmode=disable',
    'postgres://house:secret@10.0.0.7:5432/house',
    'postgres://house:secret@[2001:db8::7]/house',
    'postgres://house:secret@localhost.example/house',
    'postgres://house:secret@/house?host=db.internal',
  ])('is open without TLS: %s', (url) => {
    expect(transportWarning(url)).toMatch(/has no TLS.*sslmode=verify-full/);
    expect(transportWarning(url)).not.toContain('secret');
  });

  it('is open to who poses as the database where its certificate is not checked', () => {
    expect(transportWarning('postgres://db.internal/house?sslmode=no-verify')).toMatch(/not checked/);
    expect(transportWarning('postgres://db.internal/house?sslmode=require&uselibpqcompat=true')).toMatch(
      /not checked/,
    );
  });

  it.each([
    'postgres://db.internal/house?sslmode=verify-full',
    'postgres://db.internal/house?ssl=true',
    'postgres://localhost/house',
    'postgres://127.0.0.1:5433/house',
    'postgres://[::1]/house',
    'postgres://%2Fvar%2Frun%2Fpostgresql/house',
    'postgres:///house?host=/var/run/postgresql',
  ])('is closed: %s', (url) => {
    expect(transportWarning(url)).toBeNull();
  });

  it('may be closed by the environment of the driver', () => {
    vi.stubEnv('PGSSLMODE', 'verify-full');
    expect(transportWarning('postgres://db.internal/house')).toBeNull();
  });
});
