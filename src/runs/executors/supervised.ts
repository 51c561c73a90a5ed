import { spawn } from 'node:child_process';
import type { RunningWork, Work, WorkEnd } from './executor.ts';

/** How long a program has after its server is gone. */
const GRACE_SECONDS = 15;

/**
 * Stands above the program and listens to the server on its standard input: a line asks the program to end in order, and the end
 * of the input, which comes when the server is gone however it ended, does the same and then ends by force. SIGTERM is what
 * terraform hears even where a shell has SIGINT ignored.
 */
export const SUPERVISOR: string = [
  'exec 3<&0 </dev/null',
  '"$@" 3<&- & child=$!',
  `( while read -r word <&3; do kill -TERM "$child" 2>/dev/null; done; kill -TERM "$child" 2>/dev/null; sleep ${GRACE_SECONDS}; kill -KILL 0 ) >/dev/null 2>&1 & watch=$!`,
  'exec 3<&-',
  'wait "$child"; code=$?',
  'kill -KILL "$watch" 2>/dev/null',
  'exit "$code"',
].join('\n');

/** Starts a command line in a process group of its own, which is supervised. */
export function startSupervised(command: string, args: readonly string[], work: Work): RunningWork {
  const child = spawn(command, [...args], {
    cwd: work.cwd,
    env: work.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.on('data', work.onOutput);
  child.stderr.on('data', work.onError);
  // It may be gone before it hears anything.
  child.stdin.on('error', () => undefined);
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  };
  const end = new Promise<WorkEnd>((resolve) => {
    child.on('error', (fault) => resolve({ code: null, problem: fault.message }));
    child.on('exit', () => {
      // What a program left behind must not keep its output open.
      kill();
    });
    child.on('close', (code) => resolve({ code, problem: null }));
  });
  return { end, stop: () => void child.stdin.write('stop\n'), kill };
}
