import type { Credential } from '../../core/credential.ts';
import type { Command } from '../../ports/engine.ts';
import { changedElsewhere, digestOf, sameBytes, type RowKeys } from '../row-keys.ts';
import type { AuditChain } from './audit-chain.ts';
import { AuthenticatedTable, binary, type KeyIdOf } from './columns.ts';
import type { Row, Statement } from './connection.ts';
import { CREDENTIAL, HOUSE } from './rows.ts';
import { replaceAll } from './session/statements.ts';

/** The one row that stands for the house: for its credentials, and with the key of all rows beside it. */
interface StoredHouse {
  /** The digest of the rows of all credentials. */
  readonly credentials: Uint8Array;
  /** The digest of the names of all chains of the audit log. */
  readonly chains: Uint8Array;
}

export const HOUSE_ROW: AuthenticatedTable<StoredHouse> = new AuthenticatedTable('list of credentials', {
  credentials: binary('credentials'),
  chains: binary('chains'),
});

/** Stands for these chains of the audit log. */
export function digestOfChains(chains: readonly string[]): Uint8Array {
  return digestOf(chains.toSorted().map((chain) => Buffer.from(`${chain}\n`)));
}

/** @throws {EngineFault} unless these are all chains of the audit log that there ever were */
export function verifyChains(keys: RowKeys, [house]: readonly Row[], chains: readonly string[]): void {
  const expected = house === undefined ? null : HOUSE_ROW.read(keys, HOUSE, house).chains;
  if (expected === null || !sameBytes(expected, digestOfChains(chains)))
    throw changedElsewhere('list of chains of the audit log', HOUSE);
}

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

/**
 * Statements that lock the row of the house and read what it stands for, where a command changes a credential or the
 * transaction has a new chain of the audit log.
 */
export function lockHouse(schema: string, commands: readonly Command[], chain: AuditChain): Statement[] {
  const changes = commands.some(
    (command) =>
      command.type === 'put-credential' ||
      command.type === 'change-credential' ||
      command.type === 'drop-credentials' ||
      (command.type === 'reseal' && command.items.some(({ kind }) => kind === 'credential')),
  );
  if (!changes && !chain.isNew) return [];
  return [
    { text: `SELECT * FROM ${schema}.house FOR UPDATE` },
    { text: `SELECT * FROM ${schema}.credential` },
    { text: `SELECT chain FROM ${schema}.audit_head` },
  ];
}

/** What a transaction makes of what the row of the house stands for. */
export class HouseChanges {
  readonly #keys: RowKeys;
  readonly #credentials: Map<string, Credential>;
  readonly #chains: Set<string>;
  readonly #changed = new Set<string>();
  readonly #dropped = new Set<string>();
  #isChanged = false;

  /** @param found what {@link lockHouse} found */
  constructor(keys: RowKeys, found: readonly (readonly Row[])[]) {
    this.#keys = keys;
    const [house, rows = [], chains = []] = found;
    const all = house === undefined ? [] : credentialsFrom(keys, house, rows);
    this.#credentials = new Map(all.map((credential) => [credential.id, credential]));
    this.#chains = new Set(chains.map((row) => row['chain'] as string));
    if (house !== undefined) verifyChains(keys, house, [...this.#chains]);
  }

  /** @returns false where there is no credential that could be changed so */
  take(command: Command): boolean {
    if (command.type === 'put-credential') this.#put(command.credential);
    if (command.type === 'drop-credentials') this.#drop(command);
    if (command.type === 'change-credential') {
      const stored = this.#credentials.get(command.id);
      if (stored === undefined || stored.revokedAt !== null) return false;
      this.#put({ ...stored, ...command.change });
    }
    if (command.type !== 'reseal') return true;
    for (const item of command.items) {
      const stored = item.kind === 'credential' ? this.#credentials.get(item.id) : undefined;
      if (stored !== undefined && item.kind === 'credential')
        this.#put({ ...stored, sealedSecret: item.sealed });
    }
    return true;
  }

  /** The log goes on in this chain. */
  addChain({ id, isNew }: AuditChain): void {
    if (!isNew) return;
    this.#chains.add(id);
    this.#isChanged = true;
  }

  statements(schema: string, keyIdOf: KeyIdOf): Statement[] {
    if (!this.#isChanged) return [];
    const changed = [...this.#changed].map((id) => this.#credentials.get(id) as Credential);
    const rows = changed.map((credential) => CREDENTIAL.row(this.#keys, HOUSE, credential, keyIdOf));
    const house = HOUSE_ROW.row(this.#keys, HOUSE, {
      credentials: digestOfCredentials(this.#keys, [...this.#credentials.values()]),
      chains: digestOfChains([...this.#chains]),
    });
    return [
      { text: `DELETE FROM ${schema}.credential WHERE id = ANY($1)`, values: [[...this.#dropped]] },
      ...replaceAll(`${schema}.credential`, ['id'], rows),
      {
        text: `UPDATE ${schema}.house SET credentials = $1, chains = $2, mac = $3`,
        values: [house['credentials'], house['chains'], house['mac']],
      },
    ];
  }

  #drop({ revokedBefore, expiredBefore }: Extract<Command, { type: 'drop-credentials' }>): void {
    for (const { id, revokedAt, expiresAt } of this.#credentials.values()) {
      const isDead =
        (revokedAt !== null && revokedAt < revokedBefore) ||
        (expiresAt !== null && expiresAt < expiredBefore);
      if (!isDead) continue;
      this.#credentials.delete(id);
      this.#changed.delete(id);
      this.#dropped.add(id);
      this.#isChanged = true;
    }
  }

  #put(credential: Credential): void {
    this.#dropped.delete(credential.id);
    this.#credentials.set(credential.id, credential);
    this.#changed.add(credential.id);
    this.#isChanged = true;
  }
}
