import type { Address } from '../../core/address.ts';
import type { Absent, OutcomeOf } from '../../core/outcome.ts';
import { isStateHeader, readStateHeader, withSerial } from '../../core/state-header.ts';
import type { Claim, WriteCommand } from '../../core/command.ts';
import {
  keeping,
  retainingAll,
  retainingOf,
  type RetentionChange,
  type Retaining,
} from '../../core/retained.ts';
import type { Version } from '../../core/world.ts';
import { actorOf, type Caller, type Shut } from '../caller.ts';
import type { CommandExecutor } from '../executor.ts';
import type { Freezes, Frozen } from '../freezes.ts';
import type { Gate } from '../gate.ts';
import type { Projects } from '../projects.ts';
import type { StateBodyWriter, BodyRefusal } from './body-writer.ts';
import type { StateBodyReader } from './body-reader.ts';

export type RestoreAnswer = OutcomeOf['write'] | Frozen | BodyRefusal | Absent | Shut;

export type UndeleteAnswer = OutcomeOf['undelete'] | Shut;

export type PurgeAnswer = OutcomeOf['purge'] | Shut;

/** The newest version is not dropped while there are older ones. */
export interface NewestVersion {
  readonly type: 'newest';
  /** The newest of those. */
  readonly older: number;
}

/** Whether an admin lifts what only an admin may: a retention by governance. */
export interface Lifting {
  readonly bypass: boolean;
}

export type RetainAnswer = OutcomeOf['retain'] | Absent | Shut;

export type DropVersionAnswer =
  | OutcomeOf['prune']
  | OutcomeOf['purge']
  | Exclude<OutcomeOf['delete'], { readonly type: 'deleted' }>
  | NewestVersion
  | Shut;

/** The versions of a state: looked at, brought back, and dropped with it. */
export class History {
  readonly #executor: CommandExecutor;
  readonly #bodyWriter: StateBodyWriter;
  readonly #bodyReader: StateBodyReader;
  readonly #gate: Gate;
  readonly #freezes: Freezes;
  readonly #projects: Pick<Projects, 'termsOf' | 'floorOf'>;

  constructor(options: {
    executor: CommandExecutor;
    bodyWriter: StateBodyWriter;
    bodyReader: StateBodyReader;
    gate: Gate;
    freezes: Freezes;
    projects: Pick<Projects, 'termsOf' | 'floorOf'>;
  }) {
    this.#executor = options.executor;
    this.#bodyWriter = options.bodyWriter;
    this.#bodyReader = options.bodyReader;
    this.#gate = options.gate;
    this.#freezes = options.freezes;
    this.#projects = options.projects;
  }

