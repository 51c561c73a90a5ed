import type { Environment } from '../../ports/environment.ts';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Failure } from '../failure.ts';

/** What a shell answers for a program that it cannot find. */
const NOT_FOUND = 127;
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/**
 * Runs a program on our own streams until it ends, and passes signals on to it.
 * @returns its exit code, or 128 and the number of the signal that ended it, as shells do
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Environment },
): Promise<number> {
  const child = spawn(program, args, { ...options, stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => {
    // Ctrl-C at a terminal reaches the child by itself; a second one would make terraform give up at once.
    const byTerminal = (signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY;
    if (!byTerminal) child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, passOn);
  return new Promise<number>((resolve, reject) => {
    child.once('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code !== 'ENOENT')
        reject(new Failure(`${program} cannot be run: ${fault.message}`, { cause: fault }));
      else {
        process.stderr.write(`statehouse: ${program}: command not found\n`);
        resolve(NOT_FOUND);
      }
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  }).finally(() => {
    for (const signal of PASSED_ON) process.off(signal, passOn);
  });
}
