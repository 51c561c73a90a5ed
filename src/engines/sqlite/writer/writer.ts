import type { AddressCommand } from '../../../core/command.ts';
import { decide, releasesAsked } from '../../../core/decide.ts';
import type { Instant } from '../../../core/instant.ts';
import type { World } from '../../../core/world.ts';
import { type Command, type CommandResult, EngineFault, resultOf } from '../../../ports/engine.ts';
import { RowKeys } from '../../row-keys.ts';
import { AuditChain } from '../audit-chain.ts';
import { BodyStore } from '../bodies.ts';
import { HouseRow } from '../credentials.ts';
import type { Database, Statement } from '../files/driver.ts';
import { EffectStore } from '../effects.ts';
import { describe, isBusy, isUntrusted } from '../faults.ts';
import { RecordStore } from '../records.ts';
import { IndexStore } from '../state-index.ts';
import { UsageRows } from '../usage.ts';
import { WorldCache } from './world-cache.ts';

/** Commands that came together, and when. */
export interface Batch {
  readonly id: number;
  readonly at: Instant;
  readonly commands: readonly Command[];
  /** Whether what was noted is told, too: to another thread, that is as dear as all the rest. Default false. */
  readonly tellsNotes?: boolean;
}

/** What came of one command: its result, or why the engine cannot say. */
export type Reply = CommandResult | { readonly fault: string; readonly busy: boolean };

export interface BatchDone {
  readonly id: number;
  readonly replies: readonly Reply[];
}

/**
 * Decides commands and stores what comes of them. All batches given at once share one transaction, and so one flush;
 * a command that fails takes none of the others with it.
 */
export class Writer {
  readonly #db: Database;
  readonly #worlds: WorldCache;
  readonly #chain: AuditChain;
  readonly #house: HouseRow;
  readonly #usage: UsageRows;
  readonly #effects: EffectStore;
  readonly #records: RecordStore;
  readonly #begin: Statement;
  readonly #commit: Statement;

  constructor(db: Database, keys: RowKeys = new RowKeys()) {
    this.#db = db;
    this.#worlds = new WorldCache(db, keys);
    const bodies = new BodyStore(db);
    this.#chain = new AuditChain(db, keys);
    this.#usage = new UsageRows(db, keys);
    const [worlds, chain, usage] = [this.#worlds, this.#chain, this.#usage];
    const index = new IndexStore(db);
    this.#effects = new EffectStore({ db, keys, worlds, bodies, chain, usage, index });
    this.#house = new HouseRow(db, keys);
    this.#records = new RecordStore({
      index,
      db,
      keys,
      worlds,
      bodies,
      effects: this.#effects,
      chain,
      house: this.#house,
    });
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  /**
   * Returns once everything is durable.
   * @throws {EngineFault} fatal: nothing may be written after this
   */
  run(batches: readonly Batch[]): BatchDone[] {
    try {
      return this.#transact(batches, (command, batch) => this.#perform(command, batch));
    } catch (error) {
      this.#rollBack(error);
      // Another process has the database for longer than we wait: nothing was done, and may be tried again.
      if (isBusy(error)) return batches.map((batch) => refused(batch, describe(error)));
    }
    // A command failed halfway. Nothing has been stored, so all are decided again, each now with a way back of its own.
    try {
      return this.#transact(batches, (command, batch) => this.#performAlone(command, batch));
    } catch (error) {
      this.#rollBack(error);
      throw untrusted(error);
    }
  }

  /** Stores where the audit log ends. Nothing is run after this. */
  close(): void {
    if (!this.#chain.hasGrown(1)) return;
    this.#begin.run();
    this.#chain.store();
    this.#commit.run();
  }

  #transact(batches: readonly Batch[], perform: (command: Command, batch: Batch) => Reply): BatchDone[] {
    if (batches.every(({ commands }) => commands.length === 0)) {
      return batches.map(({ id }) => ({ id, replies: [] }));
    }
    this.#begin.run();
    const done = batches.map((batch) => ({
      id: batch.id,
      replies: batch.commands.map((command) => perform(command, batch)),
    }));
    this.#house.store();
    this.#usage.store();
    if (this.#chain.hasGrown()) this.#chain.store();
    try {
      this.#commit.run();
    } catch (error) {
      throw untrusted(error);
    }
    this.#worlds.settle();
    this.#usage.settle();
    return done;
  }

  #perform(command: Command, batch: Batch): CommandResult {
    if ('actor' in command) return this.#decide(command, batch);
    return this.#records.store(command, batch.at);
  }

  #decide(command: AddressCommand, { at, tellsNotes = false }: Batch): CommandResult {
    const { address } = command;
    const world = this.#worlds.get(address, releasesAsked(command));
    const decision = decide(command, this.#withUsage(command, world), at);
    this.#effects.store(address, decision.effects, at);
    return tellsNotes ? resultOf(decision) : { outcome: decision.outcome, handovers: decision.handovers };
  }

  /** What a project keeps is looked up only where a limit asks for it. */
  #withUsage(command: AddressCommand, world: World): World {
    if (command.type !== 'write' || command.limits === undefined) return world;
    return { ...world, usage: this.#usage.get(command.address.project) };
  }

  #performAlone(command: Command, batch: Batch): Reply {
    const { position } = this.#chain;
    const counted = this.#usage.mark;
    this.#db.exec('SAVEPOINT command');
    try {
      return this.#perform(command, batch);
    } catch (error) {
      if (isUntrusted(error)) throw error;
      this.#db.exec('ROLLBACK TO command');
      // Cheaper than to remember what each was before, and this is a rare path.
      this.#worlds.forgetTouched();
      this.#chain.goBack(position);
      this.#usage.goBack(counted);
      return { fault: describe(error), busy: false };
    } finally {
      this.#db.exec('RELEASE command');
    }
  }

  /** Undoes the transaction, and rethrows what must stop the engine. */
  #rollBack(error: unknown): void {
    this.#worlds.forgetTouched();
    this.#chain.goBack(null);
    this.#house.goBack();
    this.#usage.goBack();
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, or had not begun.
    }
    if (error instanceof EngineFault && error.fatal) throw error;
    if (isUntrusted(error)) throw untrusted(error);
  }
}

function refused({ id, commands }: Batch, fault: string): BatchDone {
  return { id, replies: commands.map(() => ({ fault, busy: true })) };
}

function untrusted(error: unknown): EngineFault {
  if (error instanceof EngineFault && error.fatal) return error;
  return new EngineFault(`nothing more can be stored safely: ${describe(error)}`, {
    cause: error,
    fatal: true,
  });
}
