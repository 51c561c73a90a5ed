import { findOnPath } from '../test/support/find-program.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { processesOf } from '../test/support/process-tree.ts';

const CALLS = 'fsync,fdatasync,msync,sync_file_range';

/**
 * How often a process and its children make something durable while something is done, as strace counts it.
 * @returns null where there is no strace
 */
export async function flushesDuring(pid: number, work: () => Promise<void>): Promise<number | null> {
  const strace = await findOnPath('strace');
  if (strace === null) return null;
  const pids = (await processesOf(pid)).flatMap((one) => ['-p', String(one)]);
  const tracing = new RunningProgram(strace, ['-f', '-c', '-e', `trace=${CALLS}`, ...pids], {
    cwd: '.',
    env: process.env,
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await work();
  } finally {
    tracing.signal('SIGINT');
  }
  const { stderr } = await tracing.end;
  const counts = [...stderr.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(?!total)[a-z_]+$/gm)];
  return counts.reduce((sum, [, calls]) => sum + Number(calls), 0);
}
