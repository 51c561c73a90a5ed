import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULTS, type Configuration } from '../../server/configuration.ts';
import { Failure } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { text } from '../options.ts';

/** How the master key of a data directory is given, where it is not in the directory itself. */
export const KEY_OPTIONS: {
  readonly masterKey: OptionSpec<string | undefined>;
  readonly masterKeyFile: OptionSpec<string | undefined>;
} = {
  masterKey: text(
    'KEYS',
    'the master key, base64 of 32 bytes; after a comma, former master keys that can still open data',
  ),
  masterKeyFile: text('FILE', 'read the master key from this file'),
};

/**
 * What is needed to work on a data directory without a house.
 * @throws {Failure} when it is not there: a command that only looks must not make one
 */
export function dataConfiguration(
  directory: string,
  given: { readonly masterKey: string | undefined; readonly masterKeyFile: string | undefined },
): Configuration {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Failure(`the directory ${resolve(directory)} does not exist`, {
      next: 'Name the data directory of the server with --data DIR.',
    });
  if (!found.isDirectory() && given.masterKey === undefined && given.masterKeyFile === undefined)
    throw new Failure(`${directory} is a backup, and a backup does not contain the master key`, {
      next: 'Give the master key of its server with --master-key-file FILE.',
    });
  return {
    ...DEFAULTS,
    store: { kind: 'directory', path: directory },
    masterKeys: given.masterKey ?? null,
    masterKeyFile: given.masterKeyFile ?? null,
    logLevel: 'error',
  };
}

/** What is needed to look at a data directory, a backup or a database without a server. @throws {Failure} as above */
export function placeConfiguration(given: {
  readonly data: string;
  readonly database: string | undefined;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
}): Pick<Configuration, 'store' | 'masterKeys' | 'masterKeyFile'> {
  const { data, database, masterKey = null, masterKeyFile = null } = given;
  if (database === undefined) return dataConfiguration(data, given);
  return { store: { kind: 'postgres', url: database }, masterKeys: masterKey, masterKeyFile };
}
