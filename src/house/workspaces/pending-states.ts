import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { Claim, SealedBody } from '../../core/command.ts';
import { decide } from '../../core/decide.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { OutcomeOf } from '../../core/outcome.ts';
import { liveHead } from '../../core/world.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { actorOf, type Caller, type Shut } from '../caller.ts';
import type { Freezes, Frozen } from '../freezes.ts';
import type { Gate } from '../gate.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { PENDING_STATE_KIND } from '../records/kinds.ts';
import type { NamedRecord, Records } from '../records/records.ts';

/** How long a state may come after it was announced. */
const UPLOAD_LIFE: Milliseconds = 3_600_000;
/** How long a release waits for a state that was announced: a run sends it at once, or never. */
const AWAITED_LIFE: Milliseconds = 60_000;
/** How long it is known that one has come: what belongs to it, or a copy of it whose answer was lost, may come later. */
const DONE_LIFE: Milliseconds = 600_000;
/** Announced states that are kept, and those of one credential. */
const PENDING_MAX = 10_000;
const PENDING_OF_ONE_MAX: number = PENDING_MAX / 2;

/**
 * A state of which everything is known but its bytes. Neither its digest nor its name, which may have the digest in it, is
 * kept: whoever has the database could try guesses at it.
 */
export interface PendingState {
  readonly address: Address;
  readonly subject: string;
  readonly credentialId: string | null;
  /** In decimal. */
  readonly serial: string;
  readonly lineage: string;
  /** The lock that it is to be written under; null where the protocol named none. */
  readonly lockId: string | null;
  readonly createdAt: Instant;
  /** When it came; null while it is awaited. */
  readonly doneAt: Instant | null;
  /** SHA-256 of what the sender shows in place of a credential, and of the name that it is for. */
  readonly ticket: string;
}

export const PENDING_STATES: RecordDefinition<PendingState> = defineRecords<PendingState>(
  PENDING_STATE_KIND,
  z.object({
    address: z.object({ project: z.string(), key: z.string(), workspace: z.string() }),
    subject: z.string(),
    credentialId: z.string().nullable(),
    serial: z.string(),
    lineage: z.string(),
    lockId: z.string().nullable(),
    createdAt: z.number(),
    doneAt: z.number().nullable(),
    ticket: z.string(),
  }),
);

/** What is announced of a state. */
export interface AnnouncedState {
  readonly serial: bigint;
  readonly lineage: string;
  readonly md5: string;
  readonly claim: Claim;
}

export type BeginAnswer =
  | { readonly type: 'begun'; readonly pending: PendingState; readonly ticket: string }
  | Exclude<OutcomeOf['write'], { readonly type: 'stored' }>
  | Frozen
  | { readonly type: 'full'; readonly limit: number }
  | Shut;

/** States that are announced first and sent afterwards, by whoever shows the ticket for one. */
export class PendingStates {
  readonly #engine: Engine;
  readonly #entropy: Entropy;
  readonly #gate: Gate;
  readonly #freezes: Freezes;
  readonly #records: Records<PendingState>;

  constructor(options: {
    engine: Engine;
    entropy: Entropy;
    gate: Gate;
    freezes: Freezes;
    records: Records<PendingState>;
  }) {
    this.#engine = options.engine;
    this.#entropy = options.entropy;
    this.#gate = options.gate;
    this.#freezes = options.freezes;
    this.#records = options.records;
  }

  /**
   * Remembers a state that is to come. What would be refused by the rules is refused here already, where the sender can be told;
   * they are asked again when it has come.
   * @param name what it is known by from now on
   */
  async begin(
    caller: Caller,
    address: Address,
    name: string,
    announced: AnnouncedState,
  ): Promise<BeginAnswer> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const foreseen = await this.#foresee(caller, address, announced);
    if (foreseen !== null) return foreseen;
    const full = await this.#makeRoom(caller);
    if (full !== null) return full;
    const { serial, lineage, claim } = announced;
    const ticket = Buffer.from(this.#entropy.bytes(32)).toString('base64url');
    const pending: PendingState = {
      address,
      subject: caller.identity.subject,
      credentialId: caller.identity.credentialId ?? null,
      serial: serial.toString(),
      lineage,
      lockId: claim.kind === 'named' ? claim.lockId : null,
      createdAt: await this.#engine.now(),
      doneAt: null,
      ticket: digestOf(ticket, name),
    };
    await this.#records.put(null, pending.ticket, pending);
    return { type: 'begun', pending, ticket };
  }

