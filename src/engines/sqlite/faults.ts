import { EngineFault } from '../../ports/engine.ts';

/** SQLite's result codes (sqlite.org/rescode.html), as far as they make a difference here. */
const PRIMARY = 0xff;
const BUSY = 5;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
const IOERR_READ = 266;
const IOERR_SHORT_READ = 522;
const IOERR_DATA = 8_202;
const IOERR_CORRUPTFS = 8_458;

/** A page that cannot be read is the trouble of whoever needs that page. */
const UNREADABLE: ReadonlySet<number> = new Set([IOERR_READ, IOERR_SHORT_READ, IOERR_DATA, IOERR_CORRUPTFS]);
const DAMAGED: ReadonlySet<number> = new Set([CORRUPT, NOTADB]);
/** After one of these nobody knows what is on the disk, so nothing more is written. */
const UNTRUSTED: ReadonlySet<number> = new Set([NOMEM, READONLY, IOERR, FULL, CANTOPEN]);

export function isBusy(error: unknown): boolean {
  return (codeOf(error) & PRIMARY) === BUSY;
}

/** Whether an error in a transaction means that the engine must stop, rather than that one command failed. */
export function isUntrusted(error: unknown): boolean {
  const code = codeOf(error);
  return UNTRUSTED.has(code & PRIMARY) && !UNREADABLE.has(code);
}

/** Whether what is stored cannot be read, or makes no sense. */
function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return DAMAGED.has(code & PRIMARY) || UNREADABLE.has(code);
}

/** The fault of one read or one command, in words for the operator. */
export function describe(error: unknown): string {
  if (error instanceof EngineFault) return error.message;
  if (isDamage(error)) return damaged(messageOf(error));
  return `the database failed: ${messageOf(error)}`;
}

/** What to say of a database that does not hold what it should. */
export function damaged(what: string): string {
  return (
    `the database is damaged (${what}): stop the server and restore a backup with "statehouse restore-backup"; ` +
    '"statehouse decrypt" may still read the states that are not affected'
  );
}

/** Runs a read, so that whatever goes wrong in it comes out as a fault and never as "absent". */
export function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof EngineFault ? cause : new EngineFault(describe(cause), { cause });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code : 0;
}
