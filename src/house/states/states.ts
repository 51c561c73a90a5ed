import { mayActOn } from '../../core/access.ts';
import type { Address } from '../../core/address.ts';
import type { Claim, WriteCommand } from '../../core/command.ts';
import type { Identity } from '../../core/grant.ts';
import type { OutcomeOf } from '../../core/outcome.ts';
import { liveHead, type Version, type World } from '../../core/world.ts';
import { EngineFault, type StateQuery } from '../../ports/engine.ts';
import type { Audit } from '../audit.ts';
import { actorOf, isShutOut, isShutOutOf, refuseOn, type Caller, type Forbidden } from '../caller.ts';
import type { CommandExecutor } from '../executor.ts';
import type { Announced, StateBodyWriter, BodyRefusal } from './body-writer.ts';
import { listVisible, type VisiblePage } from '../listing.ts';
import type { StateBodyReader, StateBytes } from './body-reader.ts';

/**
 * How often a read looks again when the bytes of what it found were pruned since: there is a state, and it is another one
 * now, which must not be answered as "there is none".
 */
const READ_TRIES = 5;

export interface FoundState {
  readonly type: 'found';
  readonly version: Version;
  readonly bytes: StateBytes;
}

export type ReadAnswer = FoundState | { readonly type: 'absent' } | { readonly type: 'expired' } | Forbidden;

export type ReadWholeAnswer =
  | {
      readonly type: 'whole';
      readonly version: Version;
      readonly bytes: Uint8Array;
      /** Whether the caller may read all of it, sensitive values too. */
      readonly reveal: boolean;
    }
  | { readonly type: 'too-large'; readonly limit: number }
  | Exclude<ReadAnswer, FoundState>;

export type WriteAnswer = OutcomeOf['write'] | BodyRefusal | Forbidden;

export type DeleteAnswer = OutcomeOf['delete'] | Forbidden;

/** How a write is to be taken. */
export interface WriteTerms extends Announced {
  readonly claim: Claim;
  readonly expects?: WriteCommand['expects'];
}

/** Reads, writes and removes states. */
export class States {
  readonly #executor: CommandExecutor;
  readonly #bodyWriter: StateBodyWriter;
  readonly #bodyReader: StateBodyReader;
  readonly #audit: Audit;

  constructor(options: {
    executor: CommandExecutor;
    bodyWriter: StateBodyWriter;
    bodyReader: StateBodyReader;
    audit: Audit;
  }) {
    this.#executor = options.executor;
    this.#bodyWriter = options.bodyWriter;
    this.#bodyReader = options.bodyReader;
    this.#audit = options.audit;
  }

  /**
   * Reads the newest version, or a given one; a deleted state has versions, but no newest one.
   * A caller whose credential has expired may read what it holds the lock of.
   */
  async read(caller: Caller, address: Address, number: number | null = null): Promise<ReadAnswer> {
    const refusal = refuseOn(caller, 'read', address);
    if (refusal !== null) return refusal;
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const { version, expired } = await this.#find(caller, address, number);
      if (expired) return { type: 'expired' };
      if (version === null) return { type: 'absent' };
      const bytes = await this.#bodyReader.open(version);
      if (bytes === null) continue;
      this.#audit.note(caller, 'read', address, { version: version.number });
      return { type: 'found', version, bytes };
    }
    throw bytesGone();
  }

  /**
   * Reads a version in one piece, for showing what it says; a reader of outputs alone must be shown nothing else of it.
   * @param limit bytes of the largest state that is read so
   */
  async readWhole(
    caller: Caller,
    address: Address,
    { number, action, limit }: { number: number | null; action: 'read' | 'read-outputs'; limit: number },
  ): Promise<ReadWholeAnswer> {
    const refusal = refuseOn(caller, action, address);
    if (refusal !== null) return refusal;
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const { version, expired } = await this.#find(caller, address, number);
      if (expired) return { type: 'expired' };
      if (version === null) return { type: 'absent' };
      if (version.size > limit) return { type: 'too-large', limit };
      const bytes = await this.#bodyReader.whole(version);
      if (bytes === null) continue;
      this.#audit.note(caller, action, address, { version: version.number });
      const reveal = refuseOn(caller, 'read', address) === null;
      return { type: 'whole', version, bytes, reveal };
    }
    throw bytesGone();
  }

  /** The newest version's description, without its bytes: for those who might read them. */
  async describe(
    caller: Caller,
    address: Address,
  ): Promise<
    | { readonly type: 'described'; readonly world: World; readonly head: Version | null }
    | { readonly type: 'expired' }
    | Forbidden
  > {
    const refusal = refuseOn(caller, 'read', address);
    if (refusal !== null) return refusal;
    const world = await this.#executor.engine.world(address);
    if (isShutOut(caller, world)) return { type: 'expired' };
    return { type: 'described', world, head: liveHead(world.record) };
  }

  /** Takes a state in and keeps it as a new version, if the rules allow. */
  async write(
    caller: Caller,
    address: Address,
    body: AsyncIterable<Uint8Array>,
    terms: WriteTerms,
  ): Promise<WriteAnswer> {
    const refusal = refuseOn(caller, 'write', address);
    if (refusal !== null) return refusal;
    if (await isShutOutOf(this.#executor.engine, caller, address)) return { type: 'expired' };
    const taken = await this.#bodyWriter.take(caller, body, terms);
    if (taken.type !== 'taken-in') return taken;
    return this.#executor.execute({
      type: 'write',
      address,
      actor: actorOf(caller),
      claim: terms.claim,
      ...taken.content,
      restore: null,
      ...(terms.expects === undefined ? {} : { expects: terms.expects }),
    });
  }

  /** Hides a state; it can be undeleted until it is purged. */
  async delete(caller: Caller, address: Address, claim: Claim): Promise<DeleteAnswer> {
    const refusal = refuseOn(caller, 'delete', address);
    if (refusal !== null) return refusal;
    return this.#executor.execute({ type: 'delete', address, actor: actorOf(caller), claim });
  }

  /**
   * The states that a query asks for and the caller may see, in the order of their addresses.
   */
  async list(caller: Caller, query: StateQuery): Promise<VisiblePage> {
    return listVisible(this.#executor.engine, caller, query);
  }

  /** Whether somebody may know of what happens to the state of an address. */
  maySee(identity: Identity, address: Address): boolean {
    return mayActOn(identity.grants, 'read', address);
  }

  async #find(
    caller: Caller,
    address: Address,
    number: number | null,
  ): Promise<{ version: Version | null; expired: boolean }> {
    const world = await this.#executor.engine.world(address);
    if (isShutOut(caller, world)) return { version: null, expired: true };
    if (number === null) return { version: liveHead(world.record), expired: false };
    return { version: await this.#executor.engine.version(address, number), expired: false };
  }
}

function bytesGone(): EngineFault {
  return new EngineFault('the bytes of a version are not there: pruned each time it was read, or damaged');
}
