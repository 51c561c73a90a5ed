import { noteOf, type AuditNote, type Effect } from '../effect.ts';
import { evolve } from '../evolve.ts';
import type { Instant } from '../instant.ts';
import type { Handover, Outcome } from '../outcome.ts';
import type { Usage } from '../quota.ts';
import type { LineRule } from './estimate.ts';
import type { AddressRecord, Holder, QueueEntry, Release, World } from '../world.ts';

/** What `decide` hands back: the answer, the rows to change, and the locks handed on. */
export interface Decision<O extends Outcome = Outcome> {
  readonly outcome: O;
  readonly effects: readonly Effect[];
  readonly handovers: readonly Handover[];
}

/** A world while it is being decided about: every effect is at once what later rules see. */
export class Draft {
  readonly at: Instant;
  readonly rule: LineRule;
  readonly #before: World;
  #world: World;
  readonly #effects: Effect[] = [];
  readonly #handovers: Handover[] = [];

  constructor(world: World, at: Instant, rule: LineRule) {
    this.at = at;
    this.rule = rule;
    this.#before = world;
    this.#world = world;
  }

  get record(): AddressRecord {
    return this.#world.record;
  }

  get holders(): readonly Holder[] {
    return this.#world.holders;
  }

  get line(): readonly QueueEntry[] {
    return this.#world.line;
  }

  /** What the project keeps; null where it was not asked for. */
  get usage(): Usage | null {
    return this.#before.usage ?? null;
  }

  get releases(): readonly Release[] {
    return this.#world.releases;
  }

  /** Changes the record, which is put once, when all is decided. */
  change(change: Partial<AddressRecord>): void {
    this.#world = { ...this.#world, record: { ...this.record, ...change } };
  }

  putHolder(holder: Holder): void {
    this.effect({ type: 'put-holder', holder });
  }

  dropHolder(lockId: string): void {
    this.effect({ type: 'drop-holder', lockId });
  }

  /** A place keeps where it stands when it is put again; a new one goes to the end. */
  putPlace(place: QueueEntry): void {
    this.effect({ type: 'put-place', place });
  }

  dropPlace(waiter: string): void {
    this.effect({ type: 'drop-place', waiter });
  }

  handOver(handover: Handover): void {
    this.#handovers.push(handover);
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
    this.#world = evolve(this.#world, [effect]);
  }

  note(by: Parameters<typeof noteOf>[0], action: string, detail: AuditNote['detail'] = {}): void {
    this.effect({ type: 'audit', note: noteOf(by, action, detail) });
  }

  decision<O extends Outcome>(outcome: O): Decision<O> {
    if (this.#isChanged()) this.change({ changeIndex: this.record.changeIndex + 1 });
    const changed =
      this.record === this.#before.record ? [] : [{ type: 'put-record', record: this.record } as const];
    return {
      outcome: this.#told(outcome),
      effects: [...changed, ...this.#effects],
      handovers: this.#handovers,
    };
  }

  /** An outcome that names who holds the lock says besides how long that usually takes. */
  #told<O extends Outcome>(outcome: O): O {
    if (!('holders' in outcome)) return outcome;
    return { ...outcome, usualHold: this.record.typicalHold, at: this.at };
  }

  /** Whether the state, or who holds its lock, is not what it was. */
  #isChanged(): boolean {
    const { record, holders } = this.#before;
    if (this.record.head !== record.head || this.record.deletedAt !== record.deletedAt) return true;
    return (
      this.holders.length !== holders.length ||
      this.holders.some(
        ({ fence, lockId }, at) => fence !== holders[at]?.fence || lockId !== holders[at]?.lockId,
      )
    );
  }
}
