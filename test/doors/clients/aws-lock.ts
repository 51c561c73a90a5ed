import type { Done, LockReply, LookReply } from '../../../src/contract/door-contract-client.ts';
import type { Address } from '../../../src/core/address.ts';
import { formatLockInfo, parseLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import { done, nameOf, refusedBy } from './aws-errors.ts';

/** One of the two means by which terraform's s3 backend locks: what is put, got and deleted. */
export interface AwsLockMeans {
  /** Puts a lock info where there is none yet. */
  put(at: Address, info: string, signal?: AbortSignal): Promise<unknown>;
  /** @returns the lock info that is there, or undefined */
  get(at: Address): Promise<string | undefined>;
  remove(at: Address): Promise<unknown>;
  /** The error that says that there is one already. */
  readonly taken: string;
}

/** Locks as terraform does by one of its means (internal/backend/remote-state/s3/client.go). */
export class AwsLock {
  readonly #means: AwsLockMeans;

  constructor(means: AwsLockMeans) {
    this.#means = means;
  }

  async lock(at: Address, info: LockInfo, signal?: AbortSignal): Promise<LockReply> {
    try {
      await this.#means.put(at, formatLockInfo(info), signal);
      return { type: 'granted' };
    } catch (error) {
      if (nameOf(error) !== this.#means.taken) return refusedBy(error);
    }
    const seen = await this.look(at);
    if (seen.type === 'refused') return seen;
    return { type: 'held', holder: seen.type === 'locked' ? seen.info : null };
  }

  async look(at: Address): Promise<LookReply> {
    try {
      const text = await this.#means.get(at);
      return text === undefined ? { type: 'free' } : { type: 'locked', info: infoOf(text) };
    } catch (error) {
      return refusedBy(error);
    }
  }

  /** Reads the lock, compares its ID, and then deletes whatever is there. */
  async unlock(at: Address, id: string): Promise<Done<'released'>> {
    const seen = await this.look(at);
    if (seen.type === 'refused') return seen;
    if (seen.type === 'free') return { type: 'refused', because: 'other', says: 'the state is not locked' };
    if (seen.info.id !== id)
      return { type: 'refused', because: 'conflict', says: `locked by ${seen.info.id}` };
    return this.unlockAgain(at);
  }

  unlockAgain(at: Address): Promise<Done<'released'>> {
    return done('released', () => this.#means.remove(at));
  }
}

function infoOf(text: string): LockInfo {
  const parsed = parseLockInfo(Buffer.from(text));
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.info;
}
