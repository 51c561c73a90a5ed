import { ExposedFile, readPrivateFile } from '../keyring/private-file.ts';
import type { Problem } from '../core/read-value.ts';

/**
 * The secret in a file, without the line end that editors add.
 * @param exposed whether other users of the machine may be able to read the file
 */
export function readSecretFile(path: string, exposed: boolean): string | Problem {
  try {
    const secret = readPrivateFile(path, exposed).trim();
    return secret === '' ? { problem: `${path} is empty` } : secret;
  } catch (fault) {
    if (fault instanceof ExposedFile)
      return { problem: `${fault.message}, or accept it with --exposed-secrets` };
    const why = fault instanceof Error ? fault.message : String(fault);
    return { problem: `${path} cannot be read: ${why}` };
  }
}
