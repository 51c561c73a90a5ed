import { formatAddress, type Address } from '../../../src/core/address.ts';
import type { AddressCommand } from '../../../src/core/command.ts';
import type { Instant } from '../../../src/core/instant.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { isPlace } from '../../../src/core/decide.ts';
import { NEW_WORLD, type Holder, type QueueEntry, type World } from '../../../src/core/world.ts';
import type { Command, CommandResult } from '../../../src/ports/engine.ts';
import type { ClientState } from '../clients/backend.ts';
import type { Ending, Run } from '../clients/run.ts';
import type { Store } from '../house/engine.ts';
import { brokenBy } from './commit-rules.ts';
import type { Trace } from '../time/trace.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** The address of every simulation. */
export const ADDRESS: Address = { project: 'acme', key: 'net/terraform.tfstate', workspace: 'default' };

/** How often somebody with a place may be passed by who asked later: while it sleeps, another may be served. */
const PASSED_MAX = 12;

/** What is wrong, and since when. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
  readonly at: number;
}

/**
 * Sees what no client and no node sees: what is stored, and what each client was told. After every step it asks whether what must
 * hold does.
 */
export class Observer {
  violation: Violation | null = null;
  /** Overtakings of the worst off. */
  worstPassed = 0;
  readonly #time: VirtualTime;
  readonly #trace: Trace;
  readonly #now: () => Instant;
  readonly #runs = new Map<string, Run>();
  /** Runs that were told that they have the lock, and count on it. */
  readonly #working = new Set<string>();
  /** Lock IDs that somebody else has broken. */
  readonly #broken = new Set<string>();
  /** Lock IDs whose holds have ended, of which their clients may have heard. */
  readonly #over = new Set<string>();
  /** Lock IDs whose holds were ended by their own runs. */
  readonly #released = new Set<string>();
  /** Lock IDs of which an answer was handed to a connection, or might have been. */
  readonly #told = new Set<string>();
  readonly #passed = new Map<string, number>();
  readonly #answered: ClientState[] = [];
  #world: World = NEW_WORLD;

  constructor({ time, trace, now }: { time: VirtualTime; trace: Trace; now: () => Instant }) {
    this.#time = time;
    this.#trace = trace;
    this.#now = now;
  }

  get world(): World {
    return this.#world;
  }

  add(run: Run): void {
    this.#runs.set(run.info.id, run);
  }

