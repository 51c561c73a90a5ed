import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { StateHeader } from '../../core/state-header.ts';
import { isStateHeader, readStateHeader } from '../../core/state-header.ts';
import { Failure } from '../failure.ts';

/** The header of a state. @throws Failure when the bytes are none, naming where they came from */
export function headerOf(bytes: Uint8Array, from: string): StateHeader {
  const header = readStateHeader(bytes);
  if (isStateHeader(header)) return header;
  throw new Failure(`${from} holds no state that can be read: ${header.problem}`, {
    next: 'If the state was damaged, bring an old one back: the .backup file, "statehouse state history", or a pulled copy.',
  });
}

/** What a state says. @throws Failure when it cannot be read, or is encrypted */
export async function snapshotOf(bytes: Uint8Array, from: string): Promise<Snapshot> {
  const { readSnapshot } = await import('../../core/snapshot/read.ts');
  const read = readSnapshot(bytes);
  if ('problem' in read) {
    throw new Failure(`${from} holds no state that can be read: ${read.problem}`);
  }
  if (read.type === 'encrypted') {
    throw new Failure(
      `${from} is encrypted by OpenTofu: only serial ${read.serial} and lineage ${read.lineage} can be read`,
      {
        next: '"tofu state pull", with the encryption configured, prints it in the clear.',
      },
    );
  }
  return read;
}

/** The bytes, or a failure that says that there is no state. */
export function presentState(bytes: Uint8Array | null, where: string): Uint8Array {
  if (bytes !== null) return bytes;
  throw new Failure(`there is no state yet at ${where}`, { next: 'terraform apply makes one.' });
}
