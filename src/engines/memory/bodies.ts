import type { SealedBody } from '../../core/command.ts';
import type { Instant } from '../../core/instant.ts';
import type { GoneObject } from '../../ports/body-store.ts';
import type { StoredBody } from '../../ports/engine.ts';
import type { BodyMark, ReplacedBody } from '../../ports/sealed-anew.ts';
import { compareBytes } from './queries.ts';

/** Bodies, and the objects that they were in. */
export class MemoryBodies {
  readonly all: Map<string, SealedBody> = new Map();
  /** Objects that no body is in any more, and since when. */
  readonly #gone = new Map<string, Instant>();

  keep(body: SealedBody): void {
    this.all.set(body.id, body);
  }

  drop(id: string): void {
    this.#noteGone(this.all.get(id)?.object);
    this.all.delete(id);
  }

  /** Puts a body in the place of the one that it was made of, if that is still there, and of the same sort. */
  replace({ body, replaces }: ReplacedBody): void {
    const stored = this.all.get(body.id);
    const isLike = (stored?.object === undefined) === (body.object === undefined);
    if (stored === undefined || !isLike || Buffer.compare(stored.wrappedKey, replaces) !== 0) return;
    this.all.set(body.id, body);
    this.#noteGone(stored.object);
  }

  forgetObjects(names: readonly string[]): void {
    for (const name of names) this.#gone.delete(name);
  }

  read(id: string): StoredBody | null {
    const body = this.all.get(id);
    if (body === undefined) return null;
    const { segments, madeUnder = body.keyId, ...sealed } = body;
    return {
      ...sealed,
      madeUnder,
      async *segments() {
        yield* segments;
      },
    };
  }

  marks(after: string | null, limit: number): BodyMark[] {
    return [...this.all.values()]
      .filter(({ id }) => after === null || compareBytes(id, after) > 0)
      .sort((a, b) => compareBytes(a.id, b.id))
      .slice(0, limit)
      .map(({ id, keyId, madeUnder = keyId }) => ({ id, place: id, madeUnder }));
  }

  objects(after: string | null, limit: number): string[] {
    return [...this.all.values()]
      .flatMap(({ object }) => (object === undefined ? [] : [object]))
      .filter((object) => compareBytes(object, after ?? '') > 0)
      .sort(compareBytes)
      .slice(0, limit);
  }

  goneObjects(after: string | null, limit: number): GoneObject[] {
    return [...this.#gone]
      .map(([name, at]) => ({ name, at }))
      .filter(({ name }) => compareBytes(name, after ?? '') > 0)
      .sort((a, b) => compareBytes(a.name, b.name))
      .slice(0, limit);
  }

  #noteGone(object: string | undefined): void {
    if (object !== undefined && !this.#gone.has(object)) this.#gone.set(object, Date.now());
  }
}
