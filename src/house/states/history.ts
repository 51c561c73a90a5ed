import type { Address } from '../../core/address.ts';
import type { Absent, OutcomeOf } from '../../core/outcome.ts';
import { isStateHeader, readStateHeader, withSerial } from '../../core/state-header.ts';
import type { Claim } from '../../core/command.ts';
import type { Version } from '../../core/world.ts';
import { actorOf, isShutOut, refuseOn, type Caller, type Forbidden } from '../caller.ts';
import type { CommandExecutor } from '../executor.ts';
import type { StateBodyWriter, BodyRefusal } from './body-writer.ts';
import type { StateBodyReader } from './body-reader.ts';

export type RestoreAnswer = OutcomeOf['write'] | BodyRefusal | Absent | Forbidden;

export type UndeleteAnswer = OutcomeOf['undelete'] | Forbidden;

export type PurgeAnswer = OutcomeOf['purge'] | Forbidden;

/** The versions of a state: looked at, brought back, and dropped with it. */
export class History {
  readonly #executor: CommandExecutor;
  readonly #bodyWriter: StateBodyWriter;
  readonly #bodyReader: StateBodyReader;

  constructor(options: {
    executor: CommandExecutor;
    bodyWriter: StateBodyWriter;
    bodyReader: StateBodyReader;
  }) {
    this.#executor = options.executor;
    this.#bodyWriter = options.bodyWriter;
    this.#bodyReader = options.bodyReader;
  }

  /** Newest first, older than `before` if that is given; those of a deleted state too. */
  async versions(
    caller: Caller,
    address: Address,
    query: { before?: number; limit: number },
  ): Promise<{ readonly type: 'versions'; readonly versions: readonly Version[] } | Forbidden> {
    const refusal = refuseOn(caller, 'read', address);
    if (refusal !== null) return refusal;
    return { type: 'versions', versions: await this.#executor.engine.versions(address, query) };
  }

  /** One version of a state, without its bytes; of a deleted state too. */
  async version(
    caller: Caller,
    address: Address,
    number: number,
  ): Promise<{ readonly type: 'version'; readonly version: Version } | Absent | Forbidden> {
    const refusal = refuseOn(caller, 'read', address);
    if (refusal !== null) return refusal;
    const version = await this.#executor.engine.version(address, number);
    return version === null ? { type: 'absent' } : { type: 'version', version };
  }

  /**
   * Rolls forward: the content of an old version becomes the newest one, with the newest serial + 1. An encrypted state
   * comes back byte for byte, serial included, because OpenTofu checks the serial against the one that is inside.
   * @param claim the lock to restore under, if one is held
   */
  async restore(caller: Caller, address: Address, number: number, claim: Claim): Promise<RestoreAnswer> {
    const refusal = refuseOn(caller, 'restore', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#executor;
    const world = await engine.world(address);
    if (isShutOut(caller, world)) return { type: 'expired' };
    const { record } = world;
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
    return this.#executor.execute({
      type: 'write',
      address,
      actor: actorOf(caller),
      claim,
      ...taken.content,
      restore: { from: number, newest: record.deletedAt === null ? (newest?.number ?? 0) : 0 },
    });
  }

  /** Shows a deleted state again. */
  async undelete(caller: Caller, address: Address): Promise<UndeleteAnswer> {
    const refusal = refuseOn(caller, 'restore', address);
    if (refusal !== null) return refusal;
    return this.#executor.execute({ type: 'undelete', address, actor: actorOf(caller) });
  }

  /** Drops a deleted state and its history for good. */
  async purge(caller: Caller, address: Address): Promise<PurgeAnswer> {
    const refusal = refuseOn(caller, 'purge', address);
    if (refusal !== null) return refusal;
    return this.#executor.execute({ type: 'purge', address, actor: actorOf(caller) });
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
