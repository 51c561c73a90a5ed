import type { Address } from '../core/address.ts';
import type {
  Actor,
  DeleteCommand,
  LockCommand,
  SealedBody,
  UnlockCommand,
  WriteCommand,
} from '../core/command.ts';

/** Commands with everything in them, for tests that care about one field or two. */
export const ALICE: Actor = { subject: 'token:alice', door: 'http' };
export const BOB: Actor = { subject: 'token:bob', door: 's3' };

/** What seals things in tests: the first letter of the bytes says under which key. */
export function testKeyIdOf(sealed: Uint8Array): string {
  return String.fromCharCode(sealed[0] ?? 0);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

let bodies = 0;

/** A body that no other has the id of. */
export function bodyOf(segments: readonly Uint8Array[] = [bytes('sealed')], keyId = 'k'): SealedBody {
  bodies += 1;
  return { id: `body-${process.pid}-${bodies}`, keyId, wrappedKey: bytes(`${keyId}-wrapped`), segments };
}

export function lockOf(address: Address, lockId: string, more: Partial<LockCommand> = {}): LockCommand {
  return {
    type: 'lock',
    address,
    actor: ALICE,
    lockId,
    waiter: lockId,
    operation: 'OperationTypeApply',
    shared: false,
    alias: 'http',
    lease: null,
    delay: 0,
    info: bytes(`k-${lockId}`),
    seat: null,
    wait: null,
    ...more,
  };
}

export function unlockOf(
  address: Address,
  lockId: string | null,
  more: Partial<UnlockCommand> = {},
): UnlockCommand {
  return { type: 'unlock', address, actor: ALICE, lockId, alias: null, mayBreak: false, ...more };
}

/** A write of a state that differs from every other by its serial and its text. */
export function writeOf(
  address: Address,
  serial: bigint,
  { text = '', ...more }: Partial<WriteCommand> & { readonly text?: string } = {},
): WriteCommand {
  return {
    type: 'write',
    address,
    actor: ALICE,
    claim: { kind: 'none' },
    serial,
    lineage: 'lineage-1',
    terraformVersion: '1.11.4',
    encrypted: false,
    size: 180,
    sha256: `sha256-${serial}-${text}`,
    md5: `md5-${serial}-${text}`,
    body: bodyOf(),
    restore: null,
    ...more,
  };
}

export function deleteOf(address: Address, more: Partial<DeleteCommand> = {}): DeleteCommand {
  return { type: 'delete', address, actor: ALICE, claim: { kind: 'none' }, ...more };
}