  /** A state of a serial that is still to come, for whoever may read what it belongs to. */
  async find(
    caller: Caller,
    address: Address,
    serial: bigint,
  ): Promise<
    { readonly type: 'pending'; readonly pending: PendingState } | { readonly type: 'absent' } | Shut
  > {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const place = formatAddress(address);
    const now = await this.#engine.now();
    const isIt = ({ record }: NamedRecord<PendingState>): boolean =>
      record.doneAt === null &&
      record.serial === serial.toString() &&
      formatAddress(record.address) === place &&
      !isOver(record, now);
    const known = (await this.#records.known()).find(isIt) ?? (await this.#records.list()).find(isIt);
    return known === undefined ? { type: 'absent' } : { type: 'pending', pending: known.record };
  }

  /** What a ticket for a name is for; null for one that is not good, or not any more. */
  async admit(name: string, ticket: string): Promise<PendingState | null> {
    const pending = await this.#records.one(digestOf(ticket, name));
    if (pending === null) return null;
    return isOver(pending, await this.#engine.now()) ? null : pending;
  }

  /** It has come, and its ticket stores nothing any more. */
  async done(pending: PendingState): Promise<void> {
    await this.#records.put(null, pending.ticket, { ...pending, doneAt: await this.#engine.now() });
  }

  /** Whether the holder of a lock has announced a state there just now that has not come. */
  async isAwaited(address: Address, subject: string): Promise<boolean> {
    const place = formatAddress(address);
    const own = (await this.#records.known()).filter(
      ({ record }) =>
        record.doneAt === null && record.subject === subject && formatAddress(record.address) === place,
    );
    if (own.length === 0) return false;
    const now = await this.#engine.now();
    // What was stored since is what the holder means.
    const newest = liveHead((await this.#engine.world(address)).record)?.at ?? 0;
    return own.some(({ record: { createdAt } }) => createdAt > newest && now - createdAt <= AWAITED_LIFE);
  }

  /** Why the rules would refuse it as things are; null if they would not. */
  async #foresee(
    caller: Caller,
    address: Address,
    { serial, lineage, md5, claim }: AnnouncedState,
  ): Promise<Exclude<OutcomeOf['write'], { readonly type: 'stored' }> | Frozen | null> {
    const frozen = claim.kind === 'named' ? null : await this.#freezes.stopsChange(address);
    if (frozen !== null) return frozen;
    const world = await this.#engine.world(address);
    const head = liveHead(world.record);
    const { outcome } = decide(
      {
        type: 'write',
        address,
        actor: actorOf(caller),
        claim,
        serial,
        lineage,
        terraformVersion: '',
        encrypted: false,
        size: 0,
        md5,
        sha256: head?.md5 === md5 ? head.sha256 : '',
        body: NO_BODY,
        restore: null,
      },
      world,
      await this.#engine.now(),
    );
    return outcome.type === 'stored' ? null : outcome;
  }

  async #makeRoom(caller: Caller): Promise<{ readonly type: 'full'; readonly limit: number } | null> {
    const now = await this.#engine.now();
    const known: readonly NamedRecord<PendingState>[] = await this.#records.known();
    const dead = known.filter(({ record }) => isOver(record, now));
    if (dead.length > 0) await this.#records.drop(null, ...dead.map((one) => one.name));
    const others = known.filter(({ record }) => record.doneAt === null && !isOver(record, now));
    const own = others.filter(({ record }) => record.subject === caller.identity.subject);
    if (own.length >= PENDING_OF_ONE_MAX) return { type: 'full', limit: PENDING_OF_ONE_MAX };
    return others.length >= PENDING_MAX ? { type: 'full', limit: PENDING_MAX } : null;
  }
}

function isOver({ createdAt, doneAt }: PendingState, now: Instant): boolean {
  return now - createdAt > UPLOAD_LIFE || (doneAt !== null && now - doneAt > DONE_LIFE);
}

const NO_BODY: SealedBody = { id: '', keyId: '', wrappedKey: new Uint8Array(), segments: [] };

function digestOf(ticket: string, name: string): string {
  return createHash('sha256').update(`${ticket}\n${name}`).digest('hex');
}
