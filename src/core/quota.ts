import type { Effect } from './effect.ts';
import type { AddressRecord, Version, World } from './world.ts';

/** What a project keeps. */
export interface Usage {
  /** Addresses with a state, deleted ones too until they are purged. */
  readonly states: number;
  readonly versions: number;
  /** Bytes of all versions, as their states were sent. */
  readonly bytes: number;
}

export type QuotaMeasure = keyof Usage;

export const NO_USAGE: Usage = { states: 0, versions: 0, bytes: 0 };

interface QuotaRow {
  readonly max: number;
  /** What holds where nothing is set. */
  readonly fallback: number;
  readonly placeholder: string;
  /** What it counts, in words that may follow "at most N". */
  readonly counts: string;
  /** The units of {@link Usage} in one of the setting's. */
  readonly unit: number;
}

const MIB = 1_024 * 1_024;

/** The quotas that may be set, in the units in which people set them. */
export const QUOTAS: Readonly<Record<Quota, QuotaRow>> = {
  quotaStates: {
    max: 1_000_000_000,
    fallback: 1_000_000,
    placeholder: 'N',
    counts: 'states in a project',
    unit: 1,
  },
  quotaVersions: {
    max: 1_000_000_000_000,
    fallback: 100_000_000,
    placeholder: 'N',
    counts: 'versions of states in a project',
    unit: 1,
  },
  quotaSize: {
    max: 1_000_000_000,
    fallback: 1_048_576,
    placeholder: 'MIB',
    counts: 'MiB of states in a project, all versions together',
    unit: MIB,
  },
};

/** What a quota is called where it is set. */
export type Quota = 'quotaStates' | 'quotaVersions' | 'quotaSize';

export const QUOTA_OF: Readonly<Record<QuotaMeasure, Quota>> = {
  states: 'quotaStates',
  versions: 'quotaVersions',
  bytes: 'quotaSize',
};

/** The quotas of a project as they are set; absent: none. */
export type Quotas = { readonly [Q in Quota]?: number };

/** The most that a project may keep, in the units of {@link Usage}; absent: no limit. */
export type UsageLimits = { readonly [M in QuotaMeasure]?: number };

/** One value for each quota. */
export function mapQuotas<T>(value: (quota: Quota) => T): { readonly [Q in Quota]: T } {
  const quotas = Object.keys(QUOTAS) as Quota[];
  return Object.fromEntries(quotas.map((name) => [name, value(name)])) as { [Q in Quota]: T };
}

/** The quotas among other attributes; what is no number above 0 sets none. */
export function readQuotas(attributes: { readonly [Q in Quota]?: unknown }): Quotas {
  const set = Object.entries(mapQuotas((name) => attributes[name])).filter(
    ([, value]) => typeof value === 'number' && value > 0,
  );
  return Object.fromEntries(set) as Quotas;
}

export function limitsOf(quotas: Quotas): UsageLimits {
  const limits = Object.entries(QUOTA_OF).flatMap(([measure, quota]) => {
    const set = quotas[quota];
    return set === undefined ? [] : [[measure, set * QUOTAS[quota].unit]];
  });
  return Object.fromEntries(limits) as UsageLimits;
}

/** A limit that would be exceeded. */
export interface Excess {
  readonly measure: QuotaMeasure;
  /** What is kept without what was to be added. */
  readonly used: number;
  readonly limit: number;
}

/**
 * How far above a limit a state may go that is there already, or whose lock is held: the work of an apply has been done by
 * then, and its state must come home.
 */
const OVERDRAFT = 1.25;

/** The first limit that something more would exceed; null for none. */
export function excessOf(
  usage: Usage,
  adds: Usage,
  limits: UsageLimits,
  { overdraft }: { readonly overdraft: boolean },
): Excess | null {
  for (const measure of Object.keys(QUOTA_OF) as QuotaMeasure[]) {
    const limit = limits[measure];
    if (limit === undefined || adds[measure] <= 0) continue;
    const most = overdraft ? Math.ceil(limit * OVERDRAFT) : limit;
    if (usage[measure] + adds[measure] > most) return { measure, used: usage[measure], limit };
  }
  return null;
}

/** What a write adds to what its project keeps. */
export function addedBy(record: AddressRecord, { size }: Pick<Version, 'size'>): Usage {
  return { states: record.head === null ? 1 : 0, versions: 1, bytes: size };
}

export function sumOf(a: Usage, b: Usage): Usage {
  return { states: a.states + b.states, versions: a.versions + b.versions, bytes: a.bytes + b.bytes };
}

/**
 * What effects at one address change of what its project keeps.
 * @param before the world that they are stored on
 * @param sizesOf the sizes of the versions that are kept: those of these numbers, or all
 */
export function usageChange(
  before: World,
  effects: readonly Effect[],
  sizesOf: (numbers: readonly number[] | 'all') => readonly number[],
): Usage {
  let change = NO_USAGE;
  let hasState = before.record.head !== null;
  const drop = (sizes: readonly number[]): void => {
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    change = sumOf(change, { states: 0, versions: -sizes.length, bytes: -bytes });
  };
  for (const effect of effects) {
    switch (effect.type) {
      case 'put-version':
        change = sumOf(change, { states: 0, versions: 1, bytes: effect.version.size });
        break;
      case 'drop-versions':
        drop(sizesOf(effect.numbers));
        break;
      case 'drop-all':
        drop(sizesOf('all'));
        break;
      case 'put-record': {
        const has = effect.record.head !== null;
        change = sumOf(change, { states: Number(has) - Number(hasState), versions: 0, bytes: 0 });
        hasState = has;
        break;
      }
      case 'put-holder':
      case 'drop-holder':
      case 'put-place':
      case 'drop-place':
      case 'put-release':
      case 'drop-releases':
      case 'audit':
        break;
      default:
        effect satisfies never;
    }
  }
  return change;
}

/** Whether nothing is changed. */
export function isNoUsage({ states, versions, bytes }: Usage): boolean {
  return states === 0 && versions === 0 && bytes === 0;
}
