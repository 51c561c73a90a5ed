import type { SqlValue } from '../files/driver.ts';

/** Conditions of SQL, and the values that are bound in them. */
export class Conditions {
  readonly #conditions: string[] = ['true'];
  readonly values: SqlValue[] = [];

  get text(): string {
    return this.#conditions.join(' AND ');
  }

  add(condition: string, ...bound: SqlValue[]): this {
    this.#conditions.push(condition);
    this.values.push(...bound);
    return this;
  }

  /** These and one more. */
  and(condition: string): Conditions {
    return new Conditions().add(this.text, ...this.values).add(condition);
  }
}
