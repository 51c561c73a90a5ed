import type { Instant, Milliseconds } from './instant.ts';

const DAY_MS: Milliseconds = 24 * 60 * 60 * 1_000;
/** Versions of one address that have a retention of their own, at a time: they are read with every command. */
export const OWN_RETENTIONS_MAX = 200;
/** Floors that are remembered of one address: a project's is seldom changed. */
const FLOORS_MAX = 32;

/** Who may lift it before its time: an admin who says so, or nobody. As of S3's Object Lock. */
export type RetentionMode = 'governance' | 'compliance';

export const RETENTION_MODES: readonly RetentionMode[] = ['governance', 'compliance'];

/** Until when nobody may remove a version. */
export interface Retention {
  readonly mode: RetentionMode;
  readonly until: Instant;
}

/** A version is retained for so many days from its writing on. */
export interface RetentionFloor {
  readonly mode: RetentionMode;
  readonly days: number;
}

/** The floor under which versions were written: those from a number on, up to where the next one begins. */
interface FloorFrom extends RetentionFloor {
  readonly from: number;
  /** When the newest of them was written. */
  readonly last: Instant;
}

/** What was said of one version alone. */
interface OwnRetention {
  readonly number: number;
  /** Takes the place of what the floors say; null: lifted; absent: nothing was said. */
  readonly retention?: Retention | null;
  /** Nobody may remove it until this is taken back. */
  readonly legalHold: boolean;
}

/** What an address remembers of how long its versions are retained. */
export interface Retained {
  readonly floors: readonly FloorFrom[];
  readonly own: readonly OwnRetention[];
}

/** What keeps a version now. */
export interface Retaining {
  readonly retention: Retention | null;
  readonly legalHold: boolean;
}

/** A version, as far as its retention goes. */
export interface DatedVersion {
  readonly number: number;
  readonly at: Instant;
}

/** What is to be said of a version. */
export type RetentionChange =
  | { readonly kind: 'retention'; readonly retention: Retention | null }
  | { readonly kind: 'legal-hold'; readonly on: boolean }
  /** The version was dropped before: nothing is said of it. */
  | { readonly kind: 'forget' };

const NOTHING: Retained = { floors: [], own: [] };

/**
 * What was set for one version, be it over or not. What is said of the version alone counts more than a floor that an admin may
 * lift, and never more than one that nobody may.
 * @param floor what holds for the project now: it retains what was written before it was set, too
 */
export function retainingOf(
  retained: Retained | null,
  version: DatedVersion,
  floor: RetentionFloor | null,
  at: Instant,
): Retaining {
  const { floors, own } = retained ?? NOTHING;
  const mine = own.find(({ number }) => number === version.number);
  const under = floors.findLast(({ from }) => from <= version.number) ?? null;
  const byFloors = [until(under, version.at), until(floor, version.at)].filter((one) => one !== null);
  const all =
    mine?.retention === undefined
      ? byFloors
      : [mine.retention, ...byFloors.filter(({ mode }) => mode === 'compliance')];
  return { retention: longest(all, at), legalHold: mine?.legalHold ?? false };
}

/** What of it keeps the version at a moment; null where nothing does. @param bypass lifts what an admin may lift */
export function keeping(
  { retention, legalHold }: Retaining,
  at: Instant,
  { bypass }: { readonly bypass: boolean },
): Retaining | null {
  const isOver = retention === null || retention.until <= at || (bypass && retention.mode === 'governance');
  return isOver && !legalHold ? null : { retention: isOver ? null : retention, legalHold };
}

/** What keeps any version of an address from being dropped, whichever are still there; the longest of it. */
export function retainingAll(
  retained: Retained | null,
  newest: DatedVersion,
  floor: RetentionFloor | null,
  at: Instant,
): Retaining {
  const { floors, own } = retained ?? NOTHING;
  const all = [
    until(floor, newest.at),
    ...floors.map((one) => until(one, one.last)),
    ...own.map(({ retention }) => retention ?? null),
  ];
  return {
    retention: longest(all, at),
    legalHold: own.some(({ legalHold }) => legalHold),
  };
}

