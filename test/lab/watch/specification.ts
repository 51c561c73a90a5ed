import type { Operation, SequentialModel } from '../../../src/contract/history-checker.ts';
import type { WriteClaim } from './history.ts';

/** What is asked of the one address of a simulation. */
export type Input =
  | { readonly type: 'lock'; readonly lockId: string; readonly shared: boolean }
  | { readonly type: 'unlock'; readonly lockId: string }
  /** The house takes back a grant that nobody was told of. */
  | { readonly type: 'take-back'; readonly lockId: string }
  | { readonly type: 'write'; readonly claim: WriteClaim; readonly text: string }
  | { readonly type: 'read' };

/** What its client saw: `granted`, `released`, `stored`, `refused`, `absent`, or `found` and the text of the state. */
export type Output = string;

export interface Specified {
  readonly holders: readonly { readonly lockId: string; readonly shared: boolean }[];
  readonly text: string | null;
}

/**
 * What a house may do, as users understand it and without a line of its code: a lock that excludes, and a register. Whom it refuses is
 * its own business; what it grants, stores and shows is not.
 */
export const SPECIFICATION: SequentialModel<Specified, Input, Output> = {
  initial: { holders: [], text: null },
  step: (state, input, output) => {
    if (output === 'refused') return state;
    switch (input.type) {
      case 'lock':
        return granted(state, input);
      case 'unlock':
        return withoutHolder(state, input.lockId);
      case 'take-back':
        return withoutHolder(state, input.lockId);
      case 'write':
        return mayWrite(state, input.claim) || state.text === input.text
          ? { ...state, text: input.text }
          : null;
      case 'read': {
        const seen = state.text === null ? 'absent' : `found ${state.text}`;
        return output === null || output === seen ? state : null;
      }
    }
  },
  key: ({ holders, text }) => `${holders.map(({ lockId }) => lockId).join(' ')} ${text ?? ''}`,
};

function granted(state: Specified, { lockId, shared }: Extract<Input, { type: 'lock' }>): Specified | null {
  const { holders } = state;
  if (holders.some((holder) => holder.lockId === lockId)) return state;
  if (holders.length > 0 && !(shared && holders.every((holder) => holder.shared))) return null;
  return { ...state, holders: [...holders, { lockId, shared }] };
}

function withoutHolder(state: Specified, lockId: string): Specified {
  return { ...state, holders: state.holders.filter((holder) => holder.lockId !== lockId) };
}

function mayWrite({ holders }: Specified, claim: WriteClaim): boolean {
  const [holder, ...others] = holders;
  if (claim.kind === 'none') return holder === undefined;
  if (holder?.shared === true || others.length > 0) return false;
  return claim.kind === 'unnamed' || holder?.lockId === claim.lockId;
}

/** A grant of which no answer told may be taken back: once for each request that got none. */
export function withTakeBacks(
  operations: readonly Operation<Input, Output>[],
): readonly Operation<Input, Output>[] {
  const unheard = operations.flatMap((operation) => {
    const { input, output } = operation;
    if (input.type !== 'lock' || output !== null) return [];
    return [{ ...operation, input: { type: 'take-back' as const, lockId: input.lockId } }];
  });
  return [...operations, ...unheard];
}
