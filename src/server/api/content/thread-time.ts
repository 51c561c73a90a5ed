import { readFileSync } from 'node:fs';

/** Linux counts the time of a thread in hundredths of a second (`getconf CLK_TCK`). */
const TICK_MS = 10;
/** Places after the name of the thread, which is in parentheses and may have spaces: utime and stime of proc(5), stat. */
const UTIME = 11;
const STIME = 12;

/**
 * How much time of a processor a thread has had, in milliseconds.
 * @param stat its file under `/proc`
 * @returns null where that cannot be read
 */
export function threadTime(stat: string): number | null {
  try {
    const text = readFileSync(stat, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[UTIME]) + Number(fields[STIME]);
    return Number.isFinite(ticks) ? ticks * TICK_MS : null;
  } catch {
    return null;
  }
}
