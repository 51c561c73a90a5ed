import type { CatalogueEntry } from './catalogue.ts';
import { CATALOGUE } from './catalogue.ts';
import { findCommand } from './find-command.ts';
import type { Environment } from '../ports/environment.ts';
import type { Command } from './command.ts';
import { completeValues, type Asking } from './complete-values.ts';
import { flagName, type Completes, type Options, type OptionSpec, type OptionValues } from './options.ts';
import { parseCommandLine } from './parse.ts';

/** The scripts ask `statehouse completion --words …` at each Tab, so they never go stale. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  // Words are compared here and not by "compgen -W", which would run what names have in them; and bash cuts words at "@".
  bash: `_statehouse() {
  local line="\${COMP_LINE:0:COMP_POINT}" words cur cut word
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur="\${words[\${#words[@]}-1]}"
  cut="\${cur%"\${cur##*[@:=]}"}"
  COMPREPLY=()
  while IFS= read -r word; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("\${word#"$cut"}")
  done < <(statehouse completion words -- "\${words[@]:1:\${#words[@]}-2}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
}
complete -F _statehouse statehouse
`,
  zsh: `#compdef statehouse
_statehouse() {
  local -a found
  found=(\${(f)"$(statehouse completion words -- \${words[2,CURRENT-1]} 2>/dev/null)"})
  (( \${#found} )) && compadd -a found || _files
}
compdef _statehouse statehouse
`,
  fish: `function __statehouse_words
  set -l given (commandline -opc)
  statehouse completion words -- $given[2..-1] 2>/dev/null
end
complete -c statehouse -a '(__statehouse_words)'
`,
};

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/**
 * The words that may come after these: names of commands, a command's options, or values of the option or argument whose
 * turn it is.
 */
export async function completeWords(
  words: readonly string[],
  around: Pick<Asking, 'terminal' | 'env' | 'cwd' | 'stopped'> | null = null,
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): Promise<readonly string[]> {
  const found = findCommand(words, catalogue);
  if (found === null) {
    const names = catalogue.map(({ name, section }) =>
      section === 'state' ? [[name], ['state', name]] : [name.split(' ')],
    );
    const fitting = names.flat().filter((parts) => words.every((word, index) => parts[index] === word));
    return [...new Set(fitting.map((parts) => parts[words.length] ?? ''))].filter((word) => word !== '');
  }
  const { command } = await found.entry.load();
  const flags = [...Object.keys(command.options), 'json', 'help'].map(flagName);
  const { kind, isValue } = turnOf(command, found.rest);
  const values =
    kind === null || around === null
      ? []
      : await completeValues(kind, { ...around, options: optionsSaid(command, found.rest, around.env) });
  return isValue ? values : [...values, ...flags];
}

/** What comes next: the value of an option, or an argument by its place. */
function turnOf(
  command: Command,
  words: readonly string[],
): { readonly kind: Completes | null; readonly isValue: boolean } {
  let places = 0;
  let option: OptionSpec<unknown> | null = null;
  for (const word of words) {
    const wasValue = option !== null;
    option = null;
    if (wasValue) continue;
    if (!word.startsWith('-')) places += 1;
    const named = Object.entries(command.options).find(([key]) => flagName(key) === word);
    if (named !== undefined && named[1].kind !== 'flag') option = named[1];
  }
  if (option !== null) return { kind: option.completes, isValue: true };
  return { kind: command.args[places]?.completes ?? null, isValue: false };
}

/** The options as far as they are said; those of the environment alone where the words cannot be read yet. */
function optionsSaid(command: Command, words: readonly string[], env: Environment): OptionValues<Options> {
  const lenient = { ...command, args: [{ name: 'words', help: '', required: false, rest: true }] };
  for (const some of [words, words.slice(0, -1), []]) {
    try {
      const parsed = parseCommandLine('', lenient, some, env);
      if (parsed.type === 'run') return parsed.options;
    } catch {
      // A word is missing, or not yet whole.
    }
  }
  return {};
}
