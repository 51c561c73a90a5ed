import { setImmediate } from 'node:timers/promises';
import { objectName } from '../../../core/address.ts';
import type { Shut } from '../../../house/caller.ts';
import type { StateQuery, StateSummary } from '../../../ports/engine.ts';
import type { DoorCall } from './call.ts';

/** States that are read from the house before others have their turn: few where most may be passed, and more each time. */
const STATES_AT_FIRST = 2;
const STATES_AT_A_TIME = 200;
const GROWTH = 10;
/** No name that begins with a prefix comes after the prefix and this. */
const BEHIND_ALL_NAMES: string = '\u{10ffff}'.repeat(256);

const LAST_BEFORE_HALVES = 0xd7_ff;
const FIRST_BEHIND_HALVES = 0xe0_00;

/** A state that a caller may list, under the name of its object. */
export interface NamedState extends StateSummary {
  readonly name: string;
}

export type WalkStart = { readonly after: string } | { readonly from: string };

/** The states of a bucket in S3's order, read as far as they are asked for. */
export class StateWalk {
  readonly #call: DoorCall;
  readonly #prefix: string;
  readonly #deleted: boolean;
  #after: string;
  #page: readonly NamedState[] = [];
  #at = 0;
  #isLast = false;
  #limit = STATES_AT_A_TIME;
  /** Why the caller may see none; null while it may. */
  shut: Shut | null = null;

  /**
   * @param prefix what the objects' names begin with
   * @param deleted whether deleted states are among them
   * @param start the name that they come after, or the first that may be among them
   */
  constructor(
    call: DoorCall,
    { prefix, deleted, ...start }: { readonly prefix: string; readonly deleted: boolean } & WalkStart,
  ) {
    this.#call = call;
    this.#prefix = prefix;
    this.#deleted = deleted;
    this.#after = 'after' in start ? start.after : behindAllBefore(start.from);
  }

  /** The next state, which stays the next one until it is passed; null at the end, or where the caller is shut out. */
  async next(): Promise<NamedState | null> {
    while (this.#at === this.#page.length && !this.#isLast) await this.#read();
    return this.#page[this.#at] ?? null;
  }

  /** Goes on behind the next state. */
  pass(): void {
    this.#at += 1;
  }

  /** Goes on behind all states whose names begin so. */
  passAll(prefix: string): void {
    while (this.#page[this.#at]?.name.startsWith(prefix) === true) this.#at += 1;
    if (this.#at < this.#page.length) return;
    this.#after = prefix + BEHIND_ALL_NAMES;
    this.#limit = STATES_AT_FIRST;
  }

  async #read(): Promise<void> {
    const { house, caller, asked } = this.#call;
    const query: StateQuery = {
      project: asked.bucket,
      deleted: this.#deleted,
      named: { prefix: this.#prefix, after: this.#after },
      limit: this.#limit,
    };
    this.#limit = Math.min(this.#limit * GROWTH, STATES_AT_A_TIME);
    const page = await house.states.list(caller, query);
    this.#page = [];
    this.#at = 0;
    if (page.type !== 'page') {
      this.shut = page;
      this.#isLast = true;
      return;
    }
    this.#page = page.states.map((summary) => ({ ...summary, name: objectName(summary.address) }));
    this.#isLast = page.next === null;
    if (page.next !== null) this.#after = objectName(page.next);
    await setImmediate();
  }
}

/** What comes after all names that are before one, and before that one. */
function behindAllBefore(name: string): string {
  const letters = [...name];
  const last = letters.pop()?.codePointAt(0) ?? 0;
  // Letters are in the order of their bytes but for the halves of pairs, which stand in no name.
  const before = last === FIRST_BEHIND_HALVES ? LAST_BEFORE_HALVES : last - 1;
  const stem = letters.join('');
  return last === 0 ? stem : stem + String.fromCodePoint(before) + BEHIND_ALL_NAMES;
}
