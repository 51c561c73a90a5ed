import { DatabaseError } from 'pg';
import { EngineFault } from '../../ports/engine.ts';

/** SQLSTATEs after which the server closes the connection, or the connection is of no more use. */
const LOST = /^(?:08|57P0[1-5]$|25P0[34]$|25006$)/;
/** Two transactions in each other's way: the same again is worth a try. */
const CONFLICT: ReadonlySet<string> = new Set(['40001', '40P01', '40003']);
/** Refused until somebody changes something: no use in trying at once again. */
const SETTLED = /^(?:28|3D)/;
/** The server has too much to do now, or is not ready yet. */
const BUSY: ReadonlySet<string> = new Set(['53300', '55P03', '57014', '57P03', '57P01', '57P02']);

/** What an operator is told for a SQLSTATE (postgresql.org/docs/current/errcodes-appendix.html). */
const ADVICE: Readonly<Record<string, string>> = {
  '28P01': 'the database refuses the password: look at the user and password of the database URL',
  '26000':
    'a prepared statement is not there: a pooler between the server and the database does not keep them; add prepared=off to the database URL',
  '28000': 'the database refuses the user: look at the database URL and the pg_hba.conf of the server',
  '3D000': 'there is no such database: create it, or look at the name in the database URL',
  '3F000': 'the schema is not there: it was dropped, or "schema=" of the database URL names another',
  '42P01': 'a table is not there: it was dropped, or "schema=" of the database URL names another schema',
  '42501': 'the database user lacks a privilege: docs/many-nodes.md lists what it needs',
  '25006': 'the database is read-only: a standby? The database URL must lead to the primary',
  '53100': "the disk of the database's server is full",
  '53200': 'the database server is out of memory',
  '53300': 'the database server has no free connection',
  '55P03': 'a row is locked for too long',
  '57014': 'the database took too long',
  '57P01': 'the database is shutting down',
  '57P03': 'the database is starting up',
};

const TLS_TROUBLE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)|CERT/;

/** The driver's word that a connection broke, or that none was to be had. */
export class ConnectionLost extends Error {
  readonly code: string;

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = 'ConnectionLost';
    this.code = codeOf(cause);
  }

  /** An error of the driver as it is where the server said it, and else as the loss of the connection. */
  static orRefusal(error: unknown): Error {
    if (error instanceof DatabaseError) return error;
    return new ConnectionLost(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Whether the connection broke, so that nothing is known of what was under way on it. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return error instanceof ConnectionLost;
  return LOST.test(error.code ?? '') || error.severity === 'FATAL';
}

/** Whether the same transaction may go through when it is tried again. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ConnectionLost) return !isTlsTrouble(error);
  if (!(error instanceof DatabaseError)) return false;
  return CONFLICT.has(error.code ?? '') || (isLost(error) && !SETTLED.test(error.code ?? ''));
}

/** The fault for an error of the driver or the server: words for the operator, and nothing of any row. */
export function faultFrom(error: unknown): EngineFault {
  if (error instanceof EngineFault) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // The server's DETAIL may quote rows, so only its code and its message are passed on.
  const cause = new Error(`${code} ${message}`.trim());
  if (error instanceof ConnectionLost) {
    return isTlsTrouble(error)
      ? new EngineFault(`the database's TLS is not as the database URL asks (${code || message})`, { cause })
      : new EngineFault(`the database cannot be reached (${code || message})`, { cause, busy: true });
  }
  if (!(error instanceof DatabaseError))
    return new EngineFault(`the engine failed: ${message}`, { cause: error });
  const words = ADVICE[code] ?? `the database failed: ${message}`;
  return new EngineFault(`${words} (${code})`, { cause, busy: BUSY.has(code) || CONFLICT.has(code) });
}

function isTlsTrouble(error: ConnectionLost): boolean {
  return TLS_TROUBLE.test(codeOf(error)) || /does not support SSL/.test(error.message);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
