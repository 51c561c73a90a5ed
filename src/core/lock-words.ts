import { formatDuration } from './duration.ts';
import type { Milliseconds } from './instant.ts';
import { OPERATION_EXEC, OPERATION_EXEC_CLAIMED, OPERATION_LOCK } from './lock-info.ts';
import { visible } from './visible.ts';

/** A held lock, as far as whoever tells of it knows. */
export interface LockFacts {
  /** Who holds it, as authenticated; empty where nobody was. */
  readonly subject: string;
  /** What its holder calls itself: `alice@laptop`. */
  readonly who: string;
  readonly operation: string;
  /** Why it is held, in its holder's words; empty where it does not say. */
  readonly reason: string;
  /** null where that cannot be known. */
  readonly heldFor: Milliseconds | null;
  /** How long locks are usually held here; null where that is not known yet. */
  readonly usualHold: Milliseconds | null;
  /** How many hold it together with this one. */
  readonly others?: number;
}

/** Where an asker stands. */
export interface LinePlace {
  /** 1 is next; null for one who has no place in line. */
  readonly position: number | null;
  readonly waiting: number;
}

/** Terraform's names for operations, in the words of its command line. */
const OPERATIONS: Readonly<Record<string, string>> = {
  OperationTypeApply: 'apply',
  OperationTypePlan: 'plan',
  OperationTypeRefresh: 'refresh',
  OperationTypeInvalid: 'another command',
  [OPERATION_LOCK]: 'statehouse lock',
  [OPERATION_EXEC]: 'statehouse exec',
  [OPERATION_EXEC_CLAIMED]: 'statehouse exec',
};

/** Where a reason is cut: it stands in the middle of a sentence. */
const REASON_LENGTH_MAX = 200;

/**
 * Who holds a lock, for how long, and why, in one line that a terminal can show:
 * `held by token:alice (alice@laptop, apply) for 2m 10s, usually 3m, reason: moving the database`.
 */
export function heldInWords(lock: LockFacts): string {
  const { subject, who, operation, reason, heldFor, usualHold, others = 0 } = lock;
  const name = subject === '' ? who : subject;
  const rest = [name === who ? '' : who, operationInWords(operation)].filter((text) => text !== '');
  return visible(
    [
      `held by ${name === '' ? 'an unknown holder' : name}`,
      rest.length === 0 ? '' : ` (${rest.join(', ')})`,
      others === 0 ? '' : ` and ${others} more`,
      heldFor === null ? '' : ` for ${formatDuration(heldFor)}`,
      usualHold === null ? '' : `, usually ${usualHold < 1_000 ? 'less than 1s' : formatDuration(usualHold)}`,
      reason === '' ? '' : `, reason: ${brief(reason)}`,
    ].join(''),
  );
}

/** Where in line the asker stands: `you are 2nd of 3 in line`. Empty where nobody waits. */
export function placeInWords({ position, waiting }: LinePlace): string {
  if (position !== null) return `you are ${ordinal(position)} of ${Math.max(waiting, position)} in line`;
  if (waiting === 0) return '';
  return `${waiting} ${waiting === 1 ? 'waits' : 'wait'} in line`;
}

/** Where to look at a lock and its line; empty where that is not known. @param page its address for a browser */
export function whereToLook(page: string | null): string {
  return page === null ? '' : `see ${visible(page)}`;
}

/** `OperationTypeApply` as people say it: `apply`. */
export function operationInWords(operation: string): string {
  return Object.hasOwn(OPERATIONS, operation) ? (OPERATIONS[operation] ?? operation) : operation;
}

/** `1st`, `2nd`, `13th`. */
export function ordinal(number: number): string {
  const teen = Math.floor((number % 100) / 10) === 1;
  return `${number}${(teen ? undefined : ['th', 'st', 'nd', 'rd'][number % 10]) ?? 'th'}`;
}

function brief(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= REASON_LENGTH_MAX) return text;
  return `${characters.slice(0, REASON_LENGTH_MAX - 1).join('')}…`;
}
