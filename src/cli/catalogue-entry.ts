import type { Command } from './command.ts';

/** Where a command stands in the help. */
export type Section = 'state' | 'folder' | 'server' | 'self';

/** One line of the catalogue: enough to list a command without loading it. */
export interface CatalogueEntry {
  /** One word, or a group and a word: `workspace list`. */
  readonly name: string;
  readonly section: Section;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}
