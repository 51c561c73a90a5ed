import type { Executor } from './executor.ts';
import { limitsOf, startSupervised, SUPERVISOR } from './supervised.ts';

/**
 * Runs programs as children of the server, under its own user: nothing is hidden from them that this user may read. For whoever
 * trusts every configuration that is uploaded.
 */
export const PROCESS_EXECUTOR: Executor = {
  name: 'process',
  start: (work) =>
    startSupervised(
      '/bin/sh',
      ['-c', [...limitsOf(work), SUPERVISOR].join('\n'), 'run', work.program, ...work.args],
      work,
    ),
};
