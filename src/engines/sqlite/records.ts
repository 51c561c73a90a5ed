import { isDeepStrictEqual } from 'node:util';
import {
  CONFLICT,
  NOTED,
  type CommandResult,
  type Expected,
  type RecordCommand,
  type Resealed,
} from '../../ports/engine.ts';
import type { Instant } from '../../core/instant.ts';
import type { BodyStore } from './bodies.ts';
import type { Database, Statement } from './files/driver.ts';
import { insert, type EffectStore } from './effects.ts';
import { CREDENTIAL, ENTRY } from './rows.ts';
import type { WorldCache } from './writer/world-cache.ts';

/** What is stored under a name. */
interface EntryRow {
  readonly attributes: string;
  readonly body_id: string | null;
}

/** Stores the house's own records, which need no decision. */
export class RecordStore {
  readonly #worlds: WorldCache;
  readonly #bodies: BodyStore;
  readonly #effects: EffectStore;
  readonly #putCredential: Statement;
  readonly #dropCredentials: Statement;
  readonly #putEntry: Statement;
  readonly #storedEntry: Statement;
  readonly #dropEntry: Statement;
  readonly #resealBody: Statement;
  readonly #resealCredential: Statement;
  readonly #resealHolder: Statement;
  readonly #resealPlace: Statement;

  constructor(db: Database, worlds: WorldCache, bodies: BodyStore, effects: EffectStore) {
    this.#worlds = worlds;
    this.#bodies = bodies;
    this.#effects = effects;
    // Put again it keeps its ordinal, and so its place among those that were made in the same moment.
    this.#putCredential = db.prepare(
      `${insert('credential', CREDENTIAL.list)} ON CONFLICT (id) DO UPDATE SET (${CREDENTIAL.list}) =
         (${CREDENTIAL.list.replaceAll(/\w+/g, 'excluded.$&')})`,
    );
    this.#dropCredentials = db.prepare('DELETE FROM credential WHERE revoked_at < ? OR expires_at < ?');
    this.#putEntry = db.prepare(insert('entry', ENTRY.list));
    this.#storedEntry = db.prepare('SELECT attributes, body_id FROM entry WHERE kind = ? AND name = ?');
    this.#dropEntry = db.prepare('DELETE FROM entry WHERE kind = ? AND name = ?');
    this.#resealBody = db.prepare('UPDATE body SET key_id = ?, wrapped_key = ? WHERE id = ?');
    this.#resealCredential = db.prepare('UPDATE credential SET sealed_secret = ? WHERE id = ?');
    this.#resealHolder = db.prepare('UPDATE holder SET info = ? WHERE address_id = ? AND lock_id = ?');
    this.#resealPlace = db.prepare('UPDATE place SET info = ? WHERE address_id = ? AND waiter = ?');
  }

  /** @returns {@link CONFLICT}, and stores nothing, where something else is stored than is expected */
  store(command: RecordCommand, at: Instant): CommandResult {
    switch (command.type) {
      case 'put-credential':
        this.#putCredential.run(...CREDENTIAL.values(command.credential));
        break;
      case 'drop-credentials':
        this.#dropCredentials.run(command.revokedBefore, command.expiredBefore);
        break;
      case 'put-entry': {
        const { kind, name } = command.entry;
        if (!this.#isStored(kind, name, command.expects)) return CONFLICT;
        this.#removeEntry(kind, name);
        this.#putEntry.run(...ENTRY.values({ bodyId: null, ...command.entry }));
        if (command.body !== undefined) this.#bodies.keep(command.body);
        break;
      }
      case 'drop-entry':
        if (!this.#isStored(command.kind, command.name, command.expects)) return CONFLICT;
        this.#removeEntry(command.kind, command.name);
        break;
      case 'audit':
        break;
      case 'adopt':
        this.#effects.store(command.address, command.effects, at);
        return NOTED;
      case 'reseal':
        for (const item of command.items) this.#reseal(item);
        return NOTED;
      default:
        command satisfies never;
    }
    if (command.note === null) return NOTED;
    const [address, when] = command.type === 'audit' ? [command.address, command.at ?? at] : [null, at];
    this.#effects.note(address === null ? null : this.#worlds.idOf(address), command.note, when);
    return NOTED;
  }

  #isStored(kind: string, name: string, expects: Expected | undefined): boolean {
    if (expects === undefined) return true;
    const row = this.#entryRow(kind, name);
    return isDeepStrictEqual(row === undefined ? null : JSON.parse(row.attributes), expects);
  }

  #entryRow(kind: string, name: string): EntryRow | undefined {
    return this.#storedEntry.get(kind, name) as EntryRow | undefined;
  }

  #removeEntry(kind: string, name: string): void {
    const row = this.#entryRow(kind, name);
    if (row === undefined) return;
    if (row.body_id !== null) this.#bodies.drop(row.body_id);
    this.#dropEntry.run(kind, name);
  }

  /** Puts the new sealing in the place of the old one, if what it seals is still there. */
  #reseal(item: Resealed): void {
    switch (item.kind) {
      case 'body':
        this.#resealBody.run(item.keyId, item.wrappedKey, item.id);
        break;
      case 'credential':
        this.#resealCredential.run(item.sealed, item.id);
        break;
      case 'holder':
        this.#resealHolder.run(item.sealed, this.#worlds.idOf(item.address), item.lockId);
        this.#worlds.forget(item.address);
        break;
      case 'place':
        this.#resealPlace.run(item.sealed, this.#worlds.idOf(item.address), item.waiter);
        this.#worlds.forget(item.address);
        break;
      default:
        item satisfies never;
    }
  }
}
