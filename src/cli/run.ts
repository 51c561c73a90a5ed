import type { Environment } from '../ports/environment.ts';
import { BackendFault } from '../ports/state-client.ts';
import { GROUPS, findCommand } from './find-command.ts';
import type { ExitCode } from './exit-codes.ts';
import { DONE, FAILED, WRONG_USE } from './exit-codes.ts';
import { Failure } from './failure.ts';
import { formatHelp, similarNames } from './help.ts';
import type { Terminal, TerminalStreams } from './terminal.ts';
import { openTerminal } from './terminal.ts';

export interface Surroundings {
  readonly streams: TerminalStreams;
  readonly env: Environment;
  readonly cwd: string;
  readonly stopped: AbortSignal;
  /** Makes the process outlive further signals. */
  readonly bePatient?: () => void;
}

/** Runs one command line and says how it ended. Never throws. */
export async function runCommandLine(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const asJson = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined).includes('--json');
  let terminal = openTerminal(surroundings.streams, surroundings.env, asJson);
  try {
    const found = findCommand(words);
    if (found === null) return await answerNoCommand(words, terminal);
    const [{ command }, { parseCommandLine }] = await Promise.all([found.entry.load(), import('./parse.ts')]);
    const parsed = parseCommandLine(found.entry.name, command, found.rest, surroundings.env);
    if (parsed.type === 'help') {
      await terminal.write(parsed.text);
      return DONE;
    }
    terminal = openTerminal(surroundings.streams, surroundings.env, parsed.json);
    for (const warning of parsed.warnings) terminal.note(`${terminal.colors.yellow('Warning:')} ${warning}`);
    const { env, cwd, stopped } = surroundings;
    if (command.patient === true) surroundings.bePatient?.();
    const { args, options } = parsed;
    return await command.run({ args, options, terminal, env, cwd, stopped });
  } catch (fault) {
    // A signal that ends a wait is not a fault.
    const stopped = surroundings.stopped.aborted && !(fault instanceof Failure);
    return printFault(stopped ? new Failure('stopped') : fault, terminal);
  }
}

async function answerNoCommand(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first] = words;
  const group = first !== undefined && first in GROUPS ? first : null;
  const word = group === null ? first : words[1];
  if (word === undefined || ['--help', '-h', 'help'].includes(word)) {
    await terminal.write(formatHelp(group));
    return words.length > 0 && word !== undefined ? DONE : WRONG_USE;
  }
  const alike = similarNames(word);
  throw new Failure(`there is no command "${group === null ? word : `${group} ${word}`}"`, {
    exitCode: WRONG_USE,
    next: `${alike.length > 0 ? `Did you mean ${alike.join(' or ')}? ` : ''}"statehouse --help" lists all commands.`,
  });
}

function printFault(fault: unknown, terminal: Terminal): ExitCode {
  const failure = asFailure(fault);
  terminal.status('');
  if (terminal.json) {
    const { message, next, exitCode, details } = failure;
    terminal.note(JSON.stringify({ error: message, next, exitCode, ...details }));
  } else {
    terminal.note(`${terminal.colors.red('Error:')} ${failure.message}`);
    if (failure.next !== '') for (const line of failure.next.split('\n')) terminal.note(line);
  }
  if (process.env['STATEHOUSE_DEBUG'] === '1' && fault instanceof Error)
    for (const line of (fault.stack ?? '').split('\n')) terminal.note(line);
  return failure.exitCode;
}

function asFailure(fault: unknown): Failure {
  if (fault instanceof Failure) return fault;
  if (fault instanceof BackendFault) {
    const exitCode = fault.kind === 'configuration' ? WRONG_USE : FAILED;
    return new Failure(fault.message, { next: fault.next, exitCode, details: { kind: fault.kind } });
  }
  return new Failure(fault instanceof Error ? fault.message : String(fault), {
    next: 'This is an unexpected fault. STATEHOUSE_DEBUG=1 prints its stack trace.',
  });
}
