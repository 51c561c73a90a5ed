import { isSameAddress, type Address } from '../../core/address.ts';
import type { Claim, SealedBody } from '../../core/command.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { OutcomeOf } from '../../core/outcome.ts';
import type { StateFacts } from '../../core/world.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Audit } from '../audit.ts';
import type { Budget } from '../budget.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Unannounced } from '../first-writes.ts';
import type { Frozen } from '../freezes.ts';
import type { Gate } from '../gate.ts';
import type { RecordOwner, Records } from '../records/records.ts';
import type { StateBodyReader, StateBytes } from './body-reader.ts';
import { crowdedOut, largestKept, type RefusedSettings } from './refused-limits.ts';
import {
  openRefusedFacts,
  REFUSED_WRITES,
  sealRefusedFacts,
  type RefusedWrite,
  type SealedRefused,
  type StoredRefused,
} from './refused-records.ts';

/** How often those that are over are looked for. */
const SWEEP_MS: Milliseconds = 60 * 60 * 1_000;

/** Hex digits: enough that nobody meets two. */
const ID_LENGTH = 16;

/** Who drops what is over. */
const NODE: Caller = { identity: { subject: 'house:node', grants: [] }, door: 'house' };

/** The refusals that throw away what a writer could not send again. */
export type WriteRefusal = Exclude<OutcomeOf['write'], { type: 'stored' | 'expired' }> | Frozen | Unannounced;

/** Where the bytes of a refused write are. */
export interface KeptWrite {
  readonly kept?: { readonly id: string; readonly address: Address };
}

/** A write, as far as it matters to whoever keeps it. */
export interface WriteTaken {
  readonly address: Address;
  readonly claim: Claim;
  readonly content: StateFacts & { readonly body: SealedBody };
}

export type RefusedListAnswer =
  | { readonly type: 'refused-writes'; readonly writes: readonly RefusedWrite[] }
  | Shut;

export type RefusedReadAnswer =
  | { readonly type: 'found'; readonly write: RefusedWrite; readonly bytes: StateBytes }
  | { readonly type: 'absent' }
  | Shut;

/**
 * Writes that the rules refused, kept for whoever sent them to rescue. One for the same bytes of the same sender: a client
 * that tries again makes no second one.
 */
export class RefusedWrites {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #records: Records<StoredRefused>;
  readonly #bodyReader: StateBodyReader;
  readonly #audit: Audit;
  readonly #log: Log;
  readonly #gate: Gate;
  readonly #settings: RefusedSettings;
  readonly #inFlight: Budget;
  readonly #sealer: Sealer;
  readonly #entropy: Entropy;
  /** What makes room takes turns, so that a crowd of refusals does not slip in between. */
  #turn: Promise<unknown> = Promise.resolve();
  #endSweeping: () => void = () => undefined;

  /** @param options.inFlight what the copies of bodies hold while the rules decide, together with all that come in */
  constructor(options: {
    records: RecordOwner;
    bodyReader: StateBodyReader;
    audit: Audit;
    log: Log;
    gate: Gate;
    settings: RefusedSettings;
    inFlight: Budget;
    sealer: Sealer;
    entropy: Entropy;
  }) {
    this.#engine = options.records.engine;
    this.#clock = options.records.clock;
    this.#records = REFUSED_WRITES.of(options.records);
    this.#bodyReader = options.bodyReader;
    this.#audit = options.audit;
    this.#log = options.log;
    this.#gate = options.gate;
    this.#settings = options.settings;
    this.#inFlight = options.inFlight;
    this.#sealer = options.sealer;
    this.#entropy = options.entropy;
  }

