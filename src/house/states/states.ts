import type { Address } from '../../core/address.ts';
import type { Claim, DeleteCommand, WriteCommand } from '../../core/command.ts';
import type { Identity } from '../../core/grant.ts';
import type { OutcomeOf } from '../../core/outcome.ts';
import { liveHead, type Version, type World } from '../../core/world.ts';
import { EngineFault, type StateQuery } from '../../ports/engine.ts';
import type { Audit } from '../audit.ts';
import { actorOf, type Caller, type Shut } from '../caller.ts';
import type { CommandExecutor } from '../executor.ts';
import type { SeenReads } from '../explorer/seen-reads.ts';
import type { FirstWrites } from '../first-writes.ts';
import type { Freezes, Frozen } from '../freezes.ts';
import type { Gate } from '../gate.ts';
import type { Projects } from '../projects.ts';
import type { Announced, StateBodyWriter, BodyRefusal } from './body-writer.ts';
import { listVisible, type VisiblePage } from '../listing.ts';
import type { StateBodyReader, StateBytes } from './body-reader.ts';
import type { KeptWrite, RefusedWrites, WriteRefusal } from './refused-writes.ts';

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

export type ReadAnswer = FoundState | { readonly type: 'absent' } | Shut;

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

export type WriteAnswer = OutcomeOf['write'] | (WriteRefusal & KeptWrite) | BodyRefusal | Shut;

export type DeleteAnswer = OutcomeOf['delete'] | Frozen | Shut;

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
  readonly #gate: Gate;
  readonly #refusedWrites: RefusedWrites;
  readonly #freezes: Freezes;
  readonly #projects: Pick<Projects, 'termsOf'>;
  readonly #firstWrites: FirstWrites;
  readonly #seen: Pick<SeenReads, 'read'>;

  constructor(options: {
    executor: CommandExecutor;
    bodyWriter: StateBodyWriter;
    bodyReader: StateBodyReader;
    audit: Audit;
    gate: Gate;
    refusedWrites: RefusedWrites;
    freezes: Freezes;
    projects: Pick<Projects, 'termsOf'>;
    firstWrites: FirstWrites;
    seen: Pick<SeenReads, 'read'>;
  }) {
    this.#seen = options.seen;
    this.#executor = options.executor;
    this.#bodyWriter = options.bodyWriter;
    this.#bodyReader = options.bodyReader;
    this.#audit = options.audit;
    this.#gate = options.gate;
    this.#refusedWrites = options.refusedWrites;
    this.#freezes = options.freezes;
    this.#projects = options.projects;
    this.#firstWrites = options.firstWrites;
  }

  /**
   * Reads the newest version, or a given one; a deleted state has versions, but no newest one.
   * A caller whose credential has expired may read the newest version of what it holds the lock of.
   */
  async read(caller: Caller, address: Address, number: number | null = null): Promise<ReadAnswer> {
    const refusal = await this.#gate.on(caller, toRead(number), address);
    if (refusal !== null) return refusal;
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const version = await this.#find(address, number);
      if (version === null) return { type: 'absent' };
      const bytes = await this.#bodyReader.open(version);
      if (bytes === null) continue;
      this.#audit.note(caller, 'read', address, { version: version.number });
      this.#seen.read(caller, address);
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
    const needed = action === 'read' ? toRead(number) : action;
    const refusal = await this.#gate.on(caller, needed, address);
    if (refusal !== null) return refusal;
    for (let tries = 0; tries < READ_TRIES; tries += 1) {
      const version = await this.#find(address, number);
      if (version === null) return { type: 'absent' };
      if (version.size > limit) return { type: 'too-large', limit };
      const bytes = await this.#bodyReader.whole(version);
      if (bytes === null) continue;
      this.#audit.note(caller, action, address, { version: version.number });
      const reveal = this.#gate.shows(caller.identity, 'read', address);
      return { type: 'whole', version, bytes, reveal };
    }
    throw bytesGone();
  }

  /** The newest version's description, without its bytes: for those who might read them. */
  async describe(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'described'; readonly world: World; readonly head: Version | null } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const world = await this.#executor.engine.world(address);
    return { type: 'described', world, head: liveHead(world.record) };
  }

  /** Takes a state in and keeps it as a new version, if the rules allow; else as a refused write. */
  async write(
    caller: Caller,
    address: Address,
    body: AsyncIterable<Uint8Array>,
    terms: WriteTerms,
  ): Promise<WriteAnswer> {
    // Asked before the body is read, so that nobody sends a state in vain; the rules ask again when it has come.
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const taken = await this.#gate.whileGood(caller, { action: 'write', address }, body, (stream) =>
      this.#bodyWriter.take(caller, stream, terms),
    );
    if (taken.type !== 'taken-in') return taken;
    const { content } = taken;
    const { claim, expects } = terms;
    const stopped =
      claim.kind === 'named'
        ? null
        : ((await this.#freezes.stopsChange(address)) ?? (await this.#firstWrites.stopsWrite(address)));
    const ofProject = await this.#projects.termsOf(address.project);
    return this.#refusedWrites.keepIfRefused(
      caller,
      { address, claim, content },
      async () =>
        stopped ??
        this.#executor.execute({
          type: 'write',
          address,
          actor: actorOf(caller),
          claim,
          ...content,
          restore: null,
          ...ofProject,
          ...(expects === undefined ? {} : { expects }),
        }),
    );
  }

  /**
   * Hides a state; it can be undeleted until it is purged.
   * @param expects the state that is to be deleted; any if it is not given
   */
  async delete(
    caller: Caller,
    address: Address,
    claim: Claim,
    expects?: DeleteCommand['expects'],
  ): Promise<DeleteAnswer> {
    const refusal = this.#gate.onForRules(caller, 'delete', address);
    if (refusal !== null) return refusal;
    const frozen = claim.kind === 'named' ? null : await this.#freezes.stopsChange(address);
    if (frozen !== null) return frozen;
    const command = { type: 'delete', address, actor: actorOf(caller), claim } as const;
    return this.#executor.execute(expects === undefined ? command : { ...command, expects });
  }

  /**
   * The states that a query asks for and the caller may see, in the order of their addresses.
   */
  async list(caller: Caller, query: StateQuery): Promise<VisiblePage | Shut> {
    return listVisible(this.#executor.engine, this.#gate, caller, query);
  }

  /** Whether somebody may know of what happens to the state of an address. */
  maySee(identity: Identity, address: Address): boolean {
    return this.#gate.shows(identity, 'read', address);
  }

  async #find(address: Address, number: number | null): Promise<Version | null> {
    return this.#executor.engine.version(address, number);
  }
}

/** What reading a version is: the newest, or a given one, which may be an old one. */
function toRead(number: number | null): 'read' | 'read-history' {
  return number === null ? 'read' : 'read-history';
}

function bytesGone(): EngineFault {
  return new EngineFault('the bytes of a version are not there: pruned each time it was read, or damaged');
}
