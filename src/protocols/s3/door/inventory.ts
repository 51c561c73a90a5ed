import { liveHead } from '../../../core/world.ts';
import type { Shut } from '../../../house/caller.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import { visitStates } from '../../visit-states.ts';
import { lockedKeyPrefix, lockObject } from '../layout.ts';
import type { DoorCall } from './call.ts';
import { refused, type S3Error } from './errors.ts';
import { md5Hex, standingOf } from './state-object.ts';
import { StateWalk } from './state-walk.ts';

/** An object as a listing shows it. */
export interface Listed {
  readonly name: string;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
}

/** The objects of a bucket in S3's order, read as far as they are asked for: states, and the lock files of those that are locked. */
export class ObjectWalk {
  readonly #call: DoorCall;
  readonly #states: StateWalk;
  /** Of those that are held; they are few, and in another order than their states: "a-b.tflock" comes before "a.tflock". */
  readonly #locks: readonly LockFile[];
  #atLock = 0;

  private constructor(call: DoorCall, states: StateWalk, locks: readonly LockFile[]) {
    this.#call = call;
    this.#states = states;
    this.#locks = locks;
  }

  /** @param after the name that the objects come after */
  static async open(call: DoorCall, prefix: string, after: string): Promise<ObjectWalk | S3Error> {
    const locks = await lockFiles(call, prefix);
    if ('type' in locks) return refused(locks);
    return new ObjectWalk(
      call,
      new StateWalk(call, { prefix, deleted: false, after }),
      locks.filter(({ name }) => compareNames(name, after) > 0),
    );
  }

  /** The next object; null at the end. */
  async next(): Promise<Listed | S3Error | null> {
    for (;;) {
      const state = await this.#states.next();
      if (this.#states.shut !== null) return refused(this.#states.shut);
      const lock = this.#locks[this.#atLock];
      if (lock !== undefined && (state === null || compareNames(lock.name, state.name) < 0)) {
        this.#atLock += 1;
        const listed = this.#lockOf(lock);
        if (listed !== null) return listed;
        continue;
      }
      if (state === null) return null;
      this.#states.pass();
      // A lock may be held of what is no state yet.
      const head = liveHead(state.world.record);
      if (head !== null) return { name: state.name, ...standingOf(head) };
    }
  }

  /** Goes on behind all objects whose names begin so. */
  passAll(prefix: string): void {
    this.#states.passAll(prefix);
    while (this.#locks[this.#atLock]?.name.startsWith(prefix) === true) this.#atLock += 1;
  }

  #lockOf({ name, state: { address, world } }: LockFile): Listed | null {
    const [holder] = this.#call.house.lockInfos.ofHolders(address, world.holders.slice(0, 1));
    if (holder === undefined) return null;
    const info = shownLockInfo(holder);
    return { name, etag: md5Hex(info), size: info.length, modified: holder.since };
  }
}

interface LockFile {
  readonly name: string;
  readonly state: StateSummary;
}

/** The lock files of a bucket whose names begin so, in S3's order. */
async function lockFiles(call: DoorCall, prefix: string): Promise<readonly LockFile[] | Shut> {
  const found: LockFile[] = [];
  const query = { project: call.asked.bucket, locked: true, keyPrefix: lockedKeyPrefix(prefix) };
  const shut = await visitStates(call, query, (state) => {
    const name = lockObject(state.address);
    if (name.startsWith(prefix)) found.push({ name, state });
    return true;
  });
  return shut ?? found.sort((a, b) => compareNames(a.name, b.name));
}

/** By the bytes of their names. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
