import type { Address } from '../core/address.ts';
import type { Version } from '../core/world.ts';
import { StateBodyReader, type StateBytes } from '../house/states/body-reader.ts';
import { Keyring, sealedKeyId } from '../keyring/keyring.ts';
import type { Engine } from '../ports/engine.ts';
import type { OpenRowKey } from '../ports/row-key.ts';
import type { Configuration, Store } from './configuration.ts';
import { findMasterKeys } from './master-key.ts';
import { rowKeyUnder } from './row-key.ts';

/** A version that was found where everything is kept, and its bytes in the clear. */
export interface OfflineStore {
  readonly version: Version;
  readonly bytes: StateBytes;
}

type Archive = Pick<Engine, 'version' | 'versions' | 'body'>;

/**
 * Gives one version of a state from where everything is kept, without a house. Nothing of that is changed, and a house may
 * be running meanwhile.
 * @param number null for the newest version, that of a deleted state too
 * @param use is given what was found, null when there is no such version; everything is closed once it is done
 */
export async function readKept<T>(
  configuration: Pick<Configuration, 'store' | 'bodies' | 'masterKeys' | 'masterKeyFile' | 'exposedSecrets'>,
  address: Address,
  number: number | null,
  use: (kept: OfflineStore | null) => Promise<T>,
): Promise<T> {
  let keyring: Keyring | undefined;
  const sealer = (): Keyring => (keyring ??= new Keyring(findMasterKeys(configuration, false).keys));
  const { archive, close } = await openArchive(configuration.store, ({ sealed }) =>
    rowKeyUnder(sealer(), sealed, false),
  );
  try {
    const [newest = null] = number === null ? await archive.versions(address, { limit: 1 }) : [];
    const version = number === null ? newest : await archive.version(address, number);
    if (version === null) return await use(null);
    const bodyReader = new StateBodyReader(await withBodies(archive, configuration.bodies), sealer());
    const bytes = await bodyReader.open(version);
    return await use(bytes === null ? null : { version, bytes });
  } finally {
    await close();
  }
}

async function withBodies(archive: Archive, bodies: Configuration['bodies']): Promise<Pick<Archive, 'body'>> {
  if (bodies === null) return archive;
  const { openBodyStore } = await import('./bodies/open.ts');
  const { bodyReading } = await import('../house/bodies/outside.ts');
  return { body: bodyReading(archive, await openBodyStore(bodies.place, process.env)) };
}

async function openArchive(
  store: Store,
  openRowKey: OpenRowKey,
): Promise<{ archive: Archive; close: () => Promise<void> }> {
  switch (store.kind) {
    case 'directory': {
      const { SqliteArchive } = await import('../engines/sqlite/files/archive.ts');
      const archive = SqliteArchive.open(store.path, openRowKey);
      return { archive, close: async () => archive[Symbol.dispose]() };
    }
    case 'postgres': {
      const { PostgresEngine } = await import('../engines/postgres/engine.ts');
      const { parsePostgresUrl } = await import('../engines/postgres/session/options.ts');
      const archive = await PostgresEngine.open(parsePostgresUrl(store.url), {
        keyIdOf: sealedKeyId,
        openRowKey,
      });
      return { archive, close: () => archive[Symbol.asyncDispose]() };
    }
    case 'memory':
      throw new TypeError('data in memory ends with its server');
  }
}
