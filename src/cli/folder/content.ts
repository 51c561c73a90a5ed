import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { StateHeader } from '../../core/state-header.ts';
import { isStateHeader, readStateHeader } from '../../core/state-header.ts';
import { Failure } from '../failure.ts';

/** The header of a state. @throws Failure when the bytes are not a state, naming where they came from */
export function headerOf(bytes: Uint8Array, from: string): StateHeader {
  const header = readStateHeader(bytes);
  if (isStateHeader(header)) return header;
  throw new Failure(`${from} does not contain a readable state: ${header.problem}`, {
    next: 'If the state is damaged, restore an old one: from the .backup file, from "statehouse history", or from a pulled copy.',
  });
}

/** What a state says. @throws Failure when it cannot be read, or is encrypted */
export async function snapshotOf(bytes: Uint8Array, from: string): Promise<Snapshot> {
  const { readSnapshot } = await import('../../core/snapshot/read.ts');
  const read = readSnapshot(bytes);
  if ('problem' in read) {
    throw new Failure(`${from} does not contain a readable state: ${read.problem}`);
  }
  if (read.type === 'encrypted') {
    throw new Failure(
      `${from} is encrypted by OpenTofu: only serial ${read.serial} and lineage ${read.lineage} can be read`,
      {
        next: '"tofu state pull" prints it decrypted, where the encryption is configured.',
      },
    );
  }
  return read;
}

/** The bytes, or a failure that says that there is no state. */
export function presentState(bytes: Uint8Array | null, where: string): Uint8Array {
  if (bytes !== null) return bytes;
  throw new Failure(`there is no state yet at ${where}`, { next: 'terraform apply creates one.' });
}
