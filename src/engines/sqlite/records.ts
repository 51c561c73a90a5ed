import type { RecordCommand, Resealed } from '../../ports/engine.ts';
import type { Instant } from '../../core/instant.ts';
import type { BodyStore } from './bodies.ts';
import type { Database, Statement } from './files/driver.ts';
import { insert, type EffectStore } from './effects.ts';
import { CREDENTIAL, ENTRY } from './rows.ts';
import type { WorldCache } from './writer/world-cache.ts';

/** Stores the house's own records, which need no decision. */
export class RecordStore {
  readonly #worlds: WorldCache;
  readonly #bodies: BodyStore;
  readonly #effects: EffectStore;
  readonly #putCredential: Statement;
  readonly #putEntry: Statement;
  readonly #bodyOfEntry: Statement;
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
    this.#putEntry = db.prepare(insert('entry', ENTRY.list));
    this.#bodyOfEntry = db.prepare('SELECT body_id AS id FROM entry WHERE kind = ? AND name = ?');
    this.#dropEntry = db.prepare('DELETE FROM entry WHERE kind = ? AND name = ?');
    this.#resealBody = db.prepare('UPDATE body SET key_id = ?, wrapped_key = ? WHERE id = ?');
    this.#resealCredential = db.prepare('UPDATE credential SET sealed_secret = ? WHERE id = ?');
    this.#resealHolder = db.prepare('UPDATE holder SET info = ? WHERE address_id = ? AND lock_id = ?');
    this.#resealPlace = db.prepare('UPDATE place SET info = ? WHERE address_id = ? AND waiter = ?');
  }

  store(command: RecordCommand, at: Instant): void {
    switch (command.type) {
      case 'put-credential':
        this.#putCredential.run(...CREDENTIAL.values(command.credential));
        break;
      case 'put-entry': {
        const { kind, name } = command.entry;
        this.#removeEntry(kind, name);
        this.#putEntry.run(...ENTRY.values({ bodyId: null, ...command.entry }));
        if (command.body !== undefined) this.#bodies.keep(command.body);
        break;
      }
      case 'drop-entry':
        this.#removeEntry(command.kind, command.name);
        break;
      case 'audit':
        break;
      case 'adopt':
        this.#effects.store(command.address, command.effects, at);
        return;
      case 'reseal':
        for (const item of command.items) this.#reseal(item);
        return;
    }
    if (command.note === null) return;
    const [address, when] = command.type === 'audit' ? [command.address, command.at ?? at] : [null, at];
    this.#effects.note(address === null ? null : this.#worlds.idOf(address), command.note, when);
  }

  #removeEntry(kind: string, name: string): void {
    const body = this.#bodyOfEntry.get(kind, name) as { id: string | null } | undefined;
    if (body === undefined) return;
    if (body.id !== null) this.#bodies.drop(body.id);
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
    }
  }
}
