import { isProblem } from '../../core/read-value.ts';
import { readSecretFile } from '../../server/secret-file.ts';
import { Failure } from '../failure.ts';
import { flagName } from '../options.ts';

/**
 * A secret that an option gives as it is (`credential`), or in a file (`credentialFile`).
 * @throws {Failure} when the file cannot be used
 */
export function secretOf(
  key: string,
  given: { readonly text: string | undefined; readonly file: string | undefined },
  { exposedSecrets }: { readonly exposedSecrets: boolean },
): string | undefined {
  const { text, file } = given;
  if (text !== undefined || file === undefined) return text;
  const secret = readSecretFile(file, exposedSecrets);
  if (isProblem(secret)) throw new Failure(`${flagName(`${key}File`)}: ${secret.problem}`);
  return secret;
}