  /**
   * Has a write decided, and keeps its bytes if it was refused. Its sender has the right to write: that was asked before.
   * @param decide gives the body to the engine
   */
  async keepIfRefused<O extends OutcomeOf['write'] | Frozen | Unannounced>(
    caller: Caller,
    write: WriteTaken,
    decide: () => Promise<O>,
  ): Promise<O | (Extract<O, WriteRefusal> & KeptWrite)> {
    const { body } = write.content;
    const stored = body.segments.reduce((sum, { length }) => sum + length, 0);
    if (this.#settings.refusedKept === 0 || stored > largestKept(this.#settings)) return decide();
    const held = this.#inFlight.begin(caller);
    try {
      if (!held.take(stored)) return await decide();
      // What the engine is given may be gone afterwards.
      const copy = { ...body, segments: body.segments.map((segment) => new Uint8Array(segment)) };
      const outcome = await decide();
      if (outcome.type === 'stored' || outcome.type === 'expired') return outcome;
      const kept = await this.#keep(caller, { ...write, copy, stored }, outcome);
      return kept === null ? outcome : ({ ...outcome, kept } as Extract<O, WriteRefusal> & KeptWrite);
    } finally {
      held.release();
    }
  }

  /** Those of an address, or of all: the caller's own, and everybody's for an operator. Newest first. */
  async list(caller: Caller, address: Address | null): Promise<RefusedListAnswer> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const sealed = (await this.#known())
      .filter((write) => address === null || isSameAddress(write.address, address))
      .filter((write) => this.#isSeenBy(caller, write));
    const writes: RefusedWrite[] = [];
    for (const write of sealed.toSorted((a, b) => b.at - a.at)) {
      const opened = await this.#open(write);
      if (opened !== null) writes.push(opened);
    }
    return { type: 'refused-writes', writes };
  }

  /** One of them with its bytes; absent for whom it is not shown. */
  async read(caller: Caller, address: Address, id: string): Promise<RefusedReadAnswer> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const found = await this.#find(caller, address, id);
    const write = found === null ? null : await this.#open(found);
    const bytes = write === null ? null : await this.#bodyReader.open({ ...write, number: null });
    if (write === null || bytes === null) return { type: 'absent' };
    this.#audit.note(caller, 'read-kept', address, { write: id });
    return { type: 'found', write, bytes };
  }

  /** Drops one of them, because it was rescued or is not wanted. */
  async drop(
    caller: Caller,
    address: Address,
    id: string,
  ): Promise<{ readonly type: 'dropped' } | { readonly type: 'absent' } | Shut> {
    const refusal = this.#gate.known(caller.identity);
    if (refusal !== null) return refusal;
    const isWriter = this.#gate.shows(caller.identity, 'write', address);
    if (!isWriter || (await this.#find(caller, address, id)) === null) return { type: 'absent' };
    await this.#records.drop(null, id);
    this.#audit.note(caller, 'drop-kept', address, { write: id });
    return { type: 'dropped' };
  }

  /** Goes on dropping those that are over, until {@link RefusedWrites.close}. */
  keepSwept(): void {
    this.#endSweeping = this.#clock.after(SWEEP_MS, () => {
      this.keepSwept();
      this.#known().catch((fault: unknown) =>
        this.#log.error('refused writes that are over could not be dropped', { fault: String(fault) }),
      );
    });
  }

  close(): void {
    this.#endSweeping();
  }

