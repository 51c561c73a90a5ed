import type { Command } from '../command.ts';

/** Where a command stands in the help. */
export type Section = 'state' | 'folder' | 'server' | 'runs' | 'access' | 'upkeep' | 'self';

/** One line of the catalogue: enough to list a command without loading it. */
export interface CatalogueEntry {
  /** One word, or a group and a word: `workspace list`. */
  readonly name: string;
  readonly section: Section;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** The commands of one section. */
export function listed(
  section: Section,
  entries: readonly Omit<CatalogueEntry, 'section'>[],
): readonly CatalogueEntry[] {
  return entries.map((entry) => ({ ...entry, section }));
}
