import type { GoneObject } from '../../ports/body-store.ts';
import type { SealedBody } from '../../core/command.ts';
import { EngineFault, type StoredBody } from '../../ports/engine.ts';
import type { BodyMark, ReplacedBody } from '../../ports/sealed-anew.ts';
import type { Database, Statement } from './files/driver.ts';
import { damaged, reading } from './faults.ts';
import { whole } from './rows.ts';

/** The largest state that the house takes by default has 2,048 segments of 256 kB. */
const SEGMENTS_MAX = 65_536;

interface BodyRow {
  readonly ordinal: number;
  readonly key_id: string;
  readonly wrapped_key: Uint8Array;
  readonly made_under: string | null;
  readonly segments: number;
  readonly object: string | null;
}

type MarkRow = Pick<BodyRow, 'ordinal' | 'made_under'> & { readonly id: string };

/** Where a segment stands: all segments of a body together, the bodies in the order of their writing. */
function segmentId(bodyOrdinal: number, index: number): number {
  return bodyOrdinal * SEGMENTS_MAX + index;
}

/** Keeps and drops bodies, inside the writer's transaction. */
export class BodyStore {
  readonly #putBody: Statement;
  readonly #putSegment: Statement;
  readonly #replaceBody: Statement;
  readonly #replaceSegment: Statement;
  readonly #ordinal: Statement;
  readonly #dropBody: Statement;
  readonly #dropSegments: Statement;
  readonly #forget: Statement;

  constructor(db: Database) {
    this.#putBody = db.prepare(
      'INSERT INTO body (id, key_id, wrapped_key, segments, made_under, object) VALUES (?, ?, ?, ?, ?, ?)',
    );
    // Where the segments are, in the database or in an object, stays as it is.
    this.#replaceBody = db.prepare(
      `UPDATE body SET key_id = ?, wrapped_key = ?, made_under = ?, object = ?4
       WHERE id = ? AND wrapped_key = ? AND (object IS NULL) = (?4 IS NULL) RETURNING ordinal`,
    );
    this.#forget = db.prepare('DELETE FROM gone_object WHERE name = ?');
    this.#replaceSegment = db.prepare('UPDATE segment SET data = ? WHERE id = ?');
    this.#putSegment = db.prepare('INSERT INTO segment (id, data) VALUES (?, ?)');
    this.#ordinal = db.prepare('SELECT ordinal FROM body WHERE id = ?');
    this.#dropBody = db.prepare('DELETE FROM body WHERE ordinal = ?');
    this.#dropSegments = db.prepare('DELETE FROM segment WHERE id >= ? AND id < ?');
  }

  keep({ id, keyId, wrappedKey, segments, madeUnder = keyId, object }: SealedBody): void {
    if (segments.length > SEGMENTS_MAX) {
      throw new EngineFault(
        `a body has at most ${SEGMENTS_MAX} segments, and this one has ${segments.length}`,
      );
    }
    const { lastInsertRowid } = this.#putBody.run(
      id,
      keyId,
      wrappedKey,
      segments.length,
      madeUnder,
      object ?? null,
    );
    for (const [index, segment] of segments.entries()) {
      this.#putSegment.run(segmentId(Number(lastInsertRowid), index), segment);
    }
  }

  /** Puts a body in the place of the one that it was made of, segment by segment, if that is still there. */
  replace({ body, replaces }: ReplacedBody): void {
    const { id, keyId, wrappedKey, segments, madeUnder = keyId, object = null } = body;
    const row = this.#replaceBody.get(keyId, wrappedKey, madeUnder, object, id, replaces) as
      | { ordinal: number }
      | undefined;
    if (row === undefined) return;
    for (const [index, segment] of segments.entries())
      this.#replaceSegment.run(segment, segmentId(row.ordinal, index));
  }

  /** Does nothing where there is no such body. */
  drop(id: string): void {
    const body = this.#ordinal.get(id) as { ordinal: number } | undefined;
    if (body === undefined) return;
    this.#dropSegments.run(segmentId(body.ordinal, 0), segmentId(body.ordinal + 1, 0));
    this.#dropBody.run(body.ordinal);
  }

  forgetObjects(names: readonly string[]): void {
    for (const name of names) this.#forget.run(name);
  }
}

/** Reads bodies a segment at a time. Between two segments nothing is held open, so a slow reader is in nobody's way. */
export class BodyReader {
  readonly #body: Statement;
  readonly #segment: Statement;
  readonly #marks: Statement;
  readonly #objects: Statement;
  readonly #goneObjects: Statement;

  constructor(db: Database) {
    this.#body = db.prepare(
      'SELECT ordinal, key_id, wrapped_key, made_under, segments, object FROM body WHERE id = ?',
    );
    this.#segment = db.prepare('SELECT data FROM segment WHERE id = ?');
    this.#marks = db.prepare(
      'SELECT ordinal, id, made_under FROM body WHERE ordinal > ? ORDER BY ordinal LIMIT ?',
    );
    this.#objects = db.prepare('SELECT object FROM body WHERE object > ? ORDER BY object LIMIT ?');
    this.#goneObjects = db.prepare('SELECT name, at FROM gone_object WHERE name > ? ORDER BY name LIMIT ?');
  }

  /** Bodies in the order of their writing. */
  marks(after: string | null, limit: number): BodyMark[] {
    const rows = this.#marks.all(whole(Number(after ?? 0) || 0), limit) as MarkRow[];
    return rows.map(({ ordinal, id, made_under: madeUnder }) => ({ id, place: String(ordinal), madeUnder }));
  }

  objects(after: string | null, limit: number): string[] {
    return (this.#objects.all(after ?? '', limit) as { object: string }[]).map(({ object }) => object);
  }

  goneObjects(after: string | null, limit: number): GoneObject[] {
    return this.#goneObjects.all(after ?? '', limit) as GoneObject[];
  }

  read(id: string): StoredBody | null {
    const row = this.#find(id);
    if (row === undefined) return null;
    return {
      id,
      keyId: row.key_id,
      wrappedKey: row.wrapped_key,
      madeUnder: row.made_under,
      ...(row.object === null ? {} : { object: row.object }),
      segments: () => this.#segments(id, row),
    };
  }

  /** Ends only after as many segments as were written, or with a fault: a body is never cut short in silence. */
  async *#segments(id: string, { ordinal, segments }: BodyRow): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < segments; index += 1) {
      yield reading(() => this.#readSegment(id, segmentId(ordinal, index)));
    }
  }

  #readSegment(id: string, segment: number): Uint8Array {
    const row = this.#segment.get(segment) as { data: Uint8Array } | undefined;
    if (row !== undefined) return row.data;
    const pruned = this.#find(id) === undefined;
    throw new EngineFault(
      pruned ? 'the version was removed while it was read' : damaged('a segment of a state is missing'),
    );
  }

  #find(id: string): BodyRow | undefined {
    return this.#body.get(id) as BodyRow | undefined;
  }
}
