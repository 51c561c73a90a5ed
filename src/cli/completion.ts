import type { CatalogueEntry } from './catalogue.ts';
import { CATALOGUE, findCommand } from './catalogue.ts';
import { flagName } from './options.ts';

/** The scripts ask `statehouse completion --words …` at each Tab, so they never go stale. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_statehouse() {
  local cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=($(compgen -W "$(statehouse completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "$cur"))
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

/** The words that may come after these: names of commands, or a command's options. */
export async function completeWords(
  words: readonly string[],
  catalogue: readonly CatalogueEntry[] = CATALOGUE,
): Promise<readonly string[]> {
  const found = findCommand(words, catalogue);
  if (found === null) {
    const names = catalogue.map(({ name }) => name.split(' '));
    const fitting = names.filter((parts) => words.every((word, index) => parts[index] === word));
    return [...new Set(fitting.map((parts) => parts[words.length] ?? ''))].filter((word) => word !== '');
  }
  const { command } = await found.entry.load();
  return [...Object.keys(command.options), 'json', 'help'].map(flagName);
}
