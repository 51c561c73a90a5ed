import type { LockInfo } from '../../../core/lock-info.ts';
import { formatLockInfo, parseLockInfo } from '../../../core/lock-info.ts';
import type { LockBreak, LockRelease, LockState } from '../../../ports/state-client.ts';
import type { LockItems } from './items.ts';
import { INFO } from '../../dynamodb/layout.ts';
import type { S3Place } from '../layout.ts';
import { lockKey, lockPath } from './names.ts';
import type { S3Objects } from './objects.ts';

/** One of the two places where the s3 backend keeps a lock. */
interface LockPlace {
  readonly name: string;
  put(info: string): Promise<boolean>;
  get(): Promise<Uint8Array | null>;
  /** Takes away exactly this lock; says false when another is there, or none. */
  drop(info: string): Promise<boolean>;
}

/** The locks of the s3 backend: the lock object, the DynamoDB item, or both, in terraform's order. */
export class S3Locks {
  readonly #place: S3Place;
  readonly #objects: S3Objects | null;
  readonly #items: LockItems | null;

  /** @param objects null when there is no lock object; @param items null when there is no lock table */
  constructor(place: S3Place, objects: S3Objects | null, items: LockItems | null) {
    this.#place = place;
    this.#objects = objects;
    this.#items = items;
  }

  get any(): boolean {
    return this.#objects !== null || this.#items !== null;
  }

  /** Takes the lock everywhere, or nowhere. Returns the place that refused and what is there. */
  async take(
    workspace: string,
    info: LockInfo,
  ): Promise<{ readonly place: string; readonly holder: LockInfo | null } | null> {
    const text = formatLockInfo(info);
    const taken: LockPlace[] = [];
    try {
      for (const place of this.#places(workspace)) {
        if (await place.put(text)) {
          taken.push(place);
          continue;
        }
        const there = readInfo(await place.get());
        // A repeat of our own request, whose first answer was lost, finds the lock that it made.
        if (there?.id === info.id) {
          taken.push(place);
          continue;
        }
        for (const own of taken) await dropOwn(own, info.id);
        return { place: place.name, holder: there };
      }
    } catch (fault) {
      // A request may have done its work although its answer never came.
      for (const place of this.#places(workspace)) await dropOwn(place, info.id).catch(() => undefined);
      throw fault;
    }
    return null;
  }

  async release(workspace: string, info: LockInfo): Promise<LockRelease> {
    const lost: string[] = [];
    for (const place of this.#places(workspace)) {
      const { there, dropped } = await dropOwn(place, info.id);
      if (dropped) continue;
      lost.push(there === null ? `the ${place.name} was gone` : `the ${place.name} is now of ${there.who}`);
    }
    return lost.length === 0 ? { type: 'released' } : { type: 'lost', message: lost.join(', and ') };
  }

  async inspect(workspace: string): Promise<LockState> {
    const notes: string[] = [];
    let holder: LockInfo | null = null;
    let unreadable: string | null = null;
    for (const place of this.#places(workspace)) {
      const bytes = await place.get();
      if (bytes === null) continue;
      const parsed = parseLockInfo(bytes);
      notes.push(`by ${place.name}`);
      if ('problem' in parsed) unreadable = `the ${place.name} cannot be read: ${parsed.problem}`;
      else holder ??= parsed.info;
    }
    if (holder !== null) return { type: 'held', holder, waiting: null, note: notes.join(' and ') };
    return unreadable === null ? { type: 'free' } : { type: 'unreadable', message: unreadable };
  }

  async break(workspace: string, lockId: string): Promise<LockBreak> {
    let broken = false;
    for (const place of this.#places(workspace)) {
      const bytes = await place.get();
      if (bytes === null) continue;
      const parsed = parseLockInfo(bytes);
      if ('problem' in parsed) {
        return {
          type: 'impossible',
          message: `the ${place.name} cannot be read: ${parsed.problem}. Delete it by hand.`,
        };
      }
      if (parsed.info.id !== lockId) return { type: 'other-id', holder: parsed.info };
      broken = (await place.drop(Buffer.from(bytes).toString())) || broken;
    }
    return broken ? { type: 'broken' } : { type: 'not-locked' };
  }

  #places(workspace: string): readonly LockPlace[] {
    const [objects, items] = [this.#objects, this.#items];
    const key = lockKey(this.#place, workspace);
    const path = lockPath(this.#place, workspace);
    const object: LockPlace | null =
      objects === null
        ? null
        : {
            name: 'lock object',
            put: (info) => objects.put(key, Buffer.from(info), true),
            get: () => objects.get(key),
            drop: async () => {
              await objects.delete(key);
              return true;
            },
          };
    const item: LockPlace | null =
      items === null
        ? null
        : {
            name: 'lock item',
            put: (info) => items.putNew(path, info),
            get: async () => {
              const info = await items.get(path, INFO);
              return info === null ? null : Buffer.from(info);
            },
            drop: (info) => items.deleteIf(path, info),
          };
    return [object, item].filter((place) => place !== null);
  }
}

/**
 * Takes away the lock of this ID, as it was written: one that was taken over from a run that crashed has the same ID and
 * says another time.
 */
async function dropOwn(
  place: LockPlace,
  id: string,
): Promise<{ readonly there: LockInfo | null; readonly dropped: boolean }> {
  const bytes = await place.get();
  const there = readInfo(bytes);
  const own = bytes !== null && there?.id === id;
  return { there, dropped: own && (await place.drop(Buffer.from(bytes).toString())) };
}

function readInfo(bytes: Uint8Array | null): LockInfo | null {
  if (bytes === null) return null;
  const parsed = parseLockInfo(bytes);
  return 'problem' in parsed ? null : parsed.info;
}
