import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isProblem } from '../../core/read-value.ts';
import { readBodyPlace } from '../../server/bodies/place.ts';
import { bodySettings, DEFAULTS, type Configuration } from '../../server/configuration.ts';
import { DEFAULT_DATA, hasPassword, SETTINGS } from '../../server/settings.ts';
import { Failure, wrongUse } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { flag, text, textOr } from '../options.ts';
import { secretOf } from './secret-option.ts';

/** How the master key of a data directory is given, where it is not in the directory itself. */
export const KEY_OPTIONS: {
  readonly masterKey: OptionSpec<string | undefined>;
  readonly masterKeyFile: OptionSpec<string | undefined>;
  readonly exposedSecrets: OptionSpec<boolean>;
  readonly bodies: OptionSpec<string | undefined>;
} = {
  masterKey: text('KEYS', SETTINGS.masterKey.help, { isSecret: () => true }),
  masterKeyFile: text('FILE', SETTINGS.masterKeyFile.help),
  exposedSecrets: flag(SETTINGS.exposedSecrets.help),
  bodies: text('PLACE', 'where the server keeps large states, as its own --bodies says'),
};

/**
 * What is needed to work on a data directory without a house.
 * @throws {Failure} when it is not there: a command that only looks must not make one
 */
export function dataConfiguration(
  directory: string,
  given: {
    readonly masterKey: string | undefined;
    readonly masterKeyFile: string | undefined;
    readonly exposedSecrets: boolean;
    readonly bodies: string | undefined;
  },
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
    exposedSecrets: given.exposedSecrets,
    bodies: bodiesAt(given.bodies),
    logLevel: 'error',
  };
}

/** Where what is to be looked at is kept, besides {@link KEY_OPTIONS}. */
export const PLACE_OPTIONS: {
  readonly data: OptionSpec<string>;
  readonly database: OptionSpec<string | undefined>;
  readonly databaseFile: OptionSpec<string | undefined>;
} = {
  data: textOr(DEFAULT_DATA, 'DIR', 'the data directory, or the file of a backup'),
  database: text('URL', 'look into this PostgreSQL database instead (postgres://…)', {
    isSecret: hasPassword,
  }),
  databaseFile: text('FILE', SETTINGS.databaseFile.help),
};

/** What is needed to look at a data directory, a backup or a database without a server. @throws {Failure} as above */
export function placeConfiguration(given: {
  readonly data: string;
  readonly database: string | undefined;
  readonly databaseFile: string | undefined;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly exposedSecrets: boolean;
  readonly bodies: string | undefined;
}): Pick<Configuration, 'store' | 'bodies' | 'masterKeys' | 'masterKeyFile' | 'exposedSecrets'> {
  const { data, masterKey = null, masterKeyFile = null, exposedSecrets } = given;
  const url = secretOf('database', { text: given.database, file: given.databaseFile }, given);
  if (url === undefined) return dataConfiguration(data, given);
  const store = { kind: 'postgres', url } as const;
  return { store, bodies: bodiesAt(given.bodies), masterKeys: masterKey, masterKeyFile, exposedSecrets };
}

/** The place of large states. What is not decided by whoever only reads is as a server has it by default. */
function bodiesAt(place: string | undefined): Configuration['bodies'] {
  const read = readBodyPlace(place);
  if (isProblem(read)) throw wrongUse(`--bodies: ${read.problem}`);
  return read === null ? null : bodySettings({ bodies: read });
}
