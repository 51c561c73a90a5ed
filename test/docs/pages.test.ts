import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/cli/catalogue.ts';
import { flagName } from '../../src/cli/options.ts';
import { RunningProgram } from '../support/running-program.ts';
import { findTerraform } from '../support/terraform.ts';

const terraform = await findTerraform();
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What pages show as run, and what they tell to be run: `statehouse …` in blocks of a shell. */
function commandsIn(page: string): string[] {
  const text = readFileSync(at(page), 'utf8').replaceAll(/\\\n\s*/g, '');
  const blocks = [...text.matchAll(/```(?:sh|console|yaml|groovy|bash)\n([\s\S]*?)```/g)];
  return blocks.flatMap(([, block = '']) =>
    [...block.matchAll(/(?:^|[ "'$(`])statehouse ((?!-data|@)[a-z][^\n#|]*)/gm)].map(([, words = '']) =>
      words.replace(/ && .*|["')`\s]+$/, ''),
    ),
  );
}

async function problemOf(line: string): Promise<string | null> {
  const words = line.split(/\s+/);
  const entry =
    CATALOGUE.find(({ name }) => name === words.slice(0, 2).join(' ')) ??
    CATALOGUE.find(({ name }) => name === words[0]);
  if (entry === undefined) return `no command: ${line}`;
  const { command } = await entry.load();
  const known = new Set(['--json', '--help', '--', ...Object.keys(command.options).map(flagName)]);
  const end = words.indexOf('--');
  const flags = words.slice(0, end === -1 ? undefined : end).filter((word) => word.startsWith('--'));
  const wrong = flags.map((flag) => flag.split('=')[0] ?? '').filter((flag) => !known.has(flag));
  return wrong.length === 0 ? null : `no option ${wrong.join(', ')}: ${line}`;
}

const PAGES = [
  'docs/tour.md',
  'docs/webhooks.md',
  'docs/moving-a-team.md',
  'docs/with-terraform.md',
  'docs/ci.md',
  'docs/after-an-outage.md',
] as const;

describe('pages that show commands', () => {
  it.each(PAGES)('name commands and options that there are: %s', async (page) => {
    const commands = commandsIn(page);
    expect(commands.length).toBeGreaterThan(0);
    const problems = await Promise.all(commands.map(problemOf));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  it.skipIf(terraform === null)(
    'show in docs/tour.md what the commands print now (skipped unless terraform is on PATH; "npm run tour" writes it anew)',
    async () => {
      const run = new RunningProgram(process.execPath, [at('scripts/tour.mjs'), '--check'], {
        cwd: at('.'),
        env: process.env,
      });
      const { code, output } = await run.end;
      expect(code, output).toBe(0);
    },
    120_000,
  );
});
