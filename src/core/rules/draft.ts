import type { AuditNote, Effect } from '../effect.ts';
import type { Instant } from '../instant.ts';
import type { Handover, Outcome } from '../outcome.ts';
import type { AddressRecord, Holder, Place, World } from '../world.ts';

/** What `decide` hands back: the answer, the rows to change, and the locks handed on. */
export interface Decision {
  readonly outcome: Outcome;
  readonly effects: readonly Effect[];
  readonly handovers: readonly Handover[];
}

/** A world while it is being decided about: changed in step with the effects that will make it so. */
export class Draft {
  readonly at: Instant;
  readonly #before: AddressRecord;
  #record: AddressRecord;
  #holders: readonly Holder[];
  #line: readonly Place[];
  readonly #effects: Effect[] = [];
  readonly #handovers: Handover[] = [];

  constructor(world: World, at: Instant) {
    this.at = at;
    this.#before = world.record;
    this.#record = world.record;
    this.#holders = world.holders;
    this.#line = world.line;
  }

  get record(): AddressRecord {
    return this.#record;
  }

  get holders(): readonly Holder[] {
    return this.#holders;
  }

  get line(): readonly Place[] {
    return this.#line;
  }

  change(change: Partial<AddressRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  putHolder(holder: Holder): void {
    this.#holders = [...this.#holders.filter(({ lockId }) => lockId !== holder.lockId), holder];
    this.#effects.push({ type: 'put-holder', holder });
  }

  dropHolder(lockId: string): void {
    this.#holders = this.#holders.filter((holder) => holder.lockId !== lockId);
    this.#effects.push({ type: 'drop-holder', lockId });
  }

  /** A place keeps where it stands when it is put again; a new one goes to the end. */
  putPlace(place: Place): void {
    const index = this.#line.findIndex(({ waiter }) => waiter === place.waiter);
    this.#line = index === -1 ? [...this.#line, place] : this.#line.with(index, place);
    this.#effects.push({ type: 'put-place', place });
  }

  dropPlace(waiter: string): void {
    this.#line = this.#line.filter((place) => place.waiter !== waiter);
    this.#effects.push({ type: 'drop-place', waiter });
  }

  handOver(handover: Handover): void {
    this.#handovers.push(handover);
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  note(actor: { subject: string; door: string }, action: string, detail: AuditNote['detail'] = {}): void {
    this.#effects.push({ type: 'audit', note: { action, subject: actor.subject, door: actor.door, detail } });
  }

  decision(outcome: Outcome): Decision {
    const changed =
      this.#record === this.#before ? [] : [{ type: 'put-record', record: this.#record } as const];
    return { outcome, effects: [...changed, ...this.#effects], handovers: this.#handovers };
  }
}