  /** Newest first, older than `before` if that is given; those of a deleted state too. */
  async versions(
    caller: Caller,
    address: Address,
    query: { before?: number; limit: number },
  ): Promise<{ readonly type: 'versions'; readonly versions: readonly Version[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read-history', address);
    if (refusal !== null) return refusal;
    return { type: 'versions', versions: await this.#executor.engine.versions(address, query) };
  }

  /** The MD5s of the newest versions, for who may read the newest: by them a client's own digest of a state is known. */
  async digests(
    caller: Caller,
    address: Address,
    limit: number,
  ): Promise<{ readonly type: 'digests'; readonly digests: readonly string[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const versions = await this.#executor.engine.versions(address, { limit });
    return { type: 'digests', digests: versions.map(({ md5 }) => md5) };
  }

  /** One version of a state, without its bytes; of a deleted state too. */
  async version(
    caller: Caller,
    address: Address,
    number: number,
  ): Promise<{ readonly type: 'version'; readonly version: Version } | Absent | Shut> {
    const refusal = await this.#gate.on(caller, 'read-history', address);
    if (refusal !== null) return refusal;
    const version = await this.#executor.engine.version(address, number);
    return version === null ? { type: 'absent' } : { type: 'version', version };
  }

  /**
   * Rolls forward: the content of an old version becomes the newest one, with the newest serial + 1. An encrypted state
   * comes back byte for byte, serial included, because OpenTofu checks the serial against the one that is inside.
   * @param claim the lock to restore under, if one is held
   * @param expects the state that is to be replaced; any if it is not given
   */
  async restore(
    caller: Caller,
    address: Address,
    number: number,
    claim: Claim,
    expects?: WriteCommand['expects'],
  ): Promise<RestoreAnswer> {
    const refusal = await this.#gate.on(caller, 'restore', address);
    if (refusal !== null) return refusal;
    const frozen = claim.kind === 'named' ? null : await this.#freezes.stopsChange(address);
    if (frozen !== null) return frozen;
    const { engine } = this.#executor;
    const { record } = await engine.world(address);
    const version = await engine.version(address, number);
    const bytes = version === null ? null : await this.#bodyReader.whole(version);
    if (bytes === null) return { type: 'absent' };
    const header = readStateHeader(bytes);
    if (!isStateHeader(header)) throw new Error('a kept version is not a state');
    const newest = record.head;
    const content =
      header.encrypted || newest === null ? bytes : withSerial(bytes, header, newest.serial + 1n);
    const taken = await this.#bodyWriter.take(caller, oneChunk(content), { contentLength: content.length });
    if (taken.type !== 'taken-in') return taken;
    const revoked = await this.#gate.again(caller, { action: 'write', address });
    if (revoked !== null) return revoked;
    return this.#executor.execute({
      type: 'write',
      address,
      actor: actorOf(caller),
      claim,
      ...taken.content,
      ...(await this.#projects.termsOf(address.project)),
      restore: { from: number, newest: record.deletedAt === null ? (newest?.number ?? 0) : 0 },
      ...(expects === undefined ? {} : { expects }),
    });
  }

  /**
   * Shows a deleted state again.
   * @param newest its newest version, as far as the caller knows; any if it is not given
   */
  async undelete(caller: Caller, address: Address, newest?: number): Promise<UndeleteAnswer> {
    const refusal = this.#gate.onForRules(caller, 'restore', address);
    if (refusal !== null) return refusal;
    const actor = actorOf(caller);
    return this.#executor.execute({ type: 'undelete', address, actor, ...known(newest) });
  }

  /**
   * Drops a deleted state and its history for good, unless a version is retained still.
   * @param bypass whether what an admin may lift is no hindrance
   */
  async purge(caller: Caller, address: Address, { bypass }: Lifting = NO_LIFTING): Promise<PurgeAnswer> {
    const refusal = this.#gate.onForRules(caller, 'purge', address);
    if (refusal !== null) return refusal;
    const actor = actorOf(caller);
    const floor = await this.#projects.floorOf(address.project);
    return this.#executor.execute({ type: 'purge', address, actor, bypass, ...floor });
  }

  /**
   * Drops one version for good. The newest goes last, and the state with it: while there are older ones, what is shown would
   * otherwise go back without anybody having written it.
   * @param claim the lock to delete the state under, if one is held
   * @param bypass whether what an admin may lift is no hindrance
   */
  async dropVersion(
    caller: Caller,
    address: Address,
    number: number,
    claim: Claim,
    { bypass }: Lifting = NO_LIFTING,
  ): Promise<DropVersionAnswer> {
    const refusal = await this.#gate.on(caller, 'purge', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#executor;
    const version = await engine.version(address, number);
    if (version === null) return { type: 'absent' };
    const { record } = await engine.world(address);
    const actor = actorOf(caller);
    const terms = { address, actor, bypass, ...(await this.#projects.floorOf(address.project)) };
    if (record.head?.number !== number) {
      return this.#executor.execute({ type: 'prune', versions: [version], ...terms });
    }
    const [older] = await engine.versions(address, { before: number, limit: 1 });
    if (older !== undefined) return { type: 'newest', older: older.number };
    const at = await engine.now();
    const retaining = retainingAll(record.retained, version, terms.floor ?? null, at);
    const kept = keeping(retaining, at, { bypass });
    // Deleted and then refused, the state would be gone from sight.
    if (kept !== null) return { type: 'retained', version: number, ...kept };
    const expects = { sha256: version.sha256 };
    const deleted = await this.#executor.execute({ type: 'delete', address, actor, claim, expects });
    if (deleted.type !== 'deleted') return deleted;
    return this.#executor.execute({ type: 'purge', newest: number, ...terms });
  }

  /** How long a version is retained, or the newest one; for those who might read it. */
  async retaining(
    caller: Caller,
    address: Address,
    number: number,
  ): Promise<({ readonly type: 'retaining' } & Retaining) | Absent | Shut> {
    const refusal = await this.#gate.on(caller, 'read-history', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#executor;
    const version = await engine.version(address, number);
    if (version === null) return { type: 'absent' };
    const { record } = await engine.world(address);
    const { floor = null } = await this.#projects.floorOf(address.project);
    return { type: 'retaining', ...retainingOf(record.retained, version, floor, await engine.now()) };
  }

  /**
   * Says how long a version is retained, or that it is under a legal hold. For admins of the address.
   * @param bypass whether what an admin may lift is no hindrance to retaining it for less long
   */
  async retain(
    caller: Caller,
    address: Address,
    number: number,
    change: RetentionChange,
    { bypass }: Lifting = NO_LIFTING,
  ): Promise<RetainAnswer> {
    const refusal = await this.#gate.on(caller, 'purge', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#executor;
    const version = await engine.version(address, number);
    if (version === null) return { type: 'absent' };
    const { floor } = await this.#projects.floorOf(address.project);
    const about = { address, actor: actorOf(caller), version: { number, at: version.at } };
    const terms = { ...about, bypass, ...(floor === undefined ? {} : { floor }) };
    const answer = await this.#executor.execute({ type: 'retain', change, ...terms });
    if (answer.type !== 'retention-set' || (await engine.version(address, number)) !== null) return answer;
    // It was dropped in between; remembered for ever, what was said of it would keep the whole state.
    await this.#executor.execute({ type: 'retain', change: { kind: 'forget' }, ...terms });
    return { type: 'absent' };
  }
}

const NO_LIFTING: Lifting = { bypass: false };

function known(newest: number | undefined): { readonly newest?: number } {
  return newest === undefined ? {} : { newest };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
