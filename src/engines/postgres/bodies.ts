import type { GoneObject } from '../../ports/body-store.ts';
import type { SealedBody } from '../../core/command.ts';
import { EngineFault, type StoredBody } from '../../ports/engine.ts';
import type { BodyMark, ReplacedBody } from '../../ports/sealed-anew.ts';
import type { Connections, Row, Statement } from './connection.ts';
import { toBuffer, toBytes } from './columns.ts';
import { insertAll } from './session/statements.ts';

/** Segments of one read: a megabyte of memory for each body that is being sent. */
const SEGMENTS_READ = 4;
/** Bytes of segments that go in one statement. */
const SEGMENT_BYTES_TOGETHER: number = 256 * 1024;
/** And how many: the protocol numbers a statement's values with 16 bits. */
const SEGMENTS_TOGETHER = 20_000;
/** Statements for up to so many segments are prepared. */
const SEGMENTS_PREPARED = 16;

/** Reads bodies a few segments at a time: no connection is held in between. */
export class BodyReader {
  readonly #connections: Connections;
  readonly #schema: string;

  constructor(connections: Connections, schema: string) {
    this.#connections = connections;
    this.#schema = schema;
  }

  /** Bodies in the order of their ids. */
  async marks(after: string | null, limit: number): Promise<BodyMark[]> {
    const text = `SELECT id, made_under FROM ${this.#schema}.body WHERE id > $1 ORDER BY id LIMIT $2`;
    const rows = await this.#connections.read({ text, values: [after ?? '', limit] });
    return rows.map((row) => {
      const id = row['id'] as string;
      return { id, place: id, madeUnder: row['made_under'] as string | null };
    });
  }

  async objects(after: string | null, limit: number): Promise<string[]> {
    const text = `SELECT object FROM ${this.#schema}.body WHERE object > $1 ORDER BY object LIMIT $2`;
    const rows = await this.#connections.read({ text, values: [after ?? '', limit] });
    return rows.map((row) => row['object'] as string);
  }

  async goneObjects(after: string | null, limit: number): Promise<GoneObject[]> {
    const text = `SELECT name, at FROM ${this.#schema}.gone_object WHERE name > $1 ORDER BY name LIMIT $2`;
    const rows = await this.#connections.read({ text, values: [after ?? '', limit] });
    return rows.map((row) => ({ name: row['name'] as string, at: Number(row['at']) }));
  }

  /** Its first segments come along: most bodies have one. */
  async read(id: string): Promise<StoredBody | null> {
    const rows = await this.#connections.read({
      text: `SELECT b.id, b.key_id, b.wrapped_key, b.made_under, b.segments, b.object, s.data FROM ${this.#schema}.body b
        LEFT JOIN ${this.#schema}.segment s ON s.body_id = b.id AND s.number < ${SEGMENTS_READ} WHERE b.id = $1 ORDER BY s.number`,
      values: [id],
      prepared: true,
    });
    const [row] = rows;
    if (row === undefined) return null;
    return storedBody(
      this.#connections,
      this.#schema,
      row,
      rows.filter(({ data }) => data !== null),
    );
  }
}

function selectSegments(schema: string, id: string, from: number, to: number): Statement {
  return {
    text: `SELECT data FROM ${schema}.segment WHERE body_id = $1 AND number >= $2 AND number < $3 ORDER BY number`,
    values: [id, from, to],
    prepared: true,
  };
}

/** @param first its first segments */
function storedBody(connections: Connections, schema: string, row: Row, first: readonly Row[]): StoredBody {
  const id = row['id'] as string;
  const count = row['segments'] as number;
  return {
    id,
    keyId: row['key_id'] as string,
    wrappedKey: toBytes(row['wrapped_key']),
    madeUnder: row['made_under'] as string | null,
    ...(row['object'] === null ? {} : { object: row['object'] as string }),
    async *segments() {
      for (let from = 0; from < count; from += SEGMENTS_READ) {
        const to = Math.min(from + SEGMENTS_READ, count);
        const rows = from === 0 ? first : await connections.read(selectSegments(schema, id, from, to));
        if (rows.length !== to - from) {
          throw new EngineFault(
            'a part of the body is not there: it was pruned while it was read, or is damaged',
          );
        }
        for (const segment of rows) yield toBytes(segment['data']);
      }
    },
  };
}

