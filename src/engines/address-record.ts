import type { AddressRecord, Version } from '../core/world.ts';

/** What a row of an address says besides its newest version, which it names by its number alone. */
type StoredRecord = Omit<AddressRecord, 'head'>;

/** @param stored may stand for more, which is no part of the record */
export function toRecord(stored: StoredRecord, head: Version | null): AddressRecord {
  const { deletedAt, lastVersion, fence, lastTicket, typicalHold, freeAt, keptFor } = stored;
  const { changeIndex, lastRelease, retained } = stored;
  return {
    head,
    deletedAt,
    lastVersion,
    fence,
    lastTicket,
    typicalHold,
    freeAt,
    keptFor,
    changeIndex,
    lastRelease,
    retained,
  };
}