  fail(rule: string, what: string): void {
    this.#trace.note('VIOLATION', `${rule}: ${what}`);
    this.violation ??= { rule, what, at: this.#time.now };
  }

  /** An answer of success to a lock request was handed to its connection, or its node died over it. */
  told(lockId: string): void {
    this.#told.add(lockId);
  }

  works(run: Run): void {
    const { id } = run.info;
    this.#trace.note(id, 'works');
    if (this.#broken.has(id)) return;
    this.#working.add(id);
    const others = [...this.#working].filter((other) => other !== id && !this.#broken.has(other));
    const excluded = others.filter((other) => !(run.plan.plan && this.#runs.get(other)?.plan.plan === true));
    if (excluded.length > 0) {
      this.fail(
        'two do not work at once',
        `${id} was told that it has the lock, and so was ${excluded.join(', ')}`,
      );
    }
    this.#checkWorking();
  }

  stops(run: Run): void {
    if (this.#working.delete(run.info.id)) this.#trace.note(run.info.id, 'stops');
  }

  /** Whoever has the lock may write, and whoever has given it back is told so as often as it asks. */
  refused(run: Run, deed: 'write' | 'unlock'): void {
    const { id } = run.info;
    this.#trace.note(id, `is refused: ${deed}`);
    if (this.#broken.has(id)) return;
    if (deed === 'unlock' && this.#released.has(id))
      this.fail('a release that comes again is answered as the first', id);
    // A write at S3 names no lock: a run whose lock was broken may have written as another of its credential.
    if (this.#broken.size === 0 && this.#world.holders.some(({ lockId }) => lockId === id))
      this.fail('a holder may do what its lock is for', `${id}: ${deed}`);
  }

  ends(run: Run, ending: Ending): void {
    this.#trace.note(run.info.id, `ends: ${ending}`);
  }

  wrote(run: Run, state: ClientState): void {
    this.#trace.note(run.info.id, `wrote serial ${state.serial}`);
    this.#answered.push(state);
  }

  /** Whether a lock was broken by somebody else. */
  get hasBreaks(): boolean {
    return this.#broken.size > 0;
  }

  /** Writes that were answered with success. */
  get answered(): readonly ClientState[] {
    return this.#answered;
  }

  /** A command became durable. */
  async committed(store: Store, command: Command, { outcome, handovers }: CommandResult): Promise<void> {
    if (!('actor' in command) || formatAddress(command.address) !== formatAddress(ADDRESS)) return;
    const before = this.#world;
    this.#world = await store.kept.world(ADDRESS);
    const served = handovers.map(({ waiter }) => waiter).join(' ');
    this.#trace.note('store', `${inWords(command)}: ${outcome.type}${served === '' ? '' : ` -> ${served}`}`);
    const commit = { command, outcome: outcome as Outcome, handovers, before, after: this.#world };
    const broken = brokenBy({ ...commit, now: this.#now() });
    if (broken !== null) this.fail(broken.rule, broken.what);
    this.#noteEnds(command, outcome as Outcome, before);
    this.#checkGrants(before, this.#world);
    this.#checkLine(this.#world);
    this.#checkWorking();
  }

  /** Holders that nobody can be told of: their client was told nothing, or has given the lock back. */
  ownerless(): readonly Holder[] {
    return this.#world.holders.filter(({ lockId }) => !this.hasOwner(lockId));
  }

  /** Whether a holder is somebody who works, asks, or was told so and ended without giving it back. */
  hasOwner(lockId: string): boolean {
    const ending = this.#runs.get(lockId)?.ending;
    if (ending === undefined || ending === null) return ending === null;
    if (ending === 'not-released') return true;
    return ending !== 'done' && this.#told.has(lockId);
  }

  #noteEnds(command: AddressCommand, outcome: Outcome, before: World): void {
    if (command.type !== 'unlock' || outcome.type !== 'released') return;
    for (const lockId of outcome.lockIds) {
      if (outcome.broken) this.#broken.add(lockId);
      const hold = before.holders.find((holder) => holder.lockId === lockId);
      const isOver = !this.#world.holders.some((holder) => holder.lockId === lockId);
      if (hold === undefined || !isOver) continue;
      if (!outcome.broken) this.#released.add(lockId);
      if (hold.accepted) this.#over.add(lockId);
    }
  }

  #checkGrants(before: World, { holders, record }: World): void {
    if (holders.length > 1 && holders.some(({ shared }) => !shared)) {
      this.fail('an apply holds the lock alone', holders.map(({ lockId }) => lockId).join(' and '));
    }
    const known = new Set(before.holders.map(({ lockId }) => lockId));
    for (const holder of holders.filter(({ lockId }) => !known.has(lockId))) {
      if (holder.fence <= before.record.fence || holder.fence > record.fence) {
        this.fail('a fence grows with every grant', `${holder.lockId} has ${holder.fence}`);
      }
      if (this.#over.has(holder.lockId)) {
        this.fail('a lock ID that was released is granted no more', holder.lockId);
      }
      this.#notePassing(before, holder);
    }
  }

  /** Those who stood in line before a grant, asked before the one who was given it, and got nothing. */
  #notePassing(before: World, holder: Holder): void {
    const own = before.line.find(({ waiter }) => waiter === holder.waiter)?.ticket ?? Infinity;
    const held = new Set(this.#world.holders.map(({ lockId }) => lockId));
    // Who left in the same step was passed by nobody.
    const stayed = new Set(this.#world.line.map(({ waiter }) => waiter));
    const passed = before.line.filter(
      (place) =>
        isPlace(place) &&
        place.ticket < own &&
        stayed.has(place.waiter) &&
        !held.has(place.lockId) &&
        this.#isLive(place),
    );
    for (const { lockId, shared } of passed) {
      if (holder.shared && !shared && before.holders.some((other) => held.has(other.lockId))) {
        this.fail('a plan does not join while an apply has its place', `${holder.lockId} passed ${lockId}`);
      }
      const times = (this.#passed.get(lockId) ?? 0) + 1;
      this.#passed.set(lockId, times);
      this.worstPassed = Math.max(this.worstPassed, times);
      if (times > PASSED_MAX) this.fail('nobody starves', `${lockId} was passed ${times} times`);
    }
  }

  #isLive({ until }: QueueEntry): boolean {
    return this.#now() <= until;
  }

  #checkLine({ line, holders, record }: World): void {
    const parked = line.find(({ seat }) => seat !== null);
    if (parked !== undefined && holders.length === 0 && record.freeAt === null) {
      this.fail('nobody is parked before a free lock', parked.lockId);
    }
  }

  #checkWorking(): void {
    for (const lockId of this.#working) {
      if (this.#broken.has(lockId)) continue;
      if (!this.#world.holders.some((holder) => holder.lockId === lockId)) {
        this.fail('who works under a lock has it', `${lockId} works, and its lock is gone`);
      }
    }
  }
}

function inWords(command: AddressCommand): string {
  const about = 'lockId' in command ? command.lockId : 'waiter' in command ? command.waiter : '';
  return `${command.type} ${about ?? ''}`;
}
