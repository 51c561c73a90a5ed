import { EngineFault, type StoredBody } from '../../ports/engine.ts';
import type { Connections, Row } from './connections.ts';
import { plain } from './rows.ts';

/** Segments of one read: a megabyte of memory for each body that is being sent. */
const SEGMENTS_READ = 4;

/** A stored body, whose segments are read as they are consumed: no connection is held in between. */
export function storedBody(connections: Connections, schema: string, row: Row): StoredBody {
  const id = row['id'] as string;
  const count = row['segments'] as number;
  return {
    id,
    keyId: row['key_id'] as string,
    wrappedKey: plain(row['wrapped_key']),
    async *segments() {
      for (let from = 0; from < count; from += SEGMENTS_READ) {
        const to = Math.min(from + SEGMENTS_READ, count);
        const rows = await connections.read({
          text: `SELECT data FROM ${schema}.segment WHERE body_id = $1 AND number >= $2 AND number < $3 ORDER BY number`,
          values: [id, from, to],
        });
        if (rows.length !== to - from) {
          throw new EngineFault(
            'a part of the body is not there: it was pruned while it was read, or is damaged',
          );
        }
        for (const segment of rows) yield plain(segment['data']);
      }
    },
  };
}
