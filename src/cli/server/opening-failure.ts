import { ExposedFile } from '../../keyring/private-file.ts';
import { SealError } from '../../ports/sealer.ts';
import type { Configuration } from '../../server/configuration.ts';
import { Failure } from '../failure.ts';

/** What to do where a secret's file cannot have another mode. */
export const ACCEPT_EXPOSED = 'Where a mount leaves no choice, accept it with --exposed-secrets.';

/** What the operating system says of a port that cannot be opened, and what to do about it. */
const PORT_PROBLEMS: Readonly<Record<string, readonly [problem: string, next: string]>> = {
  EADDRINUSE: [
    'is in use by another program',
    'Check whether a server runs already, or choose another port: --listen 127.0.0.1:7118.',
  ],
  EADDRNOTAVAIL: [
    'is not an address of this machine',
    'Listen on 127.0.0.1 for this machine alone, or on 0.0.0.0 for all machines.',
  ],
  EACCES: ['cannot be opened by this user', 'Ports below 1024 need root: choose a higher one.'],
  ENOTFOUND: [
    'cannot be resolved',
    'Listen on 127.0.0.1 for this machine alone, or on 0.0.0.0 for all machines.',
  ],
};

/** Why a house could not be opened, for its operator. */
export function openingFailure(
  fault: unknown,
  { host, port }: Pick<Configuration, 'host' | 'port'>,
): Failure {
  const why = fault instanceof Error ? fault.message : String(fault);
  if (fault instanceof SealError) {
    return new Failure(`the master key does not match this data: ${why}`, {
      next: 'Give the master key of this data with --master-key-file or STATEHOUSE_MASTER_KEY.',
      cause: fault,
    });
  }
  if (fault instanceof ExposedFile) return new Failure(why, { next: ACCEPT_EXPOSED, cause: fault });
  const { code, syscall } = fault as NodeJS.ErrnoException;
  const problem = syscall === 'listen' || code === 'ENOTFOUND' ? PORT_PROBLEMS[code ?? ''] : undefined;
  if (problem !== undefined)
    return new Failure(`${host}:${port} ${problem[0]}`, { next: problem[1], cause: fault });
  return new Failure(`the server could not start: ${why}`, { cause: fault });
}
