/** What one part of the bench has to say: a heading, what was done, a table. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly table: string;
}

/** Says on standard error how far a part has come. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
