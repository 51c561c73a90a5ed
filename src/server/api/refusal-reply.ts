import { formatAddress, type Address } from '../../core/address.ts';
import type { DoorReply } from '../../protocols/door.ts';
import { problemReply } from '../../protocols/wire/problem.ts';
import type { Refusal } from '../../protocols/explain.ts';
import { refusalProblem } from '../../protocols/wire/refusal.ts';

/**
 * The API's answer to a refusal.
 * @param address null for what was asked of the house as a whole
 * @param version the version that was asked for, if one was
 */
export function refusalReply(
  operation: string,
  address: Address | null,
  refusal: Refusal,
  version: number | null = null,
): DoorReply {
  const problem = refusalProblem(address, refusal);
  const message =
    refusal.type === 'absent' && address !== null && version !== null
      ? `there is no version ${version} at ${formatAddress(address)}`
      : problem.message;
  return problemReply(operation, refusal.type, { ...problem, message });
}
