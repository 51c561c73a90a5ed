import { BackendFault } from '../ports/state-client.ts';

/**
 * Loads a package that an installation may have left out, as the server's image does with what only the command line needs.
 * @param what what needs it, as a sentence begins: `the s3 backend`
 * @throws {BackendFault} with words about the installation when it is not there
 */
export async function loadOptional<T>(what: string, name: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (fault) {
    throw new BackendFault(
      'configuration',
      `${what} needs the package ${name}, which cannot be loaded: this installation may have left it out`,
      "The package from npm has it, and the server's image has not: install statehouse-server with npm, without --omit=optional.",
      fault,
    );
  }
}
