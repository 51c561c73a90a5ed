import { createHash } from 'node:crypto';
import type { Row, Statement } from '../connection.ts';

/*
 * Ids of the audit log are drawn by a transaction before it commits, so that of two at a time the greater may be seen first,
 * and a reader that went on after it would never see the other. So whoever is about to draw ids marks that first with an
 * advisory lock, which nobody waits for, and which ends only after the commit can be seen. The lock's number is an id that
 * could be seen before: all that it draws are greater. A reader looks at what can be seen, then at the locks, and then reads
 * up to the least of them: whoever drew a lesser id had its lock before that and has either ended or is among them.
 */

/** The numbers of advisory locks have 32 bits, and a sign here. */
const MODULUS = 2 ** 31;

/** The SQL that marks that this transaction is about to draw ids. */
export function markDrawing(schema: string): string {
  return `pg_advisory_xact_lock_shared(${lockClassOf(schema)}, (${newest(schema)} % ${MODULUS})::int)`;
}

/** The newest id that can be seen, and the marks that are there after that. {@link drawnUpTo} reads the answer. */
export function markedAsked(schema: string): Statement {
  return {
    text: `SELECT ${newest(schema)} AS newest, coalesce((
        SELECT json_agg(objid::bigint) FROM pg_locks
        WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      ), '[]') AS marks`,
    values: [lockClassOf(schema)],
  };
}

/** The id up to which everything can be seen that ever will be. */
export function drawnUpTo(row: Row | undefined): number {
  const seen = Number(row?.['newest'] ?? 0);
  const behind = (row?.['marks'] as readonly number[] | undefined)?.map(
    (mark) => ((seen % MODULUS) - mark + MODULUS) % MODULUS,
  );
  // What is far behind is not behind at all, but was marked since: all that it draws is greater than what was seen.
  return seen - Math.max(0, ...(behind ?? []).filter((distance) => distance < MODULUS / 2));
}

function newest(schema: string): string {
  return `(SELECT coalesce(max(id), 0) FROM ${schema}.audit)`;
}

/** Schemas of one database have locks of their own. */
function lockClassOf(schema: string): number {
  return createHash('sha256').update(`statehouse audit ${schema}`).digest().readUInt32BE() % MODULUS;
}
