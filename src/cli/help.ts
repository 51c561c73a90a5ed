import type { CatalogueEntry } from './catalogue.ts';
import { CATALOGUE, SECTIONS } from './catalogue.ts';
import { GROUPS, commandsOf } from './find-command.ts';

/** The help of the whole command, or of one group of commands. */
export function formatHelp(group: string | null): string {
  return group === null ? wholeHelp() : groupHelp(group);
}

/** Names of commands that are similar to an unknown word: a typing mistake away, or with the same beginning. */
export function similarNames(word: string): readonly string[] {
  return CATALOGUE.map(({ name }) => name).filter((name) =>
    name
      .split(' ')
      .some((part) => part.startsWith(word) || distance(part, word) <= Math.floor(part.length / 3)),
  );
}

function wholeHelp(): string {
  const lines = ['Usage: statehouse COMMAND [options]', ''];
  lines.push('Keeps Terraform and OpenTofu state, and guards it with one lock.', '');
  for (const [section, title] of SECTIONS) {
    const entries = CATALOGUE.filter((entry) => entry.section === section);
    if (entries.length > 0) lines.push(`${title}:`, ...list(entries), '');
  }
  lines.push(
    '"statehouse COMMAND --help" shows options and examples. Options can come from the environment:',
  );
  lines.push('--lock-timeout is also STATEHOUSE_LOCK_TIMEOUT.');
  return `${lines.join('\n')}\n`;
}

function groupHelp(group: string): string {
  return [
    `Usage: statehouse ${group} COMMAND [options]`,
    '',
    GROUPS[group] ?? '',
    '',
    ...list(commandsOf(group)),
    '',
  ].join('\n');
}

function list(entries: readonly CatalogueEntry[]): readonly string[] {
  const wide = Math.max(...CATALOGUE.map(({ name }) => name.length));
  return entries.map(({ name, summary }) => `  ${name.padEnd(wide)}  ${summary}`);
}

/** Letters to add, drop or change to get from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const swap = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
