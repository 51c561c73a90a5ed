import { formatAddress, type Address } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import { evolve } from '../../core/decide.ts';
import type { AuditNote, Effect } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { Holder, Place, Version, World } from '../../core/world.ts';
import type { Statement } from './connections.ts';
import {
  addressColumns,
  bytes,
  holderColumns,
  placeColumns,
  recordColumns,
  toText,
  versionColumns,
  type KeyIdOf,
  type NewRow,
} from './rows.ts';
import { insertAll, orReplace } from './statements.ts';
import { NEW_WORLD, type Found } from './world.ts';

const ADDRESS = ['project', 'key', 'workspace'] as const;

/** What one transaction makes of one address, command by command. */
export class Change {
  readonly address: Address;
  /** The moment of everything that is decided about it here. */
  readonly at: Instant;
  readonly #before: World;
  #world: World;
  #touched = false;
  #dropsAll = false;
  readonly #drops = new Set<number>();
  #puts: { readonly version: Version; readonly body: SealedBody }[] = [];

  /** @param now the database's clock, which counts unless the address was changed later by it, before it was set back */
  constructor(address: Address, found: Found | undefined, now: Instant) {
    const world = found?.world ?? NEW_WORLD;
    this.address = address;
    this.at = Math.max(now, found?.changedAt ?? 0);
    this.#before = world;
    this.#world = world;
  }

  get world(): World {
    return this.#world;
  }

  /** Whether there is anything to store. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Takes in what is to be stored. @returns the notes for the audit log */
  take(effects: readonly Effect[]): readonly AuditNote[] {
    if (effects.length === 0) return [];
    this.#touched = true;
    this.#world = evolve(this.#world, effects);
    const notes: AuditNote[] = [];
    for (const effect of effects) {
      switch (effect.type) {
        case 'put-version':
          this.#puts.push(effect);
          break;
        case 'drop-versions':
          for (const number of effect.numbers) this.#drops.add(number);
          this.#puts = this.#puts.filter(({ version }) => !effect.numbers.includes(version.number));
          break;
        case 'drop-all':
          this.#dropsAll = true;
          this.#puts = [];
          break;
        case 'audit':
          notes.push(effect.note);
          break;
        default:
      }
    }
    return notes;
  }

  /** Whether this body is to be kept. */
  keeps(bodyId: string): boolean {
    return this.#puts.some(({ body }) => body.id === bodyId);
  }

  /** The statements that make the rows say what the world now is. */
  statements(schema: string, keyIdOf: KeyIdOf, stored: ReadonlySet<string>): Statement[] {
    if (!this.#touched) return [];
    return [
      ...this.#record(schema),
      ...this.#drop(schema),
      ...this.#put(schema, stored),
      ...this.#holders(schema, keyIdOf),
      ...this.#line(schema, keyIdOf),
    ];
  }

  #record(schema: string): Statement[] {
    const isSame = this.#world.record === this.#before.record;
    const columns = Object.entries({
      ...(isSame ? {} : recordColumns(this.#world.record)),
      changed_at: this.at,
    });
    return [
      {
        text: `UPDATE ${schema}.address SET ${columns.map(([name], at) => `${name} = $${at + 4}`).join(', ')}
          WHERE project = $1 AND key = $2 AND workspace = $3`,
        values: [...this.#key(), ...columns.map(([, value]) => value)],
      },
    ];
  }

  #drop(schema: string): Statement[] {
    if (!this.#dropsAll && this.#drops.size === 0) return [];
    const which = this.#dropsAll ? '' : 'AND number = ANY ($4::bigint[])';
    return [
      {
        text: `
          WITH gone AS (
            DELETE FROM ${schema}.version
            WHERE project = $1 AND key = $2 AND workspace = $3 ${which}
            RETURNING body_id
          ), bodies AS (DELETE FROM ${schema}.body WHERE id IN (SELECT body_id FROM gone))
          DELETE FROM ${schema}.segment WHERE body_id IN (SELECT body_id FROM gone)`,
        values: [...this.#key(), ...(this.#dropsAll ? [] : [[...this.#drops]])],
      },
    ];
  }

  #put(schema: string, stored: ReadonlySet<string>): Statement[] {
    const rows = this.#puts.map(({ version }) => ({
      ...addressColumns(this.address),
      ...versionColumns(version),
    }));
    const bodies = this.#puts.filter(({ body }) => !stored.has(body.id));
    return [
      ...bodies.flatMap(({ body }) => insertBody(schema, body)),
      ...insertAll(`${schema}.version`, rows),
    ];
  }

