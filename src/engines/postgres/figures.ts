import type { StoredFigures } from '../../ports/engine.ts';
import type { Connections } from './connection.ts';

/** Counts what is kept. The database does it, while its other work goes on. */
export async function countStored(connections: Connections, schema: string): Promise<StoredFigures> {
  const [row] = await connections.read({
    text: `SELECT
      (SELECT count(*) FROM ${schema}.address WHERE head IS NOT NULL AND deleted_at IS NULL) AS states,
      (SELECT count(*) FROM ${schema}.version) AS versions,
      (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r') AS bytes`,
    values: [schema],
  });
  const of = (name: string): number => Number(row?.[name] ?? 0);
  return { states: of('states'), versions: of('versions'), bytes: of('bytes') };
}
