import { decide, evolve } from '../../src/core/decide.ts';
import type { Address } from '../../src/core/address.ts';
import type { AddressCommand, CommandType } from '../../src/core/command.ts';
import type { Instant } from '../../src/core/instant.ts';
import type { OutcomeOf } from '../../src/core/outcome.ts';
import type { LineRule } from '../../src/core/rules/estimate.ts';
import { NEW_WORLD, type World } from '../../src/core/world.ts';
import type { Agenda } from './agenda.ts';

/** How a server treats those who wait. */
export interface Treatment extends LineRule {
  readonly name: string;
  /** Whether requests are held open at all. */
  readonly parks: boolean;
}

export interface Ask {
  readonly lockId: string;
  readonly shared: boolean;
}

/** A held-open request, to its client: how it is answered, and how the client hangs up. */
export interface Call {
  readonly hangUp: () => void;
}

const ADDRESS: Address = { project: 'simulated', key: 'state', workspace: 'default' };
const ACTOR = { subject: 'token:simulated', door: 'http', expired: false };
/** How often a node looks for ends (`house/locks/nodes.ts`). */
const LOOK_MS = 1_000;

/** One address behind one door, in virtual time: the real rules decide, and requests are parked as the house parks them. */
export class LockServer {
  world: World = NEW_WORLD;
  readonly #agenda: Agenda;
  readonly #treatment: Treatment;
  readonly #onGrant: (lockId: string) => void;
  readonly #parked = new Map<string, { granted: () => void }>();
  #seats = 0;
  #looking = false;

  /** @param onGrant told of each grant at the moment when it is made */
  constructor(agenda: Agenda, treatment: Treatment, onGrant: (lockId: string) => void) {
    this.#agenda = agenda;
    this.#treatment = treatment;
    this.#onGrant = onGrant;
  }

  /** Asks for the lock; the answer comes when the server gives it. */
  lock(ask: Ask, answer: (granted: boolean) => void): Call {
    const seat = this.#treatment.parks ? `node:${(this.#seats += 1)}` : null;
    const { lockId } = ask;
    const outcome = this.#decide({
      type: 'lock',
      address: ADDRESS,
      actor: ACTOR,
      lockId,
      waiter: lockId,
      operation: ask.shared ? 'OperationTypePlan' : 'OperationTypeApply',
      shared: ask.shared,
      alias: 'http',
      lease: null,
      delay: 0,
      info: null,
      seat,
      wait: null,
    });
    if (outcome.type === 'granted' && !outcome.again) this.#onGrant(lockId);
    if (outcome.type !== 'held' || outcome.parkFor === null || seat === null) {
      answer(outcome.type === 'granted');
      return { hangUp: () => undefined };
    }
    return this.#park(seat, lockId, outcome.parkFor, answer);
  }

  unlock(lockId: string): void {
    this.#decide({
      type: 'unlock',
      address: ADDRESS,
      actor: ACTOR,
      lockId,
      alias: null,
      mayBreak: false,
    });
  }

  #park(seat: string, waiter: string, time: Instant, answer: (granted: boolean) => void): Call {
    const about = { address: ADDRESS, actor: ACTOR, waiter, seat };
    let cancel = this.#agenda.after(time, () => over());
    const end = (granted: boolean): void => {
      cancel();
      this.#parked.delete(seat);
      answer(granted);
    };
    const over = (): void => {
      const outcome = this.#decide({ type: 'park-over', closing: false, ...about });
      if (outcome.type === 'held' && outcome.parkFor !== null) {
        cancel = this.#agenda.after(outcome.parkFor, () => over());
      } else {
        end(outcome.type === 'granted');
      }
    };
    this.#parked.set(seat, {
      granted: () => {
        this.#decide({ type: 'accept', ...about });
        end(true);
      },
    });
    return {
      hangUp: () => {
        if (!this.#parked.has(seat)) return;
        cancel();
        this.#parked.delete(seat);
        this.#decide({ type: 'leave', ...about });
      },
    };
  }

  #decide<T extends CommandType>(command: AddressCommand<T> & { readonly type: T }): OutcomeOf[T] {
    const { outcome, effects, handovers } = decide<T>(command, this.world, this.#agenda.now, this.#treatment);
    this.world = evolve(this.world, effects);
    for (const { seat, waiter } of handovers) {
      this.#onGrant(waiter);
      this.#agenda.after(0, () => this.#parked.get(seat)?.granted());
    }
    this.#look();
    return outcome;
  }

  /** Ends a keep in vain as late as a node would. */
  #look(): void {
    if (this.#looking || this.world.record.freeAt === null) return;
    this.#looking = true;
    this.#agenda.after(LOOK_MS - (this.#agenda.now % LOOK_MS), () => {
      this.#looking = false;
      const { freeAt } = this.world.record;
      if (freeAt !== null && freeAt <= this.#agenda.now) {
        this.#decide({ type: 'expire', address: ADDRESS, actor: ACTOR });
      }
      this.#look();
    });
  }
}
