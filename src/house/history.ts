import type { Address } from '../core/address.ts';
import type { Outcome } from '../core/outcome.ts';
import { isLimited, prunable, type Retention } from '../core/retention.ts';
import { isStateHeader, readStateHeader, withSerial } from '../core/state-header.ts';
import type { Claim } from '../core/command.ts';
import type { Version } from '../core/world.ts';
import { actorOf, isShutOut, refuseOn, type Caller, type Forbidden } from './caller.ts';
import type { Desk } from './desk.ts';
import type { Intake, NotTakenIn } from './intake.ts';
import type { Locks } from './locks.ts';
import type { Outlet } from './outlet.ts';

/** Versions that a pruning reads at a time. */
const PRUNE_PAGE = 1_000;

export type RestoreAnswer =
  | Extract<Outcome, { type: 'stored' | 'stale' | 'held' | 'fenced' | 'shared-hold' | 'expired' }>
  | NotTakenIn
  | { readonly type: 'absent' }
  | Forbidden;

export type UndeleteAnswer =
  | Extract<Outcome, { type: 'undeleted' | 'absent' | 'exists' | 'held' }>
  | Forbidden;

export type PurgeAnswer = Extract<Outcome, { type: 'pruned' | 'absent' | 'exists' | 'held' }> | Forbidden;

/** The versions of a state: looked at, brought back, and let go. */
export class History {
  readonly #desk: Desk;
  readonly #locks: Locks;
  readonly #intake: Intake;
  readonly #outlet: Outlet;
  readonly #retentionOf: (project: string) => Promise<Retention>;

  constructor(options: {
    desk: Desk;
    locks: Locks;
    intake: Intake;
    outlet: Outlet;
    retentionOf: (project: string) => Promise<Retention>;
  }) {
    this.#desk = options.desk;
    this.#locks = options.locks;
    this.#intake = options.intake;
    this.#outlet = options.outlet;
    this.#retentionOf = options.retentionOf;
  }

  /** Newest first, older than `before` if that is given; those of a deleted state too. */
  async versions(
    caller: Caller,
    address: Address,
    query: { before?: number; limit: number },
  ): Promise<readonly Version[] | Forbidden> {
    const refusal = refuseOn(caller, 'read', address);
    return refusal ?? this.#desk.engine.versions(address, query);
  }

  /**
   * Rolls forward: the content of an old version becomes the newest one, with the newest serial + 1. An encrypted state
   * comes back byte for byte, serial included, because OpenTofu checks the serial against the one that is inside.
   * @param claim the lock to restore under, if one is held
   */
  async restore(caller: Caller, address: Address, number: number, claim: Claim): Promise<RestoreAnswer> {
    const refusal = refuseOn(caller, 'restore', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#desk;
    const world = await engine.world(address);
    if (isShutOut(caller, world)) return { type: 'expired' };
    const { record } = world;
    const version = await engine.version(address, number);
    const bytes = version === null ? null : await this.#outlet.whole(version);
    if (bytes === null) return { type: 'absent' };
    const header = readStateHeader(bytes);
    if (!isStateHeader(header)) throw new Error('a kept version is no state');
    const newest = record.head;
    const content =
      header.encrypted || newest === null ? bytes : withSerial(bytes, header, newest.serial + 1n);
    const taken = await this.#intake.take(caller, oneChunk(content), { contentLength: content.length });
    if (taken.type !== 'taken-in') return taken;
    const outcome = await this.#desk.one({
      type: 'write',
      address,
      actor: actorOf(caller),
      claim,
      ...taken.content,
      restore: { from: number, newest: record.deletedAt === null ? (newest?.number ?? 0) : 0 },
    });
    switch (outcome.type) {
      case 'held':
      case 'fenced':
      case 'shared-hold':
        return { ...outcome, holders: this.#locks.openHolders(address, outcome.holders) };
      case 'stored':
      case 'stale':
      case 'expired':
        return outcome;
      default:
        throw new Error(`a restore ended as ${outcome.type}`);
    }
  }

  /** Shows a deleted state again. */
  async undelete(caller: Caller, address: Address): Promise<UndeleteAnswer> {
    const refusal = refuseOn(caller, 'restore', address);
    if (refusal !== null) return refusal;
    const outcome = await this.#desk.one({ type: 'undelete', address, actor: actorOf(caller) });
    switch (outcome.type) {
      case 'held':
        return { ...outcome, holders: this.#locks.openHolders(address, outcome.holders) };
      case 'undeleted':
      case 'absent':
      case 'exists':
        return outcome;
      default:
        throw new Error(`an undelete ended as ${outcome.type}`);
    }
  }

  /** Drops a deleted state and its history for good. */
  async purge(caller: Caller, address: Address): Promise<PurgeAnswer> {
    const refusal = refuseOn(caller, 'purge', address);
    if (refusal !== null) return refusal;
    const outcome = await this.#desk.one({ type: 'purge', address, actor: actorOf(caller) });
    switch (outcome.type) {
      case 'held':
        return { ...outcome, holders: this.#locks.openHolders(address, outcome.holders) };
      case 'pruned':
      case 'absent':
      case 'exists':
        return outcome;
      default:
        throw new Error(`a purge ended as ${outcome.type}`);
    }
  }

  /** Lets go the versions that the project's retention no longer keeps. Does nothing where none is set. */
  async prune(address: Address): Promise<void> {
    const retention = await this.#retentionOf(address.project);
    if (!isLimited(retention)) return;
    const { engine } = this.#desk;
    const versions: Version[] = [];
    for (;;) {
      const before = versions.at(-1)?.number;
      const query = { limit: PRUNE_PAGE, ...(before === undefined ? {} : { before }) };
      const page = await engine.versions(address, query);
      versions.push(...page);
      if (page.length < PRUNE_PAGE) break;
    }
    const numbers = prunable(versions, retention, await engine.now());
    if (numbers.length === 0) return;
    const actor = { subject: 'house:retention', door: 'house', expired: false };
    await this.#desk.one({ type: 'prune', address, actor, numbers });
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
