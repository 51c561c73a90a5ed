import { ExposedFile } from '../../keyring/private-file.ts';
import { EngineFault } from '../../ports/engine.ts';
import { SealError } from '../../ports/sealer.ts';
import { Failure } from '../failure.ts';
import { ACCEPT_EXPOSED } from './opening-failure.ts';

/** Why something could not be done with a data directory; an unexpected fault stays as it is. */
export function keepingFailure(fault: unknown): unknown {
  if (fault instanceof SealError) {
    return new Failure(`the master key does not match this data: ${fault.message}`, {
      next: 'Give the master key of this data with --master-key-file or STATEHOUSE_MASTER_KEY.',
      cause: fault,
    });
  }
  if (fault instanceof ExposedFile) return new Failure(fault.message, { next: ACCEPT_EXPOSED, cause: fault });
  const named =
    fault instanceof EngineFault ||
    (fault instanceof Error && /^(?:NoMasterKey|KeyTextError|UnauthenticatedRows)$/.test(fault.name));
  return named ? new Failure((fault as Error).message, { cause: fault }) : fault;
}
