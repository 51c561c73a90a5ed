import type { CredentialShape } from '../../api/shapes/house.ts';
import { Failure } from '../failure.ts';
import type { HouseClient } from './client.ts';

/** The credential that has this id or name, first the one that is not revoked. @throws {Failure} when it does not exist */
export async function findCredential(
  house: HouseClient,
  wanted: string | undefined,
): Promise<CredentialShape> {
  const { credentials } = await house.ask('list-credentials', {});
  const found =
    credentials.find(({ id }) => id === wanted) ??
    credentials.find(({ name, revokedAt }) => name === wanted && revokedAt === null) ??
    // Revoked before: its locks can still be broken.
    credentials.findLast(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new Failure(`there is no credential "${wanted}"`, {
    next: '"statehouse credential list" lists all credentials.',
  });
}
