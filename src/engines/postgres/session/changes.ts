import { formatAddress, type Address } from '../../../core/address.ts';
import type { SealedBody } from '../../../core/command.ts';
import { evolve } from '../../../core/decide.ts';
import type { AuditNote, Effect } from '../../../core/effect.ts';
import type { Instant } from '../../../core/instant.ts';
import { NO_USAGE, sumOf, usageChange, type Usage } from '../../../core/quota.ts';
import {
  NEW_WORLD,
  type Holder,
  type QueueEntry,
  type Release,
  type Version,
  type World,
} from '../../../core/world.ts';
import { ownerOf, type RowKeys } from '../../row-keys.ts';
import { keptAfter, NO_VERSIONS, type VersionNumbers } from '../../version-numbers.ts';
import { auditedAs } from '../audit-chain.ts';
import { toText, type KeyIdOf, type NewRow } from '../columns.ts';
import { ADDRESS, HOLDER, QUEUE_ENTRY, recordRow, RELEASE, versionRow } from '../rows.ts';
import type { LoadedAddress } from '../world.ts';

/** What one transaction makes of one address, command by command. */
export class AddressChange {
  readonly address: Address;
  /** The moment of everything that is decided about it here. */
  readonly at: Instant;
  readonly #keys: RowKeys;
  readonly #owner: string;
  readonly #before: World;
  readonly #sizes: ReadonlyMap<number, number>;
  #counted: Usage = NO_USAGE;
  #kept: VersionNumbers;
  #audited: string;
  #world: World;
  #touched = false;
  #dropsAll = false;
  readonly #drops = new Set<number>();
  #puts: { readonly version: Version; readonly body: SealedBody }[] = [];
  readonly #releases = new Map<string, Release>();
  #sweep: Extract<Effect, { type: 'drop-releases' }> | null = null;

  /**
   * @param now the database's clock, which counts unless the address was changed later by it, before it was set back
   * @param sizes of the versions that may be dropped
   */
  constructor(
    keys: RowKeys,
    address: Address,
    found: LoadedAddress | undefined,
    { now, sizes = new Map() }: { readonly now: Instant; readonly sizes?: ReadonlyMap<number, number> },
  ) {
    this.#sizes = sizes;
    const world = found?.world ?? NEW_WORLD;
    this.#keys = keys;
    this.#owner = ownerOf(address);
    this.#kept = found?.kept ?? NO_VERSIONS;
    this.#audited = found?.audited ?? '';
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
    this.#counted = sumOf(
      this.#counted,
      usageChange(this.#world, effects, (numbers) => this.#sizesOf(numbers)),
    );
    this.#world = evolve(this.#world, effects);
    this.#kept = effects.reduce(keptAfter, this.#kept);
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
        case 'put-record':
        case 'put-holder':
        case 'drop-holder':
        case 'put-place':
        case 'drop-place':
          // The rows that differ between the world before and the world after say it.
          break;
        default:
          effect satisfies never;
      }
    }
    return notes;
  }

  /** What was changed of what the project keeps, since this was asked last. */
  countChanges(): Usage {
    const counted = this.#counted;
    this.#counted = NO_USAGE;
    return counted;
  }

  #sizesOf(numbers: readonly number[] | 'all'): readonly number[] {
    const put = this.#puts.map(({ version: { number, size } }) => [number, size] as const);
    const dropped = this.#dropsAll ? [] : [...this.#sizes].filter(([number]) => !this.#drops.has(number));
    const sizes = new Map([...dropped, ...put]);
    if (numbers === 'all') return [...sizes.values()];
    return numbers.flatMap((number) => sizes.get(number) ?? []);
  }

  /** The audit record of the last of it. */
  auditedAs(chain: string, link: number): void {
    this.#audited = auditedAs(chain, link);
  }

  /** Whether this body is to be kept. */
  keeps(bodyId: string): boolean {
    return this.#puts.some(({ body }) => body.id === bodyId);
  }

  get versions(): readonly NewRow[] {
    return this.#puts.map(({ version }) => ({
      ...ADDRESS.row(this.address),
      ...versionRow(this.#keys, this.#owner, version),
    }));
  }

  get bodies(): readonly SealedBody[] {
    return this.#puts.map(({ body }) => body);
  }

  get record(): NewRow {
    return {
      ...ADDRESS.row(this.address),
      name: formatAddress(this.address),
      ...recordRow(this.#keys, this.#owner, {
        world: this.#world,
        kept: this.#kept,
        changedAt: this.at,
        audited: this.#audited,
      }),
    };
  }

  get releases(): readonly NewRow[] {
    return [...this.#releases.values()].map((release) => ({
      ...ADDRESS.row(this.address),
      ...RELEASE.row(this.#keys, this.#owner, release),
    }));
  }

  /** Which old releases are to be forgotten; null for none. */
  get sweep(): Extract<Effect, { type: 'drop-releases' }> | null {
    return this.#sweep;
  }

  /** The numbers of the versions that go. */
  get dropped(): 'all' | readonly number[] {
    return this.#dropsAll ? 'all' : [...this.#drops];
  }

  holders(keyIdOf: KeyIdOf): RowChanges {
    const { gone, put } = difference(
      this.#before.holders,
      this.#world.holders,
      ({ lockId }: Holder) => lockId,
    );
    return this.#changes(
      gone,
      put.map((holder) => HOLDER.row(this.#keys, this.#owner, holder, keyIdOf)),
    );
  }

  line(keyIdOf: KeyIdOf): RowChanges {
    const { gone, put } = difference(this.#before.line, this.#world.line, ({ waiter }: QueueEntry) => waiter);
    return this.#changes(
      gone,
      put.map((place) => QUEUE_ENTRY.row(this.#keys, this.#owner, place, keyIdOf)),
    );
  }

  #changes(gone: readonly string[], put: readonly NewRow[]): RowChanges {
    return {
      gone: gone.map((id) => ({ address: this.address, id: toText(id) })),
      put: put.map((row) => ({ ...ADDRESS.row(this.address), ...row })),
    };
  }
}

/** Rows of one table that go, and rows that come or are changed. */
export interface RowChanges {
  readonly gone: readonly { readonly address: Address; readonly id: string }[];
  readonly put: readonly NewRow[];
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
