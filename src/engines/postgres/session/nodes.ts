import type { Row, Statement } from '../connection.ts';

/** A node that was not seen for so long is dead: several beats, so that a slow one is not taken for it. */
const DEAD_AFTER = "interval '8 seconds'";
/** How long the answer to "was it committed?" is kept. */
const MARKS_KEPT = "interval '1 hour'";
/** Rows of old marks that one beat takes away. */
const MARKS_DROPPED_MAX = 5_000;

/** The statements of one beat: "I live", "who lives?", and the sweeping that somebody has to do. */
export function beatStatements(schema: string, node: string): Statement[] {
  return [
    {
      text: `
        INSERT INTO ${schema}.node (id, seen_at) VALUES ($1, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`,
      values: [node],
    },
    { text: `SELECT id FROM ${schema}.node WHERE seen_at > clock_timestamp() - ${DEAD_AFTER}` },
    { text: `DELETE FROM ${schema}.node WHERE seen_at < clock_timestamp() - ${MARKS_KEPT}` },
    {
      text: `
        DELETE FROM ${schema}.commit_mark WHERE id IN (
          SELECT id FROM ${schema}.commit_mark WHERE at < clock_timestamp() - ${MARKS_KEPT}
          ORDER BY at LIMIT ${MARKS_DROPPED_MAX} FOR UPDATE SKIP LOCKED)`,
    },
  ];
}

/** How many nodes live. */
export async function livingNodes(
  read: (statement: Statement) => Promise<readonly Row[]>,
  schema: string,
): Promise<number> {
  const text = `SELECT id FROM ${schema}.node WHERE seen_at > clock_timestamp() - ${DEAD_AFTER}`;
  return (await read({ text })).length;
}
