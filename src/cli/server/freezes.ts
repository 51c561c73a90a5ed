import type { FreezeShape } from '../../api/shapes/freeze.ts';

export const FREEZE_COLUMNS: readonly string[] = ['FROZEN', 'UNTIL', 'BY', 'REASON'];

/** A freeze as a row of a table. */
export function freezeRow({ pattern, until, by, reason }: FreezeShape): readonly string[] {
  return [pattern, until, by, reason];
}
