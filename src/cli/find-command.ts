import { CATALOGUE, type CatalogueEntry } from './catalogue.ts';

/** What the groups are about; a group is the first word of a two-word name. */
export const GROUPS: Readonly<Record<string, string>> = {
  'agent-pool': 'Pools of agents, which execute runs on other machines, and their tokens.',
  credential: 'Credentials: who may do what on a server.',
  drift: 'Drift: where what there is differs from what states say of it.',
  project: 'What projects keep, and may keep.',
  run: 'Plans and applies that a server executes.',
  'run-trigger': 'Runs of a state after applies of another.',
  state: 'The same as without this word: "statehouse state pull" is "statehouse pull".',
  webhook: 'Webhooks, which are told of what needs a look.',
  workspace: 'Workspaces of a Terraform folder, on whatever backend it has.',
};

/** The word before the commands of a state, as terraform has it; they need none. */
const STATE_WORD = 'state';

/** The commands of a group, by the words that follow it. */
export function commandsOf(
  group: string,
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): readonly CatalogueEntry[] {
  return catalogue.filter(
    ({ name, section }) => name.startsWith(`${group} `) || (group === STATE_WORD && section === 'state'),
  );
}

/** Finds the command that the words begin with, the longest name first. */
export function findCommand(
  words: readonly string[],
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): { readonly entry: CatalogueEntry; readonly rest: readonly string[] } | null {
  if (words[0] === STATE_WORD) {
    const entry = commandsOf(STATE_WORD, catalogue).find(({ name }) => name === words[1]);
    return entry === undefined ? null : { entry, rest: words.slice(2) };
  }
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = words.length < length ? undefined : catalogue.find((candidate) => candidate.name === name);
    if (entry !== undefined) return { entry, rest: words.slice(length) };
  }
  return null;
}
