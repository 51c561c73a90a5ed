import { dirname, join, resolve } from 'node:path';
import type { Grant } from '../core/grant.ts';
import type { Caller } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import { makePath } from '../engines/sqlite/files/make-path.ts';
import { writePrivateFile } from '../keyring/private-file.ts';
import { ownDirectory, type Configuration } from './configuration.ts';

/** The project that a first credential may write. */
export const FIRST_PROJECT = 'demo';
/** The file in the data directory that the first start writes the admin's credential to. */
export const ADMIN_FILE = 'admin-credential';
const WRITER_FILE = 'demo-credential';

/** A credential that the first start made, and the file that has it. */
export interface FirstCredential {
  readonly id: string;
  readonly secret: string;
  /** Its owner alone may read it: one line, `ID.SECRET`. */
  readonly path: string;
}

/** What the first start made. Nobody can read the secrets anywhere else. */
export interface FirstCredentials {
  readonly admin: FirstCredential;
  /** May write the states of one project; null where there is a credential of that name already. */
  readonly writer: FirstCredential | null;
}

/** The house acting for itself, before anybody can. */
const HOUSE: Caller = {
  identity: { subject: 'house:first-start', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'house',
};

/**
 * Sees to it that somebody may manage the house: the admin that the configuration fixes, or, in a house that has none, a new
 * one. Its secret goes into a file of the house's own directory, and so does that of a writer, so that nobody needs to work as admin.
 * @throws {TypeError} when the fixed credential is not of the right form
 * @throws when the files cannot be written; no admin is made then
 */
export async function ensureAdmin(
  house: House,
  configuration: Pick<Configuration, 'adminCredential' | 'store' | 'directory'>,
): Promise<FirstCredentials | null> {
  const { credentials } = house;
  const { adminCredential: fixed } = configuration;
  if (fixed !== null) {
    const dot = fixed.indexOf('.');
    await credentials.ensureAdmin(HOUSE, fixed.slice(0, Math.max(dot, 0)), fixed.slice(dot + 1));
    return null;
  }
  if (await credentials.hasAdmin()) return null;
  const where = resolve(ownDirectory(configuration));
  const [adminFile, writerFile] = [ADMIN_FILE, WRITER_FILE].map((name) => join(where, name)) as [
    string,
    string,
  ];
  prove(adminFile);
  const grant: Grant = { role: 'admin', pattern: '*' };
  // An admin that has expired has its name still.
  const admin =
    (await make(house, 'admin', grant, adminFile)) ??
    (await make(house, `admin-${await house.now()}`, grant, adminFile));
  if (admin === null) throw new Error('the first admin could not be made: the name "admin" is taken');
  const writer = await make(
    house,
    FIRST_PROJECT,
    { role: 'writer', pattern: `${FIRST_PROJECT}/*` },
    writerFile,
  );
  return { admin, writer };
}

/** A secret that is told once must not be made before it is known that it can be kept. */
function prove(path: string): void {
  try {
    makePath(dirname(path), 0o777);
    writePrivateFile(path, '');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `the first admin credential cannot be written to ${path}: ${why}. Make the directory writable, or give a credential with --admin-credential-file or STATEHOUSE_ADMIN_CREDENTIAL`,
      { cause },
    );
  }
}

async function make(house: House, name: string, grant: Grant, path: string): Promise<FirstCredential | null> {
  const made = await house.credentials.create(HOUSE, { name, grants: [grant], expiresAt: null });
  if (made.type !== 'created') return null;
  const { id } = made.credential;
  writePrivateFile(path, `${id}.${made.secret}\n`);
  return { id, secret: made.secret, path };
}
