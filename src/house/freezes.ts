import { z } from 'zod';
import { matchesPattern } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import { patternProblem } from '../core/grant.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { OPERATION_PLAN } from '../core/lock-info.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Audit } from './audit.ts';
import type { Caller, Shut } from './caller.ts';
import type { Gate } from './gate.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { FREEZE_KIND } from './records/kinds.ts';
import type { Records } from './records/records.ts';

/** Freezes that are kept at a time. */
const FREEZES_MAX = 1_000;
const FREEZE_REASON_MAX = 500;
const FREEZE_MAX: Milliseconds = 366 * 86_400_000;

/** Applies on the addresses of a pattern are refused for a time; plans go on. */
export interface Freeze {
  readonly pattern: string;
  readonly reason: string;
  /** It ends by itself. */
  readonly until: Instant;
  /** Who froze them, as authenticated. */
  readonly by: string;
  readonly since: Instant;
}

/** The address is frozen, and this would change its state. */
export interface Frozen extends Freeze {
  readonly type: 'frozen';
}

type StoredFreeze = Omit<Freeze, 'pattern'>;

/** The freezes, under their patterns. */
export const FREEZES: RecordDefinition<StoredFreeze> = defineRecords<StoredFreeze>(
  FREEZE_KIND,
  z.object({ reason: z.string(), until: z.number(), by: z.string(), since: z.number() }),
);

export type SetFreezeAnswer =
  | { readonly type: 'set'; readonly freeze: Freeze }
  | { readonly type: 'invalid'; readonly problem: string }
  | Shut;

/** What is frozen: asked before a lock is granted for anything but a plan, and before a write without a lock. */
export class Freezes {
  readonly #engine: Pick<Engine, 'world'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #records: Records<StoredFreeze>;
  readonly #gate: Gate;
  readonly #audit: Audit;

  constructor(options: {
    engine: Pick<Engine, 'world'>;
    clock: Pick<Clock, 'now'>;
    records: Records<StoredFreeze>;
    gate: Gate;
    audit: Audit;
  }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#records = options.records;
    this.#gate = options.gate;
    this.#audit = options.audit;
  }

  /** Freezes what a pattern covers, in the place of a freeze of the same pattern. For operators of all of it. */
  async set(
    caller: Caller,
    { pattern, reason, until }: Pick<Freeze, 'pattern' | 'reason' | 'until'>,
  ): Promise<SetFreezeAnswer> {
    const refusal = await this.#refuse(caller, pattern);
    if (refusal !== null) return refusal;
    const since = this.#clock.now();
    const others = (await this.#records.list()).filter(
      ({ name, record }) => name !== pattern && record.until > since,
    );
    const problem = this.#problem({ pattern, reason, until }, since, others.length);
    if (problem !== null) return { type: 'invalid', problem };
    const freeze = { pattern, reason, until, by: caller.identity.subject, since };
    const { pattern: _pattern, ...stored } = freeze;
    await this.#records.put(null, pattern, stored);
    this.#audit.note(caller, 'freeze', null, { pattern, reason, until: new Date(until).toISOString() });
    return { type: 'set', freeze };
  }

  /** Ends a freeze before its time. */
  async lift(
    caller: Caller,
    pattern: string,
  ): Promise<{ readonly type: 'lifted' } | { readonly type: 'absent' } | Shut> {
    const refusal = await this.#refuse(caller, pattern);
    if (refusal !== null) return refusal;
    let wasThere = false;
    await this.#records.update(null, pattern, (before) => {
      wasThere = before !== null && before.until > this.#clock.now();
      return null;
    });
    if (!wasThere) return { type: 'absent' };
    this.#audit.note(caller, 'unfreeze', null, { pattern });
    return { type: 'lifted' };
  }

  /** Those of projects in which the caller may list something, the first to end first. */
  async list(
    caller: Caller,
  ): Promise<{ readonly type: 'freezes'; readonly freezes: readonly Freeze[] } | Shut> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const freezes = (await this.#records.list())
      .map(({ name, record }): Freeze => ({ pattern: name, ...record }))
      .filter(({ until }) => until > this.#clock.now())
      .filter(({ pattern }) => this.#isSeenBy(caller, pattern))
      .toSorted((a, b) => a.until - b.until);
    return { type: 'freezes', freezes };
  }

  /** Why an operation may not begin at an address; null if it may: plans may always. */
  async stops(address: Address, operation: string): Promise<Frozen | null> {
    if (operation === OPERATION_PLAN) return null;
    const now = this.#clock.now();
    for (const { name, record } of await this.#records.known()) {
      if (record.until > now && matchesPattern(name, address))
        return { type: 'frozen', pattern: name, ...record };
    }
    return null;
  }

  /** The same for a lock request, of which the one that holds the lock already may go on. */
  async stopsLock(
    { identity: { subject } }: Caller,
    address: Address,
    { operation, lockId }: { readonly operation: string; readonly lockId: string },
  ): Promise<Frozen | null> {
    const frozen = await this.stops(address, operation);
    if (frozen === null) return null;
    const { holders } = await this.#engine.world(address);
    return holders.some((holder) => holder.lockId === lockId && holder.subject === subject) ? null : frozen;
  }

  /** The same for a change that names no lock: where one is held, the rules say whose it is. */
  async stopsChange(address: Address): Promise<Frozen | null> {
    const frozen = await this.stops(address, '');
    if (frozen === null) return null;
    return (await this.#engine.world(address)).holders.length === 0 ? frozen : null;
  }

  /** An operator of the pattern may: of every address that it covers. */
  #refuse(caller: Caller, pattern: string): Promise<Shut | null> | Shut | null {
    const address = widest(pattern);
    return address === null
      ? this.#gate.inHouse(caller, 'force-unlock')
      : this.#gate.on(caller, 'force-unlock', address);
  }

  #isSeenBy({ identity }: Caller, pattern: string): boolean {
    const address = widest(pattern);
    if (address === null) return true;
    return this.#gate.showsProject(identity, 'list', address.project);
  }

  #problem(
    { pattern, reason, until }: Pick<Freeze, 'pattern' | 'reason' | 'until'>,
    now: Instant,
    others: number,
  ): string | null {
    const wrong = patternProblem(pattern);
    if (wrong !== null) return wrong;
    if (reason.trim() === '' || reason.length > FREEZE_REASON_MAX)
      return `a reason has 1 to ${FREEZE_REASON_MAX} characters`;
    if (until <= now || until > now + FREEZE_MAX) return 'a freeze ends in the future, and within a year';
    return others >= FREEZES_MAX ? `there are ${FREEZES_MAX} freezes already: end one` : null;
  }
}

/**
 * The pattern as if it were an address, whose stars only a star of a grant covers; null for what only a grant of
 * everything does.
 */
function widest(pattern: string): Address | null {
  const whole = pattern.includes('@') ? pattern : `${pattern}@*`;
  const slash = whole.indexOf('/');
  const at = whole.lastIndexOf('@');
  if (slash === -1) return null;
  return { project: whole.slice(0, slash), key: whole.slice(slash + 1, at), workspace: whole.slice(at + 1) };
}
