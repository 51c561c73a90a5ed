import type { Variable } from '../../protocols/backend.ts';

/** A variable as the line that a POSIX shell takes. */
export function exportLine({ name, value, file }: Variable): string {
  return `export ${name}=${file === undefined ? quoted(value) : `"$(cat ${quoted(file)})"`}`;
}

/** A text as one word of a POSIX shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
