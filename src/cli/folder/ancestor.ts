import { readParts, type StateParts } from '../../core/snapshot/merge-parts.ts';
import { differenceBetween, type MergeBase } from '../../core/snapshot/merge.ts';
import type { StateClient } from '../../ports/state-client.ts';

/** Old versions that are looked at for the one that a refused state was made of. */
const CANDIDATES_MAX = 20;
const LISTED_MAX = 100;

/** The state that a refused one was made of, and what people call it. */
export interface Ancestor {
  readonly base: MergeBase;
  readonly name: string;
}

/**
 * Finds what a refused state and the newest one were both made of: of the older states of its lineage the one from which
 * it differs least, since a run that failed in the middle may have raised the serial more than once. `none` for another
 * lineage, `unknown` where nothing older is kept.
 */
export async function findAncestor(
  client: StateClient,
  workspace: string,
  { ours, theirs }: { readonly ours: StateParts; readonly theirs: StateParts },
): Promise<Ancestor> {
  if (ours.header.lineage !== theirs.header.lineage) return { base: 'none', name: 'none (another lineage)' };
  const candidates = [theirs, ...(await olderVersions(client, workspace))].filter(
    ({ header }) => header.lineage === ours.header.lineage && header.serial < ours.header.serial,
  );
  let best: { readonly parts: StateParts; readonly distance: number } | null = null;
  for (const parts of candidates.toSorted((a, b) => Number(b.header.serial - a.header.serial))) {
    const distance = differenceBetween(parts, ours);
    if (best === null || distance < best.distance) best = { parts, distance };
  }
  return best === null
    ? { base: 'unknown', name: 'unknown (no older state is kept)' }
    : { base: best.parts, name: `serial ${best.parts.header.serial}` };
}

async function olderVersions(client: StateClient, workspace: string): Promise<readonly StateParts[]> {
  const { history } = client;
  if (history === null) return [];
  const states: StateParts[] = [];
  for (const { id, deleted } of await history.list(workspace, LISTED_MAX)) {
    if (states.length === CANDIDATES_MAX) break;
    const bytes = deleted ? null : await history.read(workspace, id);
    const parts = bytes === null ? null : readParts(bytes);
    if (parts !== null && 'type' in parts && parts.type === 'parts') states.push(parts);
  }
  return states;
}
