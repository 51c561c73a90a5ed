import { formatAddress, type Address } from '../../core/address.ts';
import { usageChange } from '../../core/quota.ts';
import type { AuditNote, Effect } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import { ownerOf, type RowKeys } from '../row-keys.ts';
import { changesRecord } from '../version-numbers.ts';
import type { AuditChain } from './audit-chain.ts';
import type { BodyStore } from './bodies.ts';
import { insert } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { HOLDER, QUEUE_ENTRY, RECORD, recordOf, RELEASE, VERSION, versionValues } from './rows.ts';
import type { IndexStore } from './state-index.ts';
import { sizesIn, type UsageRows } from './usage.ts';
import type { WorldCache } from './writer/world-cache.ts';

interface EffectStoreParts {
  readonly db: Database;
  readonly keys: RowKeys;
  readonly worlds: WorldCache;
  readonly bodies: BodyStore;
  readonly chain: AuditChain;
  readonly usage: UsageRows;
  readonly index: IndexStore;
}

/** Stores what was decided, row by row, inside the writer's transaction. */
export class EffectStore {
  readonly #keys: RowKeys;
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
  readonly #chain: AuditChain;
  readonly #index: IndexStore;
  readonly #bodyOf: Statement;
  readonly #numbers: Statement;
  readonly #facts: Statement;
  readonly #factsOf: Statement;
  readonly #usage: UsageRows;
  readonly #dropVersion: Statement;

  constructor({ db, keys, worlds, bodies, chain, usage, index }: EffectStoreParts) {
    this.#index = index;
    this.#usage = usage;
    this.#chain = chain;
    this.#keys = keys;
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
    this.#bodyOf = db.prepare('SELECT body_id AS id FROM version WHERE address_id = ? AND number = ?');
    this.#numbers = db.prepare('SELECT number FROM version WHERE address_id = ?');
    const facts = 'SELECT number, facts FROM version WHERE address_id = ?';
    this.#facts = db.prepare(facts);
    this.#factsOf = db.prepare(`${facts} AND number = ?`);
    this.#dropVersion = db.prepare('DELETE FROM version WHERE address_id = ? AND number = ?');
  }

  store(address: Address, effects: readonly Effect[], at: Instant): void {
    if (effects.length === 0) return;
    const id = this.#worlds.idOf(address);
    const owner = ownerOf(address);
    let noted: number | null = null;
    this.#count(id, address, effects);
    for (const effect of effects) {
      if (effect.type === 'audit')
        noted = this.#chain.append(at, { addressId: id, owner, decided: true }, effect.note);
      else this.#storeOne(id, owner, effect);
      if (effect.type === 'drop-all') this.#index.drop(formatAddress(address));
    }
    const placed = this.#worlds.evolve(address, effects, noted);
    if (effects.some(changesRecord))
      this.#putRecord.run(...RECORD.values(this.#keys, owner, recordOf(this.#keys, placed)), id);
  }

  #count(id: number, address: Address, effects: readonly Effect[]): void {
    const change = usageChange(this.#worlds.get(address, null), effects, (numbers) => {
      const rows =
        numbers === 'all' ? this.#facts.all(id) : numbers.flatMap((number) => this.#factsOf.all(id, number));
      return sizesIn(this.#keys, address, rows);
    });
    this.#usage.add(address.project, change);
  }

  /** Notes what changes nothing, or nothing of an address. */
  note(address: Address | null, note: AuditNote, at: Instant): void {
    const [addressId, owner] =
      address === null ? [null, null] : [this.#worlds.idOf(address), ownerOf(address)];
    this.#chain.append(at, { addressId, owner, decided: false }, note);
  }

  #storeOne(id: number, owner: string, effect: Exclude<Effect, { type: 'audit' }>): void {
    const keys = this.#keys;
    switch (effect.type) {
      case 'put-record':
        // The record stands for other rows, too, and is stored after them.
        break;
      case 'put-version':
        this.#putVersion.run(id, ...versionValues(keys, owner, effect.version));
        this.#bodies.keep(effect.body);
        break;
      case 'drop-versions':
        for (const number of effect.numbers) this.#dropOne(id, number);
        break;
      case 'drop-all':
        for (const { number } of this.#numbers.all(id) as { number: number }[]) this.#dropOne(id, number);
        break;
      case 'put-holder':
        this.#putHolder.run(id, ...HOLDER.values(keys, owner, effect.holder));
        break;
      case 'drop-holder':
        this.#dropHolder.run(id, effect.lockId);
        break;
      case 'put-place':
        this.#putPlace.run(id, ...QUEUE_ENTRY.values(keys, owner, effect.place));
        break;
      case 'drop-place':
        this.#dropPlace.run(id, effect.waiter);
        break;
      case 'put-release':
        this.#putRelease.run(id, ...RELEASE.values(keys, owner, effect.release));
        break;
      case 'drop-releases':
        this.#dropReleases.run(id, effect.before, effect.upTo);
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

function replace(table: string, columns: string): string {
  return insert(table, columns).replace('INSERT', 'REPLACE');
}