/** Stores bodies. Small ones share statements; no statement is much larger than a segment. */
export function insertBodies(schema: string, bodies: readonly SealedBody[]): Statement[] {
  const rows = bodies.map(({ id, keyId, wrappedKey, segments, madeUnder = keyId, object = null }) => ({
    id,
    key_id: keyId,
    wrapped_key: toBuffer(wrappedKey),
    made_under: madeUnder,
    segments: segments.length,
    object,
  }));
  const segments = bodies.flatMap(({ id, segments: all }) =>
    all.map((segment, number) => ({ body_id: id, number, data: toBuffer(segment) })),
  );
  const groups = inGroups(segments, ({ data }) => data.length, SEGMENT_BYTES_TOGETHER);
  return [...insertAll(`${schema}.body`, rows), ...groups.flatMap((group) => insertSegments(schema, group))];
}

interface SegmentRow {
  readonly body_id: string;
  readonly number: number;
  readonly data: Buffer;
}

/** Bytes go as they are, so each has a value of its own. */
function insertSegments(schema: string, segments: readonly SegmentRow[]): Statement {
  const tuples = segments.map((_, at) => `($${3 * at + 1}, $${3 * at + 2}, $${3 * at + 3})`);
  return {
    text: `INSERT INTO ${schema}.segment (body_id, number, data) VALUES ${tuples.join(', ')}`,
    values: segments.flatMap(({ body_id, number, data }) => [body_id, number, data]),
    ...(segments.length <= SEGMENTS_PREPARED ? { prepared: true } : {}),
  };
}

/** Cuts a list so that no group weighs more than the limit, unless one item alone does. */
function inGroups<T>(items: readonly T[], weigh: (item: T) => number, limit: number): T[][] {
  const groups: T[][] = [];
  let weight = Infinity;
  for (const item of items) {
    if (weight + weigh(item) > limit || groups.at(-1)?.length === SEGMENTS_TOGETHER) {
      groups.push([]);
      weight = 0;
    }
    groups.at(-1)?.push(item);
    weight += weigh(item);
  }
  return groups;
}

/** Puts bodies in the places of those that they were made of, where these are still there. */
export function replaceBodies(schema: string, bodies: readonly ReplacedBody[]): Statement[] {
  return bodies.flatMap(({ body, replaces }) => {
    const { id, keyId, wrappedKey, segments, madeUnder = keyId, object = null } = body;
    const numbered = segments.map((segment, number) => ({ number, data: toBuffer(segment) }));
    const groups = inGroups(numbered, ({ data }) => data.length, SEGMENT_BYTES_TOGETHER);
    return [
      // Locks the row; what comes after does nothing where it has another wrapping by now. Where the segments are stays as it is.
      {
        text: `UPDATE ${schema}.body SET key_id = $2, wrapped_key = $3, made_under = $4, object = $6::text
          WHERE id = $1 AND wrapped_key = $5 AND (object IS NULL) = ($6::text IS NULL)`,
        values: [id, keyId, toBuffer(wrappedKey), madeUnder, toBuffer(replaces), object],
      },
      ...groups.map((group) => ({
        text: `UPDATE ${schema}.segment s SET data = wanted.data
          FROM unnest($2::integer[], $3::bytea[]) AS wanted (number, data)
          WHERE s.body_id = $1 AND s.number = wanted.number
          AND EXISTS (SELECT FROM ${schema}.body b WHERE b.id = $1 AND b.wrapped_key = $4)`,
        values: [id, group.map(({ number }) => number), group.map(({ data }) => data), toBuffer(wrappedKey)],
      })),
    ];
  });
}

export function dropBodies(schema: string, ids: readonly string[]): Statement[] {
  if (ids.length === 0) return [];
  return [
    { text: `DELETE FROM ${schema}.body WHERE id = ANY ($1::text[])`, values: [ids] },
    { text: `DELETE FROM ${schema}.segment WHERE body_id = ANY ($1::text[])`, values: [ids] },
  ];
}

export function forgetObjects(schema: string, names: readonly string[]): Statement[] {
  return [{ text: `DELETE FROM ${schema}.gone_object WHERE name = ANY ($1::text[])`, values: [names] }];
}
