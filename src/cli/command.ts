import type { Environment } from '../ports/environment.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Completes, Options, OptionValues } from './options.ts';
import type { Terminal } from './terminal.ts';

/** One argument by its place. */
export interface ArgumentSpec {
  readonly name: string;
  readonly help: string;
  readonly required: boolean;
  /** For the first argument, which may then be left out although others are required: whether a word is such a one. */
  readonly leading?: (word: string) => boolean;
  /** What the shell offers for it. */
  readonly completes?: Completes;
  /** Takes all that are left. Only the last argument may. */
  readonly rest?: boolean;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** What a command is given when it runs. */
export interface Invocation<O extends Options> {
  /** In order; an optional argument that was not given is absent, but a leading one is empty. */
  readonly args: readonly string[];
  readonly options: OptionValues<O>;
  readonly terminal: Terminal;
  readonly env: Environment;
  readonly cwd: string;
  /** Aborted by the first SIGINT or SIGTERM: finish what must be finished (release locks) and return. */
  readonly stopped: AbortSignal;
}

/** One command: what it takes, what it shows in its help, and what it does. */
export interface Command<O extends Options = Options> {
  readonly description: string;
  readonly args: readonly ArgumentSpec[];
  readonly options: O;
  /** Titles in the help, each with the option that it stands before; for a command with many options. */
  readonly topics?: { readonly [K in keyof O]?: string };
  readonly examples: readonly Example[];
  /** Whether everything after the first argument belongs to it, options included, as `exec` needs. */
  readonly passThrough?: boolean;
  /** Whether a second signal must not end the process either, because the command passes signals on. */
  readonly patient?: boolean;
  /** @returns one of the {@link ExitCode}s, or the code of the command that was run. */
  readonly run: (invocation: Invocation<O>) => Promise<ExitCode | number>;
}

/** A command whose options are typed by their specs; kept without that type in the catalogue. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}
