import { verifyCredentials } from '../house/credential-records.ts';
import { verifyRows, type VerifiedRows } from '../house/integrity.ts';
import { Keyring, sealedKeyId } from '../keyring/keyring.ts';
import type { OpenRowKey } from '../ports/row-key.ts';
import type { WholeLog } from '../ports/engine.ts';
import type { Configuration } from './configuration.ts';
import { findMasterKeys } from './master-key.ts';
import { rowKeyUnder } from './row-key.ts';

/** What was looked at, and where the audit log ends. */
export interface VerifiedHouse extends VerifiedRows {
  readonly auditRecords: number;
  /** Stands for the whole log up to now. Given again later, it shows whether the log still goes on from here. */
  readonly auditHead: string;
  /** Records of the audit log that were forgotten, because they were older than is kept. */
  readonly auditPruned: number;
  /** The former heads that are among those, so that nothing can be said of them. */
  readonly prunedHeads: readonly string[];
}

/**
 * Reads all that is kept, and looks whether a server with this master key wrote it: every row, and the whole audit log. A
 * server may be running meanwhile.
 * @param heads where the audit log ended at former times
 * @throws {EngineFault} naming the first thing that was changed, added or taken away
 */
export async function verifyKept(
  configuration: Pick<Configuration, 'store' | 'masterKeys' | 'masterKeyFile' | 'exposedSecrets'>,
  heads: readonly string[],
): Promise<VerifiedHouse> {
  const { store } = configuration;
  const openRowKey: OpenRowKey = ({ sealed }) =>
    rowKeyUnder(new Keyring(findMasterKeys(configuration, false).keys), sealed, false);
  switch (store.kind) {
    case 'directory': {
      const { SqliteArchive } = await import('../engines/sqlite/files/archive.ts');
      const archive = SqliteArchive.open(store.path, openRowKey);
      try {
        const log = archive.verifyLog(heads);
        const rows = await verifyRows(archive);
        await verifyCredentials(archive);
        return { ...rows, ...namedIn(log) };
      } finally {
        archive[Symbol.dispose]();
      }
    }
    case 'postgres': {
      const { PostgresEngine } = await import('../engines/postgres/engine.ts');
      const { parsePostgresUrl } = await import('../engines/postgres/session/options.ts');
      const place = parsePostgresUrl(store.url);
      await using engine = await PostgresEngine.open(place, { keyIdOf: sealedKeyId, openRowKey });
      const log = await engine.verifyLog(heads);
      const rows = await verifyRows(engine);
      await verifyCredentials(engine);
      return { ...rows, ...namedIn(log) };
    }
    case 'memory':
      throw new TypeError('data in memory ends with its server');
  }
}

function namedIn({ records, head, pruned, prunedHeads }: WholeLog): Omit<VerifiedHouse, keyof VerifiedRows> {
  return { auditRecords: records, auditHead: head, auditPruned: pruned, prunedHeads };
}
