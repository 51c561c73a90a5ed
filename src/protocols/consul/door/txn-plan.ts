import { isSameAddress } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import { readKey } from '../layout.ts';
import type { DoorCall } from './call.ts';
import { noSession, type ConsulError } from './errors.ts';
import { UNNAMED_CLAIM } from './state.ts';
import type { TxnOperation } from './txn-body.ts';

/** What the operations of a transaction have read, which its change holds to: the house compares it in the step that makes the change. */
export interface Pins {
  /** The index of the state, 0 for none; null where nothing was read of it. */
  readonly index: number | null;
  /** The session that holds its lock; null where that was not asked. */
  readonly session: string | null;
}

export const NO_PINS: Pins = { index: null, session: null };

/** An index that no state has. */
const IMPOSSIBLE = -1;

const OF_TREE: ReadonlySet<string> = new Set(['get-tree', 'delete-tree']);
/** What can be read before a change and holds when it is made, by what it is asked of. */
const PINS: Readonly<Record<string, 'state' | 'lock'>> = {
  get: 'state',
  'get-or-empty': 'state',
  'check-index': 'state',
  'check-not-exists': 'state',
  'check-session': 'lock',
};
const CHANGES: ReadonlySet<string> = new Set(['set', 'cas', 'delete', 'delete-cas']);
const READS: ReadonlySet<string> = new Set([...Object.keys(PINS), 'get-tree']);

/** Why these operations cannot be done as one; null where they can. */
export function planProblem(
  operations: readonly TxnOperation[],
): { readonly what: string; readonly instead: string } | null {
  const changes = operations.filter(({ verb }) => !READS.has(verb));
  const [change] = changes;
  if (operations.length === 1 || change === undefined) return null;
  if (changes.length > 1)
    return {
      what: 'a transaction that changes several keys',
      instead: 'send one for each: every state and every lock is decided by itself here',
    };
  const isPlain =
    operations.at(-1) === change &&
    CHANGES.has(change.verb) &&
    operations.slice(0, -1).every((read) => isOfSame(read, change));
  return isPlain
    ? null
    : {
        what: `"${change.verb}" beside these operations in a transaction`,
        instead:
          'the change of one state comes last, after get, get-or-empty, check-index or check-not-exists of that state, or check-session of its lock',
      };
}

/** What is read of a state, or of its lock. */
function isOfSame(read: TxnOperation, change: TxnOperation): boolean {
  if (OF_TREE.has(read.verb)) return false;
  const [at, changed] = [readKey(read.key), readKey(change.key)];
  if (at.kind !== PINS[read.verb] || changed.kind !== 'state') return false;
  return isSameAddress(at.address, changed.address);
}

/** What is held to after one more operation. @param index of the state that it told of, 0 for none */
export function pinned(pins: Pins, { verb, session }: TxnOperation, index: number): Pins {
  if (PINS[verb] === 'lock') return { ...pins, session: session() };
  if (PINS[verb] !== 'state') return pins;
  return { ...pins, index: pins.index === null || pins.index === index ? index : IMPOSSIBLE };
}

/** The index that the state must have for the change to be made. @param asked what the change itself asks for; null for any */
export function expectedOf({ index }: Pins, asked: number | null): number | null {
  if (index === null || asked === null) return index ?? asked;
  return index === asked ? index : IMPOSSIBLE;
}

/** The lock that the change is made under: that of the session which was asked for, if it is the caller's own. */
export async function claimOf(
  { sessions, caller }: DoorCall,
  { session }: Pins,
): Promise<Claim | ConsulError> {
  if (session === null) return UNNAMED_CLAIM;
  const found = await sessions.find(session);
  return found?.subject === caller.identity.subject ? { kind: 'named', lockId: session } : noSession(session);
}