/** What an address remembers once a version has been written under a floor. */
export function writtenUnder(
  retained: Retained | null,
  { number, at }: DatedVersion,
  floor: RetentionFloor | null,
): Retained | null {
  const { floors, own } = retained ?? NOTHING;
  const last = floors.at(-1);
  const { mode, days } = floor ?? NO_FLOOR;
  if (last === undefined && days === 0) return retained;
  const continues = last !== undefined && last.mode === mode && last.days === days;
  const grown = continues
    ? [...floors.slice(0, -1), { ...last, last: at }]
    : [...floors, { from: number, mode, days, last: at }];
  return tidied({ floors: bounded(withoutPast(grown, at)), own });
}

/** Whether a change would let a version go earlier than was promised. @param bypass of what an admin may lift */
export function weakens(
  { retention }: Retaining,
  wanted: Retention | null,
  at: Instant,
  { bypass }: { readonly bypass: boolean },
): boolean {
  if (retention === null || retention.until <= at || (bypass && retention.mode === 'governance'))
    return false;
  return wanted === null || wanted.mode !== retention.mode || wanted.until < retention.until;
}

/** What an address remembers after a change; null where it can remember no more versions. */
export function withChange(
  retained: Retained | null,
  number: number,
  change: RetentionChange,
): Retained | 'full' | null {
  const { floors, own } = retained ?? NOTHING;
  const before = own.find((one) => one.number === number) ?? { number, legalHold: false };
  const others = own.filter((one) => one !== before);
  if (change.kind === 'forget') return tidied({ floors, own: others });
  const after: OwnRetention =
    change.kind === 'retention'
      ? { ...before, retention: change.retention }
      : { ...before, legalHold: change.on };
  const isEmpty = after.retention === undefined && !after.legalHold;
  if (isEmpty) return tidied({ floors, own: others });
  if (others.length >= OWN_RETENTIONS_MAX) return 'full';
  return { floors, own: [...others, after].sort((a, b) => a.number - b.number) };
}

/** The same after versions have been dropped. */
export function withoutVersions(retained: Retained | null, numbers: readonly number[]): Retained | null {
  if (retained === null) return null;
  const { floors, own } = retained;
  return tidied({ floors, own: own.filter(({ number }) => !numbers.includes(number)) });
}

const NO_FLOOR: RetentionFloor = { mode: 'governance', days: 0 };

function until(floor: RetentionFloor | null, at: Instant): Retention | null {
  return floor === null || floor.days === 0 ? null : { mode: floor.mode, until: at + floor.days * DAY_MS };
}

/** Of several that hold together: what nobody may lift goes before what ends later, and what is over counts last. */
function longest(all: readonly (Retention | null)[], at: Instant): Retention | null {
  const rank = ({ mode, until: end }: Retention): number => (end <= at ? 0 : mode === 'governance' ? 1 : 2);
  const [first] = all.filter((one) => one !== null).sort((a, b) => rank(b) - rank(a) || b.until - a.until);
  return first ?? null;
}

/** The oldest floors are forgotten once they are over for all their versions. */
function withoutPast(floors: readonly FloorFrom[], at: Instant): readonly FloorFrom[] {
  const lasts = floors.map((floor) => floor.last + floor.days * DAY_MS);
  const isPast = (index: number): boolean => (lasts[index] ?? Infinity) <= at;
  const first = floors.findIndex((_, index) => index === floors.length - 1 || !isPast(index));
  return floors.slice(Math.max(0, first));
}

/** The two oldest become one that retains at least as long as either. */
function bounded(floors: readonly FloorFrom[]): readonly FloorFrom[] {
  const [first, second, ...others] = floors;
  if (first === undefined || second === undefined || floors.length <= FLOORS_MAX) return floors;
  const mode = first.mode === 'compliance' || second.mode === 'compliance' ? 'compliance' : 'governance';
  const days = Math.max(first.days, second.days);
  return [{ from: first.from, mode, days, last: second.last }, ...others];
}

/** Nothing is null, so that an address without any is as it always was. */
function tidied({ floors, own }: Retained): Retained | null {
  const isEmpty = own.length === 0 && floors.every(({ days }) => days === 0);
  return isEmpty ? null : { floors, own };
}
