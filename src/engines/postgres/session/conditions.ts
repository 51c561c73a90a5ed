/** Numbers the values of a statement while its conditions are gathered. */
export class Conditions {
  readonly values: unknown[];
  readonly #texts: string[] = [];

  /** @param before values of the same statement that are numbered already */
  constructor(before: readonly unknown[] = []) {
    this.values = [...before];
  }

  /** @param text with "?" where the value goes */
  add(text: string, ...values: readonly unknown[]): void {
    let at = this.values.length;
    this.values.push(...values);
    this.#texts.push(text.replaceAll('?', () => `$${++at}`));
  }

  get where(): string {
    return this.#texts.length === 0 ? '' : `WHERE ${this.#texts.join(' AND ')}`;
  }
}

/** The most rows of a statement, which may be all of them. */
export function limitOf(rows: number): string {
  return Number.isFinite(rows) ? `LIMIT ${Math.trunc(rows)}` : '';
}