  /** @returns null where they could not be kept, which must not change what the writer is told of its refusal */
  async #keep(
    caller: Caller,
    write: WriteTaken & { readonly copy: SealedBody; readonly stored: number },
    refusal: WriteRefusal,
  ): Promise<KeptWrite['kept'] | null> {
    const { address, copy } = write;
    try {
      const record = await this.#recordOf(caller, write, refusal);
      return await this.#inTurn(async () => {
        const kept = await this.#known();
        const same = await this.#findSame(kept, record, write.content.sha256);
        if (same !== null) return { id: same, address };
        const id = this.#entropy.uuid().replaceAll('-', '').slice(0, ID_LENGTH);
        await this.#dropAll(crowdedOut(kept, { ...record, id }, this.#settings), kept, 'room');
        await this.#records.put(null, id, record, copy);
        const { outcome, reason } = record;
        const why = { refused: outcome, ...(reason === null ? {} : { reason }) };
        this.#audit.note(caller, 'write-kept', address, { write: id, ...why });
        return { id, address };
      });
    } catch (fault) {
      this.#log.error('a refused write could not be kept', { fault: String(fault) });
      return null;
    }
  }

  async #recordOf(
    { identity: { subject }, door }: Caller,
    { address, claim, content, stored }: WriteTaken & { readonly stored: number },
    refusal: WriteRefusal,
  ): Promise<StoredRefused> {
    const { body, serial, lineage, terraformVersion, encrypted } = content;
    const { record } = await this.#engine.world(address);
    const head = refusal.type === 'stale' ? refusal.head : record.head;
    return {
      facts: sealRefusedFacts(this.#sealer, body, content),
      serial: serial.toString(),
      lineage,
      terraformVersion,
      encrypted,
      address,
      subject,
      door,
      at: await this.#engine.now(),
      outcome: refusal.type,
      reason: 'reason' in refusal ? refusal.reason : null,
      lockId: claim.kind === 'named' ? claim.lockId : null,
      head:
        head === null
          ? null
          : { version: head.number, serial: head.serial.toString(), lineage: head.lineage },
      stored,
    };
  }

  async #find(caller: Caller, address: Address, id: string): Promise<SealedRefused | null> {
    const write = (await this.#known()).find((one) => one.id === id);
    if (write === undefined || !isSameAddress(write.address, address)) return null;
    return this.#isSeenBy(caller, write) ? write : null;
  }

  /** What is kept already for the same bytes of the same sender. @returns its ID */
  async #findSame(
    kept: readonly SealedRefused[],
    { address, subject, serial, lineage }: StoredRefused,
    sha256: string,
  ): Promise<string | null> {
    for (const one of kept) {
      const isLike =
        one.subject === subject &&
        isSameAddress(one.address, address) &&
        one.serial.toString() === serial &&
        one.lineage === lineage;
      if (isLike && (await this.#open(one))?.sha256 === sha256) return one.id;
    }
    return null;
  }

  /** With its facts; null when it was dropped meanwhile. */
  async #open({ facts, ...write }: SealedRefused): Promise<RefusedWrite | null> {
    const body = await this.#engine.body(write.bodyId);
    return body === null ? null : { ...write, ...openRefusedFacts(this.#sealer, body, facts) };
  }

  #isSeenBy({ identity }: Caller, { subject, address }: SealedRefused): boolean {
    if (!this.#gate.shows(identity, 'read-history', address)) return false;
    return subject === identity.subject || this.#gate.shows(identity, 'force-unlock', address);
  }

  /** All that are not over; the others are dropped on the way. */
  async #known(): Promise<readonly SealedRefused[]> {
    const now = await this.#engine.now();
    const { refusedKept } = this.#settings;
    const writes = (await this.#records.list()).map(({ name, record, bodyId }): SealedRefused => ({
      ...record,
      id: name,
      bodyId: bodyId ?? '',
      until: record.at + refusedKept,
      serial: BigInt(record.serial),
      head: record.head === null ? null : { ...record.head, serial: BigInt(record.head.serial) },
    }));
    const over = writes.filter(({ until }) => until <= now).map(({ id }) => id);
    await this.#dropAll(over, writes, 'age');
    return writes.filter(({ id }) => !over.includes(id));
  }

  async #dropAll(ids: readonly string[], kept: readonly SealedRefused[], why: 'age' | 'room'): Promise<void> {
    if (ids.length === 0) return;
    await this.#records.drop(null, ...ids);
    for (const { id, address, subject } of kept) {
      if (ids.includes(id)) this.#audit.note(NODE, 'drop-kept', address, { write: id, of: subject, why });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}
