import { formatAddress, type Address } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import { evolve } from '../../core/decide.ts';
import type { AuditNote, Effect } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import {
  NEW_WORLD,
  type Holder,
  type Place,
  type Release,
  type Version,
  type World,
} from '../../core/world.ts';
import type { Statement } from './connections.ts';
import {
  addressColumns,
  bytes,
  holderColumns,
  placeColumns,
  recordColumns,
  releaseColumns,
  toText,
  versionColumns,
  type KeyIdOf,
  type NewRow,
} from './rows.ts';
import { deleteAll, insertAll, replaceAll } from './statements.ts';
import type { Found } from './world.ts';

const ADDRESS = ['project', 'key', 'workspace'] as const;
/** Bytes of segments that go in one statement. */
const SEGMENT_BYTES_TOGETHER: number = 256 * 1024;

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
  readonly #releases = new Map<string, Release>();
  #sweep: Extract<Effect, { type: 'drop-releases' }> | null = null;

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
        case 'put-release':
          this.#releases.set(effect.release.lockId, effect.release);
          break;
        case 'drop-releases':
          this.#sweep = effect;
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

  get versions(): readonly NewRow[] {
    return this.#puts.map(({ version }) => ({
      ...addressColumns(this.address),
      ...versionColumns(version),
    }));
  }

  get bodies(): readonly SealedBody[] {
    return this.#puts.map(({ body }) => body);
  }

  get record(): NewRow {
    return {
      ...addressColumns(this.address),
      name: formatAddress(this.address),
      ...recordColumns(this.#world.record),
      changed_at: this.at,
    };
  }

  get releases(): readonly NewRow[] {
    return [...this.#releases.values()].map((release) => ({
      ...addressColumns(this.address),
      ...releaseColumns(release),
    }));
  }

  /** Clears away old releases; seldom, so each address has a statement of its own. */
  sweep(schema: string): Statement[] {
    if (this.#sweep === null) return [];
    const { project, key, workspace } = this.address;
    const { before, upTo } = this.#sweep;
    return [
      {
        text: `
          DELETE FROM ${schema}.release WHERE project = $1 AND key = $2 AND workspace = $3 AND (at < $4 OR number <= $5)`,
        values: [project, key, workspace, before, upTo],
      },
    ];
  }

  holders(keyIdOf: KeyIdOf): RowChanges {
    const { gone, put } = difference(
      this.#before.holders,
      this.#world.holders,
      ({ lockId }: Holder) => lockId,
    );
    return this.#changes(
      gone,
      put.map((holder) => holderColumns(holder, keyIdOf)),
    );
  }

  line(keyIdOf: KeyIdOf): RowChanges {
    const { gone, put } = difference(this.#before.line, this.#world.line, ({ waiter }: Place) => waiter);
    return this.#changes(
      gone,
      put.map((place) => placeColumns(place, keyIdOf)),
    );
  }

  /** Takes versions away; seldom, so each address has a statement of its own. */
  drop(schema: string): Statement[] {
    if (!this.#dropsAll && this.#drops.size === 0) return [];
    const { project, key, workspace } = this.address;
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
        values: [project, key, workspace, ...(this.#dropsAll ? [] : [[...this.#drops]])],
      },
    ];
  }

  #changes(gone: readonly string[], put: readonly NewRow[]): RowChanges {
    return {
      gone: gone.map((id) => ({ address: this.address, id: toText(id) })),
      put: put.map((row) => ({ ...addressColumns(this.address), ...row })),
    };
  }
}

/** Rows of one table that go, and rows that come or are changed. */
interface RowChanges {
  readonly gone: readonly { readonly address: Address; readonly id: string }[];
  readonly put: readonly NewRow[];
}

/**
 * The statements that make the rows say what the worlds now are. Each is about all addresses at once, so that a transaction
 * of many commands costs the server hardly more statements than one of few.
 * @param stored bodies that are there already
 */
export function storeAll(
  schema: string,
  keyIdOf: KeyIdOf,
  changes: readonly Change[],
  stored: ReadonlySet<string>,
): Statement[] {
  const bodies = changes.flatMap((change) => change.bodies).filter(({ id }) => !stored.has(id));
  return [
    ...replaceAll(
      `${schema}.address`,
      ADDRESS,
      changes.map((change) => change.record),
    ),
    ...changes.flatMap((change) => change.drop(schema)),
    ...insertBodies(schema, bodies),
    ...insertAll(
      `${schema}.version`,
      changes.flatMap((change) => change.versions),
    ),
    ...changeRows(
      `${schema}.holder`,
      'lock_id',
      changes.map((change) => change.holders(keyIdOf)),
    ),
    ...changeRows(
      `${schema}.place`,
      'waiter',
      changes.map((change) => change.line(keyIdOf)),
    ),
    ...replaceAll(
      `${schema}.release`,
      [...ADDRESS, 'lock_id'],
      changes.flatMap((change) => change.releases),
    ),
    ...changes.flatMap((change) => change.sweep(schema)),
  ];
}

function changeRows(table: string, idColumn: string, changes: readonly RowChanges[]): Statement[] {
  return [
    ...deleteAll(
      table,
      idColumn,
      changes.flatMap(({ gone }) => gone),
    ),
    ...replaceAll(
      table,
      [...ADDRESS, idColumn],
      changes.flatMap(({ put }) => put),
    ),
  ];
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

/** Stores bodies. Small ones share statements; no statement is much larger than a segment. */
export function insertBodies(schema: string, bodies: readonly SealedBody[]): Statement[] {
  const rows = bodies.map(({ id, keyId, wrappedKey, segments }) => ({
    id,
    key_id: keyId,
    wrapped_key: bytes(wrappedKey),
    segments: segments.length,
  }));
  const segments = bodies.flatMap(({ id, segments: all }) =>
    all.map((segment, number) => ({ body_id: id, number, data: bytes(segment) })),
  );
  const groups = inGroups(segments, ({ data }) => data.length, SEGMENT_BYTES_TOGETHER);
  return [
    ...insertAll(`${schema}.body`, rows),
    ...groups.flatMap((group) => insertAll(`${schema}.segment`, group)),
  ];
}

/** Cuts a list so that no group weighs more than the limit, unless one item alone does. */
function inGroups<T>(items: readonly T[], weigh: (item: T) => number, limit: number): T[][] {
  const groups: T[][] = [];
  let weight = Infinity;
  for (const item of items) {
    if (weight + weigh(item) > limit) {
      groups.push([]);
      weight = 0;
    }
    groups.at(-1)?.push(item);
    weight += weigh(item);
  }
  return groups;
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
