import type { Caller } from '../house/caller.ts';
import type { House } from '../house/house.ts';

/** The admin credential at the moment when it was made. */
export interface AdminGrant {
  readonly id: string;
  readonly secret: string;
}

/** The house acting for itself, before anybody can. */
const HOUSE: Caller = {
  identity: { subject: 'house:first-start', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'house',
};

/**
 * Sees to it that somebody may manage the house: the admin that the configuration fixes, or, in a house that has none, a new
 * one, whose secret is told once.
 * @throws {TypeError} when the fixed credential is not of the right form
 */
export async function ensureAdmin(house: House, fixed: string | null): Promise<AdminGrant | null> {
  const { credentials } = house;
  if (fixed !== null) {
    const dot = fixed.indexOf('.');
    await credentials.ensureAdmin(HOUSE, fixed.slice(0, Math.max(dot, 0)), fixed.slice(dot + 1));
    return null;
  }
  if (await credentials.hasAdmin()) return null;
  const made = await credentials.create(HOUSE, {
    name: 'admin',
    grants: [{ role: 'admin', pattern: '*' }],
    expiresAt: null,
  });
  if (made.type !== 'created') throw new Error(`the first admin could not be made: ${made.type}`);
  return { id: made.credential.id, secret: made.secret };
}
