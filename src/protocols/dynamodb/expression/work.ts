import { setImmediate } from 'node:timers/promises';
import type { AttributeValue } from '../attribute.ts';
import { sizeOf } from '../size.ts';
import { ExpressionProblem } from './tokens.ts';

/** What the expressions of one request may look at, all tests of all items together. */
export const WORK_MAX: number = 8 * 1024 * 1024;
/** Looked at between two items before others have their turn. */
const TURN = 256 * 1024;
/** What a test counts for beside the values that it looks at, and what each value inside of one does. */
const TEST = 64;
const PART = 256;

/** Counts what the expressions of one request look at, so that none of them holds up everybody else. */
export class Work {
  #done = 0;
  #turnEnds = TURN;

  /**
   * Counts one test, and the values that it looks at.
   * @throws {ExpressionProblem} when the request has had its share
   */
  test(...values: readonly (AttributeValue | undefined)[]): void {
    let amount = TEST;
    for (const value of values) {
      if (value === undefined) continue;
      const { bytes, parts } = sizeOf(value);
      amount += bytes + PART * (parts - 1);
    }
    this.add(amount);
  }

  /** Counts so many bytes. */
  add(bytes: number): void {
    this.#done += bytes;
    if (this.#done > WORK_MAX) {
      throw new ExpressionProblem(
        `The expressions of one request look at more than ${WORK_MAX} bytes here: compare less, or smaller values`,
      );
    }
  }

  /** Lets others have their turn, if this request has had one. */
  async rest(): Promise<void> {
    if (this.#done < this.#turnEnds) return;
    this.#turnEnds = this.#done + TURN;
    await setImmediate();
  }
}
