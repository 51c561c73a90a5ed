/** One operation of a concurrent history, as its client saw it. */
export interface Operation<Input, Output> {
  readonly input: Input;
  /** null when the client never learned what came of it: it may have happened at any time after it began, or never. */
  readonly output: Output | null;
  readonly began: number;
  /** When the answer came; of no meaning where there was none. */
  readonly ended: number;
}

/** What the operations should do, if they came one after the other. */
export interface SequentialModel<State, Input, Output> {
  readonly initial: State;
  /** @returns the state after it, or null when this output cannot come of this input in this state */
  step(state: State, input: Input, output: Output | null): State | null;
  /** Equal for states that behave alike from here on. */
  key(state: State): string;
}

export type HistoryVerdict =
  | { readonly type: 'linearizable' }
  /** The longest prefix that could be put in order, and the operations that could come next but fit nowhere. */
  | { readonly type: 'not-linearizable'; readonly ordered: number; readonly stuck: readonly number[] }
  /** The search was given up: nothing is known. */
  | { readonly type: 'unknown'; readonly steps: number };

const STEPS_MAX = 2_000_000;

/**
 * Looks for an order of the operations, each taking effect at one moment between its beginning and its end, in which the
 * model gives the very outputs that were seen (Wing and Gong 1993, with Lowe's memo of what was tried, 2017).
 */
export function checkHistory<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  stepsMax: number = STEPS_MAX,
): HistoryVerdict {
  const operations = [...history].sort((a, b) => a.began - b.began);
  const ends = operations.map(({ output, ended }) => (output === null ? Infinity : ended));
  const answered = operations.filter(({ output }) => output !== null).length;
  const search = new Search(model, operations, ends);
  let deepest: { ordered: number; stuck: readonly number[] } = { ordered: -1, stuck: [] };
  let steps = 0;
  const open: Position<State>[] = [{ state: model.initial, done: 0n, first: 0, answered: 0 }];
  for (let position = open.pop(); position !== undefined; position = open.pop()) {
    if (position.answered === answered) return { type: 'linearizable' };
    steps += 1;
    if (steps > stepsMax) return { type: 'unknown', steps };
    const { next, candidates } = search.from(position);
    if (next.length === 0 && position.answered > deepest.ordered) {
      deepest = { ordered: position.answered, stuck: candidates };
    }
    // Pushed in reverse, so that the operation that began first is tried first.
    for (const after of next.reverse()) open.push(after);
  }
  return { type: 'not-linearizable', ordered: deepest.ordered, stuck: deepest.stuck };
}

/** How far the search has come: which operations have had their turn, and what the state is then. */
interface Position<State> {
  readonly state: State;
  /** A bit for each operation from `first` on that has had its turn; all before `first` have had theirs. */
  readonly done: bigint;
  readonly first: number;
  /** How many operations with a known output have had their turn. */
  readonly answered: number;
}

class Search<State, Input, Output> {
  readonly #model: SequentialModel<State, Input, Output>;
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #ends: readonly number[];
  readonly #seen = new Set<string>();

  constructor(
    model: SequentialModel<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    ends: readonly number[],
  ) {
    this.#model = model;
    this.#operations = operations;
    this.#ends = ends;
  }

  /** The positions that one more operation leads to, and the operations that were tried. */
  from(position: Position<State>): { next: Position<State>[]; candidates: number[] } {
    const candidates = this.#candidates(position);
    const next = candidates.flatMap((index) => {
      const after = this.#after(position, index);
      if (after === null) return [];
      const key = `${after.first} ${after.done.toString(36)} ${this.#model.key(after.state)}`;
      if (this.#seen.has(key)) return [];
      this.#seen.add(key);
      return [after];
    });
    return { next, candidates };
  }

  /** What may come next: all that began before the first end of what is still to come. */
  #candidates({ done, first }: Position<State>): number[] {
    const candidates: number[] = [];
    let soonest = Infinity;
    for (let index = first; index < this.#operations.length; index += 1) {
      const operation = this.#operations[index] as Operation<Input, Output>;
      if (operation.began > soonest) break;
      if ((done >> BigInt(index - first)) & 1n) continue;
      soonest = Math.min(soonest, this.#ends[index] as number);
      candidates.push(index);
    }
    return candidates;
  }

  #after({ state, done, first, answered }: Position<State>, index: number): Position<State> | null {
    const { input, output } = this.#operations[index] as Operation<Input, Output>;
    const after = this.#model.step(state, input, output);
    if (after === null) return null;
    // One that nobody heard of and that changes nothing may as well not have happened.
    if (output === null && this.#model.key(after) === this.#model.key(state)) return null;
    let left = done | (1n << BigInt(index - first));
    let start = first;
    while (left & 1n) {
      left >>= 1n;
      start += 1;
    }
    return { state: after, done: left, first: start, answered: answered + (output === null ? 0 : 1) };
  }
}
