import type { Grant, Role } from '../../src/core/grant.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';
import type { Pair } from '../support/test-admin.ts';
import type { Need, Tables } from './tables.ts';

/** Somebody who asks, and what the page says that it may. */
export interface Asker {
  readonly name: string;
  readonly kind: 'valid' | 'expired' | 'revoked' | 'wrong secret' | 'none';
  readonly subject: string;
  readonly pair: Pair | null;
  readonly grants: readonly Grant[];
  /** Whether the page gives it what a row needs. */
  readonly may: (need: Need) => boolean;
}

const EXPIRES_MS = 400;

/** Every role on every pattern of the page, and the credentials that may do nothing. */
export async function makeAskers(house: TestHouse, tables: Tables): Promise<readonly Asker[]> {
  const askers: Asker[] = [];
  for (const role of tables.roles) {
    for (const [pattern, reaches] of tables.patterns) {
      const name = `${role}-${askers.length}`;
      const grants = [{ role: role as Role, pattern }];
      const pair = await house.credential(name, grants);
      const may = ({ right, on }: Need): boolean =>
        right === null || (reaches.has(on) && tables.rights.get(right)?.has(role) === true);
      askers.push({ name: `${role}:${pattern}`, kind: 'valid', subject: `token:${name}`, pair, grants, may });
    }
  }
  const nothing = { grants: [], may: (): boolean => false };
  const expiresAt = Date.now() + EXPIRES_MS;
  for (const [role, pattern] of [
    ['admin', '*'],
    ['writer', 'acme/*'],
  ] as const) {
    const pair = await house.credential(`expired-${role}`, [{ role, pattern }], expiresAt);
    askers.push({
      name: `expired ${role}:${pattern}`,
      kind: 'expired',
      subject: `token:expired-${role}`,
      pair,
      ...nothing,
    });
  }
  const revoked = await house.credential('revoked', [{ role: 'admin', pattern: '*' }]);
  await house.house.credentials.revoke(ADMIN_CALLER, revoked.id);
  askers.push({ name: 'revoked', kind: 'revoked', subject: 'token:revoked', pair: revoked, ...nothing });
  const known = await house.credential('known', [{ role: 'admin', pattern: '*' }]);
  const wrong = { id: known.id, secret: `${known.secret.slice(0, -4)}AAAA` };
  askers.push({
    name: 'wrong secret',
    kind: 'wrong secret',
    subject: 'token:known',
    pair: wrong,
    ...nothing,
  });
  askers.push({ name: 'none', kind: 'none', subject: 'none', pair: null, ...nothing });
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, expiresAt - Date.now() + 10)));
  return askers;
}
