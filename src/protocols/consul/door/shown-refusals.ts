import { formatAddress, type Address } from '../../../core/address.ts';
import type { Instant } from '../../../core/instant.ts';
import type { LockAnswer } from '../../../house/locks/locks.ts';
import type { DoorRequest } from '../../door.ts';
import { pageOf } from '../../page-link.ts';
import { RefusalMemory, type Viewer } from '../../lock-object/refusal-memory.ts';
import { shownLock, toldLock, type SeenLock } from '../../lock-object/shown-lock.ts';
import type { Processes } from './processes.ts';

/** What a client reads after it was refused: the key of the lock, then who holds it. */
type Look = 'lock' | 'lock-info';

/**
 * For which lock a client was refused. It is answered `false` without a word, and reads who holds the lock then: it is shown the
 * lock that it was refused for even if that is free again, since terraform waits only for what it sees.
 */
export class ShownRefusals {
  readonly #memory: RefusalMemory;
  readonly #processes: Processes;

  constructor(processes: Processes, now: () => Instant) {
    this.#memory = new RefusalMemory(now);
    this.#processes = processes;
  }

  refused(
    subject: string,
    request: DoorRequest,
    address: Address,
    { sessionId, answer }: { sessionId: string; answer: Extract<LockAnswer, { type: 'held' }> },
  ): void {
    const lock = shownLock(answer.holders);
    if (lock === null) return;
    this.#memory.refused(this.#viewer(subject, request, address, 'lock'), sessionId, lock);
    const told = toldLock(lock, answer, pageOf(request, address));
    this.#memory.refused(this.#viewer(subject, request, address, 'lock-info'), sessionId, told);
  }

  /** The lock that this client was refused for, once for each of its looks. */
  looks(subject: string, request: DoorRequest, address: Address, look: Look): SeenLock | null {
    return this.#memory.looks(this.#viewer(subject, request, address, look));
  }

  #viewer(subject: string, request: DoorRequest, address: Address, look: Look): Viewer {
    const process = this.#processes.of(subject, request);
    // A run may look over another connection than it asked by.
    return { name: `${process}\n${formatAddress(address)}\n${look}`, port: 0 };
  }
}
