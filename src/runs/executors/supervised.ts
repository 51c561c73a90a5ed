import { spawn } from 'node:child_process';
import type { Milliseconds } from '../../core/instant.ts';
import type { RunningWork, Work, WorkEnd } from './executor.ts';
import { NO_USAGE, usageBelow } from './usage.ts';

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

/** How long output may still come once the program has ended. */
const DRAIN: Milliseconds = 2_000;

/** The largest file, in blocks of 512 bytes. */
const FILE_BLOCKS_MAX: number = 4 * 1_024 * 1_024 * 2;
const FILES_MAX = 4_096;

/** What each process of a run may have, as a shell says it: what a shell does not know of is left out. */
export function limitsOf({ memory }: Pick<Work, 'memory'>): readonly string[] {
  return [
    `ulimit -f ${FILE_BLOCKS_MAX}`,
    'ulimit -c 0',
    `ulimit -d ${Math.ceil(memory / 1_024)} 2>/dev/null || :`,
    `ulimit -n ${FILES_MAX} 2>/dev/null || :`,
  ];
}

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
      // What a program left behind must not keep its output open, not even from another group.
      kill();
      const drain = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN);
      child.on('close', () => clearTimeout(drain));
    });
    child.on('close', (code) => resolve({ code, problem: null }));
  });
  return {
    end,
    stop: () => void child.stdin.write('stop\n'),
    kill,
    usage: () => (child.pid === undefined ? Promise.resolve(NO_USAGE) : usageBelow(child.pid)),
  };
}
