import type { CredentialShape } from '../../../../src/api/shapes/house.ts';

const SOON_MS = 14 * 24 * 60 * 60 * 1_000;

/** Whether a credential opens the doors, and whether that ends soon. @param now milliseconds since 1970 */
export function standingOf(
  { revokedAt, expiresAt }: Pick<CredentialShape, 'revokedAt' | 'expiresAt'>,
  now: number,
): 'good' | 'ending' | 'expired' | 'revoked' {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt === null) return 'good';
  const left = Date.parse(expiresAt) - now;
  return left <= 0 ? 'expired' : left < SOON_MS ? 'ending' : 'good';
}
