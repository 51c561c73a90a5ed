import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/cli/catalogue.ts';
import type { Command } from '../../src/cli/command.ts';
import { defineCommand } from '../../src/cli/command.ts';
import { completeWords } from '../../src/cli/completion.ts';
import { DONE } from '../../src/cli/exit-codes.ts';
import { duration, flag, text, texts } from '../../src/cli/options.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { formatTable } from '../../src/cli/table.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const sample: Command = defineCommand({
  description: 'A sample.',
  args: [{ name: 'file', help: 'a file', required: false }],
  options: {
    lockTimeout: duration('0s', 'TIME', 'wait'),
    backendConfig: texts('K=V', 'configuration'),
    chdir: text('DIR', 'folder', { short: 'C' }),
    yes: flag('do not ask', { environment: false }),
    noSharing: flag('alone'),
  },
  examples: [{ line: 'statehouse sample', says: 'shows it' }],
  run: async () => DONE,
});

function parse(words: readonly string[], env: Record<string, string> = {}) {
  const parsed = parseCommandLine('sample', sample, words, env);
  if (parsed.type === 'help') throw new Error('help was not asked for');
  return parsed;
}

async function run(...words: readonly string[]) {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const code = await runCommandLine(words, {
    streams: { input: new PassThrough(), output, errors },
    env: {},
    cwd: '/',
    stopped: new AbortController().signal,
  });
  return { code, out: String(output.read() ?? ''), err: String(errors.read() ?? '') };
}

describe('the command line', () => {
  it('reads options from flags, and from the environment what no flag says', () => {
    const env = { STATEHOUSE_LOCK_TIMEOUT: '1m30s', STATEHOUSE_CHDIR: '/env', STATEHOUSE_YES: '1' };
    const parsed = parse(['-C', '/flag', '--backend-config', 'a=1', '--backend-config=b=2', 'x'], env);
    expect(parsed.args).toEqual(['x']);
    expect(parsed.options).toEqual({
      lockTimeout: 90_000,
      backendConfig: ['a=1', 'b=2'],
      chdir: '/flag',
      yes: false,
      noSharing: false,
      json: false,
    });
    expect(parse(['--no-sharing', '--yes', '--json']).options).toMatchObject({
      noSharing: true,
      yes: true,
      json: true,
    });
  });

  it('names the option or the variable whose value is wrong', () => {
    expect(() => parse(['--lock-timeout', 'soon'])).toThrow(
      '--lock-timeout: invalid duration "soon": expected for example 90s, 15m, 2h',
    );
    expect(() => parse([], { STATEHOUSE_LOCK_TIMEOUT: 'soon' })).toThrow(
      'STATEHOUSE_LOCK_TIMEOUT: invalid duration "soon"',
    );
    expect(() => parse(['--unknown'])).toThrow("unknown option '--unknown'");
    expect(() => parse(['a', 'b'])).toThrow('too many arguments');
  });

  it('shows examples, variables and exit codes in the help', () => {
    const help = parseCommandLine('sample', sample, ['--help'], {});
    expect(help).toMatchObject({ type: 'help' });
    const shown = help.type === 'help' ? help.text : '';
    expect(shown).toContain('statehouse sample\n      shows it');
    expect(shown).toContain('STATEHOUSE_LOCK_TIMEOUT');
    expect(shown).not.toContain('STATEHOUSE_YES');
    expect(shown).toContain('3 locked by someone else');
  });

  it('lists every command in the help, and suggests one for a typing mistake', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const { name } of CATALOGUE) expect(out).toContain(`  ${name} `);
    const wrong = await run('complexion');
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('Did you mean completion?');
    expect((await run()).code).toBe(2);
  });

  it('has a help for every word that commands begin with', async () => {
    const groups = CATALOGUE.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0]!);
    for (const group of new Set(groups)) {
      if (CATALOGUE.some(({ name }) => name === group)) continue;
      const { code, out } = await run(group, '--help');
      expect(code, group).toBe(0);
      expect(out, group).toMatch(/^Usage: statehouse \S+ COMMAND \[options\]\n\n[A-Z].*\.\n\n {2}/);
    }
  });

  it('shows many options under titles', async () => {
    const { out } = await run('serve', '--help');
    expect(out).toMatch(/\nTLS:\n {2}--tls-cert <FILE>.*\n/);
    expect(out).toMatch(/\nOptions:\n {2}--json .*\n {2}-h, --help/);
    expect(out).toMatch(/STATEHOUSE_LISTEN, .*, and so on\n/);
  });

  it('prints an error as JSON under --json', async () => {
    const { code, err } = await run('completion', 'tcsh', '--json');
    expect(code).toBe(2);
    expect(JSON.parse(err)).toMatchObject({
      error: 'invalid shell "tcsh": expected one of bash, zsh, fish',
      exitCode: 2,
    });
  });

  it('gives every command a description, an example and a way to load', async () => {
    for (const entry of CATALOGUE) {
      const { command } = await entry.load();
      expect(command.description, entry.name).not.toBe('');
      expect(command.examples.length, entry.name).toBeGreaterThan(0);
      expect((await run(...entry.name.split(' '), '--help')).code, entry.name).toBe(0);
    }
  });

  it('completes names of commands, then their options', async () => {
    expect(await completeWords([])).toContain('completion');
    expect(await completeWords(['completion'])).toContain('--json');
    expect(await completeWords(['nothing'])).toEqual([]);
  });
});

describe('what is shown', () => {
  it('lines up columns by what is seen', () => {
    const rows = [
      ['r\u001b[31m', 'x'],
      ['a-long-name', 'y\nz'],
    ];
    expect(formatTable(['NAME', 'STATE'], rows)).toEqual([
      'NAME         STATE',
      'r\\u001b[31m  x',
      'a-long-name  y\\nz',
    ]);
  });

  it('colours what it means to, and nothing that others wrote', () => {
    const output = Object.assign(new PassThrough(), { isTTY: true });
    const terminal = openTerminal({ input: new PassThrough(), output, errors: new PassThrough() }, {}, false);
    terminal.say(terminal.colors.red('ours\u001b[8m'));
    terminal.table(['A'], [[terminal.colors.bold('b')]]);
    expect(String(output.read())).toBe('\u001b[31mours\\u001b[8m\u001b[39m\nA\n\u001b[1mb\u001b[22m\n');
  });

  it('keeps big numbers whole in JSON, and shows no changing line where there is no terminal', () => {
    const [output, errors] = [new PassThrough(), new PassThrough()];
    const terminal = openTerminal({ input: new PassThrough(), output, errors }, {}, true);
    terminal.status('working');
    terminal.result({ serial: 18446744073709551615n });
    expect(String(output.read())).toBe('{\n  "serial": 18446744073709551615\n}\n');
    expect(errors.read()).toBeNull();
  });
});