  #holders(schema: string, keyIdOf: KeyIdOf): Statement[] {
    const { gone, put } = difference(
      this.#before.holders,
      this.#world.holders,
      ({ lockId }: Holder) => lockId,
    );
    return [
      ...this.#delete(`${schema}.holder`, 'lock_id', gone),
      ...this.#replace(
        `${schema}.holder`,
        'lock_id',
        put.map((holder) => holderColumns(holder, keyIdOf)),
      ),
    ];
  }

  #line(schema: string, keyIdOf: KeyIdOf): Statement[] {
    const { gone, put } = difference(this.#before.line, this.#world.line, ({ waiter }: Place) => waiter);
    return [
      ...this.#delete(`${schema}.place`, 'waiter', gone),
      ...this.#replace(
        `${schema}.place`,
        'waiter',
        put.map((place) => placeColumns(place, keyIdOf)),
      ),
    ];
  }

  #delete(table: string, column: string, gone: readonly string[]): Statement[] {
    if (gone.length === 0) return [];
    return [
      {
        text: `DELETE FROM ${table} WHERE project = $1 AND key = $2 AND workspace = $3 AND ${column} = ANY ($4::text[])`,
        values: [...this.#key(), gone.map(toText)],
      },
    ];
  }

  #replace(table: string, column: string, columns: readonly NewRow[]): Statement[] {
    const rows = columns.map((row) => ({ ...addressColumns(this.address), ...row }));
    const [first] = rows;
    return first === undefined ? [] : insertAll(table, rows, orReplace(first, [...ADDRESS, column]));
  }

  #key(): string[] {
    return [this.address.project, this.address.key, this.address.workspace];
  }
}

/** A line for the audit log, of an address or of the house. */
export interface Noted {
  readonly at: Instant;
  readonly address: Address | null;
  readonly note: AuditNote;
}

export function insertAudit(schema: string, notes: readonly Noted[]): Statement[] {
  const rows = notes.map(({ at, address, note }) => ({
    at,
    ...(address === null ? { project: null, key: null, workspace: null } : addressColumns(address)),
    action: note.action,
    subject: toText(note.subject),
    door: note.door,
    detail: JSON.stringify(note.detail),
  }));
  return insertAll(`${schema}.audit`, rows);
}

/** One statement a segment, so that no message is larger than a segment. */
export function insertBody(schema: string, body: SealedBody): Statement[] {
  return [
    {
      text: `INSERT INTO ${schema}.body (id, key_id, wrapped_key, segments) VALUES ($1, $2, $3, $4)`,
      values: [body.id, body.keyId, bytes(body.wrappedKey), body.segments.length],
    },
    ...body.segments.map((segment, number) => ({
      text: `INSERT INTO ${schema}.segment (body_id, number, data) VALUES ($1, $2, $3)`,
      values: [body.id, number, bytes(segment)],
    })),
  ];
}

export function dropBodies(schema: string, ids: readonly string[]): Statement[] {
  if (ids.length === 0) return [];
  return [
    { text: `DELETE FROM ${schema}.body WHERE id = ANY ($1::text[])`, values: [ids] },
    { text: `DELETE FROM ${schema}.segment WHERE body_id = ANY ($1::text[])`, values: [ids] },
  ];
}

/** Rows of addresses that were made for commands that then changed nothing. */
export function dropUnused(schema: string, unused: readonly Address[]): Statement[] {
  if (unused.length === 0) return [];
  return [
    {
      text: `DELETE FROM ${schema}.address WHERE name = ANY ($1::text[])`,
      values: [unused.map(formatAddress)],
    },
  ];
}

function difference<T>(
  before: readonly T[],
  after: readonly T[],
  idOf: (item: T) => string,
): { gone: string[]; put: T[] } {
  const old = new Set(before);
  const left = new Set(after.map(idOf));
  return {
    gone: before.map(idOf).filter((id) => !left.has(id)),
    put: after.filter((item) => !old.has(item)),
  };
}
