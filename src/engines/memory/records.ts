import { formatAddress } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import type { Credential } from '../../core/credential.ts';
import type { RecordCommand } from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import type { StoredAddress } from './engine.ts';

/** Everything that is sealed under the master key. */
export interface Sealed {
  readonly bodies: Map<string, SealedBody>;
  readonly credentials: Map<string, Credential>;
  readonly kept: ReadonlyMap<string, StoredAddress>;
}

/** Forgets the credentials that ended before these moments. */
export function dropCredentials(
  credentials: Map<string, Credential>,
  { revokedBefore, expiredBefore }: Extract<RecordCommand, { type: 'drop-credentials' }>,
): void {
  for (const { id, revokedAt, expiresAt } of credentials.values()) {
    const isRevoked = revokedAt !== null && revokedAt < revokedBefore;
    if (isRevoked || (expiresAt !== null && expiresAt < expiredBefore)) credentials.delete(id);
  }
}

/** @returns whether there is one that can be changed */
export function changeCredential(
  credentials: Map<string, Credential>,
  { id, change }: Extract<RecordCommand, { type: 'change-credential' }>,
): boolean {
  const stored = credentials.get(id);
  if (stored === undefined || stored.revokedAt !== null) return false;
  credentials.set(id, { ...stored, ...change });
  return true;
}

/** Puts the new sealing in the place of the old one, if what it seals is still there. */
export function reseal({ bodies, credentials, kept }: Sealed, item: Resealed): void {
  if (item.kind === 'body') {
    const body = bodies.get(item.id);
    if (body === undefined || !isSame(body.wrappedKey, item.replaces)) return;
    const { madeUnder = body.keyId } = body;
    bodies.set(item.id, { ...body, keyId: item.keyId, wrappedKey: item.wrappedKey, madeUnder });
    return;
  }
  if (item.kind === 'credential') {
    const credential = credentials.get(item.id);
    if (credential !== undefined) credentials.set(item.id, { ...credential, sealedSecret: item.sealed });
    return;
  }
  // What is in memory needs no key of its rows.
  if (item.kind === 'row-key') return;
  const place = kept.get(formatAddress(item.address));
  if (place === undefined) return;
  const { world } = place;
  place.world =
    item.kind === 'holder'
      ? {
          ...world,
          holders: world.holders.map((holder) =>
            holder.lockId === item.lockId ? { ...holder, info: item.sealed } : holder,
          ),
        }
      : {
          ...world,
          line: world.line.map((stood) =>
            stood.waiter === item.waiter ? { ...stood, info: item.sealed } : stood,
          ),
        };
}

function isSame(stored: Uint8Array, expected: Uint8Array | undefined): boolean {
  return expected === undefined || Buffer.compare(stored, expected) === 0;
}
