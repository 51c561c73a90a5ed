import type { Milliseconds } from '../../core/instant.ts';
import { sharesOf } from '../budget.ts';
import type { RefusedWrite } from './refused-records.ts';

/** Refused writes that are kept in all, of one project, of one credential and of one address. */
export const REFUSED_MAX = { house: 1_024, project: 512, subject: 256, address: 64 } as const;

/** How long refused writes are kept, and how much of them. */
export interface RefusedSettings {
  /** 0: not at all. */
  readonly refusedKept: Milliseconds;
  /** Bytes that all of them may take in the engine; a project may have half of them, a credential a quarter. */
  readonly refusedBytesMax: number;
}

type Kept = Pick<RefusedWrite, 'id' | 'address' | 'subject' | 'at' | 'stored'>;

/** What of the kept is bounded together. */
interface Share {
  readonly counts: (one: Kept) => boolean;
  readonly most: number;
  readonly bytes: number;
}

/** The bytes that one refused write may take; one that takes more is not kept. */
export function largestKept({ refusedBytesMax }: RefusedSettings): number {
  return sharesOf(refusedBytesMax).subjectMax;
}

/**
 * The kept writes that have to go so that one more has room: the oldest of whatever is full.
 * @returns their IDs
 */
export function crowdedOut(kept: readonly Kept[], next: Kept, settings: RefusedSettings): readonly string[] {
  const { refusedBytesMax: all } = settings;
  const { project, key, workspace } = next.address;
  const inProject = (one: Kept): boolean => one.address.project === project;
  const shares: readonly Share[] = [
    {
      counts: (one) => inProject(one) && one.address.key === key && one.address.workspace === workspace,
      most: REFUSED_MAX.address,
      bytes: all,
    },
    {
      counts: (one) => one.subject === next.subject,
      most: REFUSED_MAX.subject,
      bytes: largestKept(settings),
    },
    { counts: inProject, most: REFUSED_MAX.project, bytes: Math.floor(all / 2) },
    { counts: () => true, most: REFUSED_MAX.house, bytes: all },
  ];
  const oldestFirst = kept.toSorted((a, b) => a.at - b.at);
  const gone = new Set<string>();
  for (const { counts, most, bytes } of shares) {
    const mine = oldestFirst.filter((one) => !gone.has(one.id) && counts(one));
    let [count, held] = [mine.length + 1, mine.reduce((sum, { stored }) => sum + stored, next.stored)];
    for (const { id, stored } of mine) {
      if (count <= most && held <= bytes) break;
      gone.add(id);
      count -= 1;
      held -= stored;
    }
  }
  return [...gone];
}
