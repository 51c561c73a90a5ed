import type { BackendBlock, BlockTarget, Variable } from '../protocols/backend-block.ts';
import { DOORS } from '../server/doors.ts';

/** How terraform reaches the house by each of its backends, of those that it has a door for. */
export const BACKEND_BLOCKS: Readonly<Record<string, (target: BlockTarget) => BackendBlock>> =
  Object.fromEntries(
    DOORS.flatMap(({ name, backendBlock }) => (backendBlock === null ? [] : [[name, backendBlock]])),
  );

/** A variable as the line that a POSIX shell takes. */
export function exportLine({ name, value, file }: Variable): string {
  return `export ${name}=${file === undefined ? quoted(value) : `"$(cat ${quoted(file)})"`}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
