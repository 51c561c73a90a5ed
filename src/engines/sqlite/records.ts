import { isDeepStrictEqual } from 'node:util';
import {
  auditPruned,
  CONFLICT,
  NOTED,
  type CommandResult,
  type Expected,
  type RecordCommand,
} from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import type { Credential } from '../../core/credential.ts';
import type { Instant } from '../../core/instant.ts';
import { resealedIn } from '../resealed.ts';
import type { RowKeys } from '../row-keys.ts';
import type { AuditChain } from './audit-chain.ts';
import type { BodyStore } from './bodies.ts';
import { insert } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { EntryReader } from './reads/entries.ts';
import type { EffectStore } from './effects.ts';
import type { HouseRow } from './credentials.ts';
import { CREDENTIAL, ENTRY, HOUSE } from './rows.ts';
import type { IndexStore } from './state-index.ts';
import type { WorldCache } from './writer/world-cache.ts';

interface RecordStoreParts {
  readonly db: Database;
  readonly keys: RowKeys;
  readonly worlds: WorldCache;
  readonly bodies: BodyStore;
  readonly effects: EffectStore;
  readonly chain: AuditChain;
  readonly house: HouseRow;
  readonly index: IndexStore;
}

/** Stores the house's own records, which need no decision. */
export class RecordStore {
  readonly #keys: RowKeys;
  readonly #house: HouseRow;
  readonly #worlds: WorldCache;
  readonly #bodies: BodyStore;
  readonly #effects: EffectStore;
  readonly #chain: AuditChain;
  readonly #index: IndexStore;
  readonly #putCredential: Statement;
  readonly #dropCredentials: Statement;
  readonly #putEntry: Statement;
  readonly #entries: EntryReader;
  readonly #dropEntry: Statement;
  readonly #resealBody: Statement;
  readonly #credential: Statement;

  constructor({ db, keys, worlds, bodies, effects, chain, house, index }: RecordStoreParts) {
    this.#index = index;
    this.#keys = keys;
    this.#house = house;
    this.#worlds = worlds;
    this.#bodies = bodies;
    this.#effects = effects;
    this.#chain = chain;
    // Put again it keeps its ordinal, and so its place among those that were made in the same moment.
    this.#putCredential = db.prepare(
      `${insert('credential', CREDENTIAL.list)} ON CONFLICT (id) DO UPDATE SET (${CREDENTIAL.list}) =
         (${CREDENTIAL.list.replaceAll(/\w+/g, 'excluded.$&')})`,
    );
    this.#dropCredentials = db.prepare('DELETE FROM credential WHERE revoked_at < ? OR expires_at < ?');
    this.#putEntry = db.prepare(insert('entry', ENTRY.list));
    this.#entries = new EntryReader(db, keys);
    this.#dropEntry = db.prepare('DELETE FROM entry WHERE kind = ? AND name = ?');
    this.#resealBody = db.prepare(
      'UPDATE body SET key_id = ?, wrapped_key = ? WHERE id = ? AND wrapped_key = coalesce(?, wrapped_key)',
    );
    this.#credential = db.prepare(`SELECT ${CREDENTIAL.list} FROM credential WHERE id = ?`);
  }

  /** @returns {@link CONFLICT}, and stores nothing, where something else is stored than is expected */
  store(command: RecordCommand, at: Instant): CommandResult {
    switch (command.type) {
      case 'put-credential':
        this.#keepCredential(command.credential);
        break;
      case 'change-credential': {
        const stored = this.#storedCredential(command.id);
        if (stored === null || stored.revokedAt !== null) return CONFLICT;
        this.#keepCredential({ ...stored, ...command.change });
        break;
      }
      case 'drop-credentials':
        this.#house.changeCredentials();
        this.#dropCredentials.run(command.revokedBefore, command.expiredBefore);
        break;
      case 'put-entry': {
        const { kind, name } = command.entry;
        if (!this.#isStored(kind, name, command.expects)) return CONFLICT;
        this.#removeEntry(kind, name);
        this.#putEntry.run(...ENTRY.values(this.#keys, HOUSE, { bodyId: null, ...command.entry }));
        if (command.body !== undefined) this.#bodies.keep(command.body);
        break;
      }
      case 'drop-entry':
        if (!this.#isStored(command.kind, command.name, command.expects)) return CONFLICT;
        this.#removeEntry(command.kind, command.name);
        break;
      case 'audit':
        break;
      case 'prune-audit': {
        const records = this.#chain.prune(command.before, command.limit);
        if (records > 0 && command.note !== null) this.#effects.note(null, command.note, at);
        return auditPruned(records);
      }
      case 'adopt':
        this.#effects.store(command.address, command.effects, at);
        return NOTED;
      case 'reseal':
        for (const item of command.items) this.#reseal(item, at);
        return NOTED;
      case 'replace-bodies':
        for (const replaced of command.bodies) this.#bodies.replace(replaced);
        return NOTED;
      case 'forget-objects':
        this.#bodies.forgetObjects(command.names);
        return NOTED;
      case 'put-index':
      case 'drop-index':
        this.#index.store(command);
        return NOTED;
      default:
        command satisfies never;
    }
    if (command.note === null) return NOTED;
    const [address, when] = command.type === 'audit' ? [command.address, command.at ?? at] : [null, at];
    this.#effects.note(address, command.note, when);
    return NOTED;
  }

  #isStored(kind: string, name: string, expects: Expected | undefined): boolean {
    if (expects === undefined) return true;
    return isDeepStrictEqual(this.#entries.find(kind, name)?.attributes ?? null, expects);
  }

  #removeEntry(kind: string, name: string): void {
    const stored = this.#entries.find(kind, name);
    if (stored === null) return;
    if (stored.bodyId !== null) this.#bodies.drop(stored.bodyId);
    this.#dropEntry.run(kind, name);
  }

  #storedCredential(id: string): Credential | null {
    const row = this.#credential.get(id);
    return row === undefined ? null : CREDENTIAL.read(this.#keys, HOUSE, row);
  }

  #keepCredential(credential: Credential): void {
    this.#house.changeCredentials();
    this.#putCredential.run(...CREDENTIAL.values(this.#keys, HOUSE, credential));
  }

  /** Puts the new sealing in the place of the old one, if what it seals is still there. */
  #reseal(item: Resealed, at: Instant): void {
    switch (item.kind) {
      case 'row-key':
        this.#house.resealKey(item.sealed);
        break;
      case 'body':
        this.#resealBody.run(item.keyId, item.wrappedKey, item.id, item.replaces ?? null);
        break;
      case 'credential': {
        const stored = this.#storedCredential(item.id);
        if (stored !== null) this.#keepCredential({ ...stored, sealedSecret: item.sealed });
        break;
      }
      case 'holder':
      case 'place':
        this.#effects.store(item.address, resealedIn(this.#worlds.get(item.address, null), item), at);
        break;
      default:
        item satisfies never;
    }
  }
}
