import { RowKeys } from '../engines/row-keys.ts';
import { Keyring, sealedKeyId } from '../keyring/keyring.ts';
import { ROW_KEY_CONTEXT, type RowKey } from '../ports/row-key.ts';
import type { Configuration } from './configuration.ts';
import { openStore } from './engines.ts';
import { findMasterKeys } from './master-key.ts';
import { rowKeyUnder } from './row-key.ts';
import { systemClock } from './runtime.ts';

type Kept = Pick<Configuration, 'store' | 'masterKeys' | 'masterKeyFile' | 'exposedSecrets'>;

/**
 * Gives all rows a new key, as one change that is made or not: whoever knew the former one can neither put a row there that is
 * believed nor open what is sealed with it. Each row is held against the former key before.
 * @throws {EngineFault} naming the first row that was changed; or when a server is running
 */
export async function changeRowKeyOffline(configuration: Kept): Promise<void> {
  const { store } = configuration;
  const keyring = new Keyring(findMasterKeys(configuration, false).keys);
  await changeIn(store, (sealed) => ({
    former: new RowKeys(keyring.open(sealed, ROW_KEY_CONTEXT)),
    key: rowKeyUnder(keyring, null, false),
  }));
  await noteChange(configuration, keyring);
}

async function changeIn(
  store: Configuration['store'],
  open: (sealed: Uint8Array) => { readonly former: RowKeys; readonly key: RowKey },
): Promise<void> {
  switch (store.kind) {
    case 'directory': {
      const { changeRowKey } = await import('../engines/sqlite/adoption.ts');
      return changeRowKey(store.path, open);
    }
    case 'postgres': {
      const { changeRowKey } = await import('../engines/postgres/adoption.ts');
      const { parsePostgresUrl } = await import('../engines/postgres/session/options.ts');
      return changeRowKey(parsePostgresUrl(store.url), sealedKeyId, open);
    }
    case 'memory':
      throw new TypeError('data in memory ends with its server');
  }
}

/** Under the new key, which shows at once that it is in use. */
async function noteChange({ store }: Pick<Kept, 'store'>, keyring: Keyring): Promise<void> {
  const { engine } = await openStore({ store }, systemClock, ({ sealed }) =>
    rowKeyUnder(keyring, sealed, false),
  );
  try {
    const note = {
      action: 'rotate-key',
      subject: 'house:owner',
      door: 'command-line',
      detail: { rows: true },
    };
    await engine.apply([{ type: 'audit', address: null, note }]);
  } finally {
    await engine[Symbol.asyncDispose]();
  }
}
