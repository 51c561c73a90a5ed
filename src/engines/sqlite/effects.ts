import type { Address } from '../../core/address.ts';
import type { AuditNote, Effect } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { BodyStore } from './bodies.ts';
import type { Database, Statement } from './files/driver.ts';
import { AUDIT_NOTE, HOLDER, QUEUE_ENTRY, RECORD, recordOf, RELEASE, storedNoteOf, VERSION } from './rows.ts';
import type { WorldCache } from './writer/world-cache.ts';

/** Stores what was decided, row by row, inside the writer's transaction. */
export class EffectStore {
  readonly #worlds: WorldCache;
  readonly #bodies: BodyStore;
  readonly #putRecord: Statement;
  readonly #putVersion: Statement;
  readonly #putHolder: Statement;
  readonly #dropHolder: Statement;
  readonly #putPlace: Statement;
  readonly #dropPlace: Statement;
  readonly #putRelease: Statement;
  readonly #dropReleases: Statement;
  readonly #audit: Statement;
  readonly #bodyOf: Statement;
  readonly #numbers: Statement;
  readonly #dropVersion: Statement;

  constructor(db: Database, worlds: WorldCache, bodies: BodyStore) {
    this.#worlds = worlds;
    this.#bodies = bodies;
    this.#putRecord = db.prepare(`UPDATE address SET ${RECORD.assignments} WHERE id = ?`);
    this.#putVersion = db.prepare(insert('version', `address_id, ${VERSION.list}`));
    this.#putHolder = db.prepare(replace('holder', `address_id, ${HOLDER.list}`));
    this.#dropHolder = db.prepare('DELETE FROM holder WHERE address_id = ? AND lock_id = ?');
    this.#putPlace = db.prepare(replace('place', `address_id, ${QUEUE_ENTRY.list}`));
    this.#dropPlace = db.prepare('DELETE FROM place WHERE address_id = ? AND waiter = ?');
    this.#putRelease = db.prepare(replace('release', `address_id, ${RELEASE.list}`));
    this.#dropReleases = db.prepare('DELETE FROM release WHERE address_id = ? AND (at < ? OR number <= ?)');
    this.#audit = db.prepare(insert('audit', `at, address_id, ${AUDIT_NOTE.list}`));
    this.#bodyOf = db.prepare('SELECT body_id AS id FROM version WHERE address_id = ? AND number = ?');
    this.#numbers = db.prepare('SELECT number FROM version WHERE address_id = ?');
    this.#dropVersion = db.prepare('DELETE FROM version WHERE address_id = ? AND number = ?');
  }

  store(address: Address, effects: readonly Effect[], at: Instant): void {
    if (effects.length === 0) return;
    const id = this.#worlds.idOf(address);
    for (const effect of effects) this.#storeOne(id, effect, at);
    this.#worlds.evolve(address, effects);
  }

  note(addressId: number | null, note: AuditNote, at: Instant): void {
    this.#audit.run(at, addressId, ...AUDIT_NOTE.values(storedNoteOf(note)));
  }

  #storeOne(id: number, effect: Effect, at: Instant): void {
    switch (effect.type) {
      case 'put-record':
        this.#putRecord.run(...RECORD.values(recordOf(effect.record)), id);
        break;
      case 'put-version':
        this.#putVersion.run(id, ...VERSION.values(effect.version));
        this.#bodies.keep(effect.body);
        break;
      case 'drop-versions':
        for (const number of effect.numbers) this.#dropOne(id, number);
        break;
      case 'drop-all':
        for (const { number } of this.#numbers.all(id) as { number: number }[]) this.#dropOne(id, number);
        break;
      case 'put-holder':
        this.#putHolder.run(id, ...HOLDER.values(effect.holder));
        break;
      case 'drop-holder':
        this.#dropHolder.run(id, effect.lockId);
        break;
      case 'put-place':
        this.#putPlace.run(id, ...QUEUE_ENTRY.values(effect.place));
        break;
      case 'drop-place':
        this.#dropPlace.run(id, effect.waiter);
        break;
      case 'put-release':
        this.#putRelease.run(id, ...RELEASE.values(effect.release));
        break;
      case 'drop-releases':
        this.#dropReleases.run(id, effect.before, effect.upTo);
        break;
      case 'audit':
        this.note(id, effect.note, at);
        break;
      default:
        effect satisfies never;
    }
  }

  #dropOne(addressId: number, number: number): void {
    const body = this.#bodyOf.get(addressId, number) as { id: string } | undefined;
    if (body !== undefined) this.#bodies.drop(body.id);
    this.#dropVersion.run(addressId, number);
  }
}

/** INSERT with a value to be bound for each column. */
export function insert(table: string, columns: string): string {
  return `INSERT INTO ${table} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')})`;
}

function replace(table: string, columns: string): string {
  return insert(table, columns).replace('INSERT', 'REPLACE');
}
