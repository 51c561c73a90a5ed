import type { Credential } from '../../core/credential.ts';
import type { Command } from '../../ports/engine.ts';
import { changedElsewhere, digestOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { AuthenticatedTable, binary, type KeyIdOf } from './columns.ts';
import type { Row, Statement } from './connection.ts';
import { CREDENTIAL, HOUSE } from './rows.ts';
import { replaceAll } from './session/statements.ts';

/** The one row that stands for the house: for its credentials, and with the key of all rows beside it. */
export const HOUSE_ROW: AuthenticatedTable<{ readonly credentials: Uint8Array }> = new AuthenticatedTable(
  'list of credentials',
  { credentials: binary('credentials') },
);

/** Stands for these credentials. */
export function digestOfCredentials(keys: RowKeys, credentials: readonly Credential[]): Uint8Array {
  const byId = credentials.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return digestOf(byId.map((credential) => CREDENTIAL.macOf(keys, HOUSE, credential)));
}

/**
 * The credentials, as the row of the house stands for them.
 * @throws {EngineFault} where one was changed, added, taken away or put back by something else than this server
 */
export function credentialsFrom(
  keys: RowKeys,
  [house]: readonly Row[],
  rows: readonly Row[],
): readonly Credential[] {
  const credentials = CREDENTIAL.readAll(keys, HOUSE, rows);
  const expected = house === undefined ? null : HOUSE_ROW.read(keys, HOUSE, house).credentials;
  if (expected !== null && sameBytes(expected, digestOfCredentials(keys, credentials))) return credentials;
  throw changedElsewhere('list of credentials', HOUSE);
}

/** Statements that lock and read all credentials, where a command changes one. */
export function lockCredentials(schema: string, commands: readonly Command[]): Statement[] {
  const changes = commands.some(
    (command) =>
      command.type === 'put-credential' ||
      (command.type === 'reseal' && command.items.some(({ kind }) => kind === 'credential')),
  );
  if (!changes) return [];
  return [
    { text: `SELECT * FROM ${schema}.house FOR UPDATE` },
    { text: `SELECT * FROM ${schema}.credential` },
  ];
}

/** What a transaction makes of the credentials. */
export class CredentialChanges {
  readonly #keys: RowKeys;
  readonly #all: Map<string, Credential>;
  readonly #changed = new Set<string>();

  /** @param found what {@link lockCredentials} found */
  constructor(keys: RowKeys, found: readonly (readonly Row[])[]) {
    this.#keys = keys;
    const [house, rows = []] = found;
    const all = house === undefined ? [] : credentialsFrom(keys, house, rows);
    this.#all = new Map(all.map((credential) => [credential.id, credential]));
  }

  take(command: Command): void {
    if (command.type === 'put-credential') this.#put(command.credential);
    if (command.type !== 'reseal') return;
    for (const item of command.items) {
      const stored = item.kind === 'credential' ? this.#all.get(item.id) : undefined;
      if (stored !== undefined && item.kind === 'credential')
        this.#put({ ...stored, sealedSecret: item.sealed });
    }
  }

  statements(schema: string, keyIdOf: KeyIdOf): Statement[] {
    if (this.#changed.size === 0) return [];
    const changed = [...this.#changed].map((id) => this.#all.get(id) as Credential);
    const rows = changed.map((credential) => CREDENTIAL.row(this.#keys, HOUSE, credential, keyIdOf));
    const credentials = digestOfCredentials(this.#keys, [...this.#all.values()]);
    const house = HOUSE_ROW.row(this.#keys, HOUSE, { credentials });
    return [
      ...replaceAll(`${schema}.credential`, ['id'], rows),
      {
        text: `UPDATE ${schema}.house SET credentials = $1, mac = $2`,
        values: [house['credentials'], house['mac']],
      },
    ];
  }

  #put(credential: Credential): void {
    this.#all.set(credential.id, credential);
    this.#changed.add(credential.id);
  }
}
