import { readFileSync } from 'node:fs';

/** What a server opens besides connections: the database, its threads, code that is loaded when it is first needed, files of answers. */
const RESERVED = 128;
/** With fewer a server cannot even load its code. */
const NEEDED_MIN = 256;

/** How many files and connections this process may have open at a time; Infinity where the system does not tell. */
export function descriptorsMax(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === '' ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** How many connections a server may take, so that what it answers with can still be opened. */
export function connectionsWithin(descriptors: number): number {
  return Math.max(1, descriptors - RESERVED);
}

/** Why a server with so few descriptors cannot run, in words for the operator; null if it can. */
export function tooFewDescriptors(descriptors: number): string | null {
  if (descriptors >= NEEDED_MIN) return null;
  return (
    `this process may open ${descriptors} files at a time, and a server needs ${NEEDED_MIN} at least, and one for each connection: ` +
    'raise the limit ("ulimit -n", or LimitNOFILE of systemd)'
  );
}
