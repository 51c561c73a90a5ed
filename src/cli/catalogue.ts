import type { Command } from './command.ts';

/** Where a command stands in the help. */
export type Section = 'house' | 'key' | 'self';

export const SECTIONS: readonly (readonly [Section, string])[] = [
  ['key', 'In a Terraform folder, on whatever backend it has'],
  ['house', 'The house'],
  ['self', 'The command itself'],
];

/** One line of the catalogue: enough to list a command without loading it. */
export interface CatalogueEntry {
  /** One word, or a group and a word: `state pull`. */
  readonly name: string;
  readonly section: Section;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. Its file is imported only when it runs or its own help is asked for. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'serve',
    section: 'house',
    summary: 'run the state server',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'demo',
    section: 'house',
    summary: 'see two applies at once on one state, and nothing lost',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'config',
    section: 'house',
    summary: 'print the backend block and the environment for a state',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'completion',
    section: 'self',
    summary: 'print a script that completes commands and options in your shell',
    load: () => import('./commands/completion.ts'),
  },
];

/** What the groups are about; a group is the first word of a two-word name. */
export const GROUPS: Readonly<Record<string, string>> = {
  state: 'read, compare and write states',
  workspace: 'list, make, choose and delete workspaces',
};

/** Finds the command that the words begin with, the longest name first. */
export function findCommand(
  words: readonly string[],
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): { readonly entry: CatalogueEntry; readonly rest: readonly string[] } | null {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = words.length < length ? undefined : catalogue.find((candidate) => candidate.name === name);
    if (entry !== undefined) return { entry, rest: words.slice(length) };
  }
  return null;
}
