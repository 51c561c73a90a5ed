import { existsSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import type { Transferred } from '../../house/transfer.ts';
import type { Keyring } from '../../keyring/keyring.ts';
import type { Engine } from '../../ports/engine.ts';
import { type Store } from '../../server/configuration.ts';
import { hasPassword } from '../../server/settings.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { KEY_OPTIONS } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { text } from '../options.ts';
import { secretOf } from '../server/secret-option.ts';
import type { Terminal } from '../terminal.ts';

const URL_OPTION = {
  environment: false,
  isSecret: (place: string): boolean => isDatabase(place) && hasPassword(place),
} as const;

export const command: Command = defineCommand({
  description:
    'Moves all data from one engine to another: states and versions, locks, credentials and the audit log, compared byte for byte. The server must be stopped. After an interruption, run it again: it continues where it stopped.',
  args: [],
  options: {
    from: text('DIR|URL', 'the present data directory or database', URL_OPTION),
    fromFile: text('FILE', 'read it from this file, so that no password stands on the command line', {
      environment: false,
    }),
    to: text('DIR|URL', 'the new data directory or database, which must be empty', URL_OPTION),
    toFile: text('FILE', 'read it from this file, so that no password stands on the command line', {
      environment: false,
    }),
    ...KEY_OPTIONS,
  },
  examples: [
    {
      line: 'statehouse migrate-engine --from ./statehouse-data --to postgres://statehouse@db/statehouse',
      says: 'from one machine to many nodes',
    },
    {
      line: 'statehouse migrate-engine --from postgres://statehouse@db/statehouse --to ./statehouse-data',
      says: 'and back',
    },
  ],
  run: async ({ options, terminal }) => {
    const from = storeOf('--from', secretOf('from', { text: options.from, file: options.fromFile }, options));
    const to = storeOf('--to', secretOf('to', { text: options.to, file: options.toFile }, options));
    if (from.kind === 'directory' && !existsSync(from.path)) {
      throw new Failure(`there is no data of a server in ${from.path}`);
    }
    const directory = [from, to].find(({ kind }) => kind === 'directory');
    const keyring = await keyringOf(options, directory ?? from);
    const moved = await move(from, to, keyring, terminal);
    terminal.status('');
    if (terminal.json) {
      terminal.result(moved);
      return DONE;
    }
    const { states, versions, locks, credentials, auditRecords } = moved;
    terminal.say(
      `Moved and compared: ${states} states with ${versions} versions, ${locks} locks, ${credentials} credentials, ` +
        `${auditRecords} lines of the audit log.`,
    );
    terminal.say(keyAdvice(from, to));
    return DONE;
  },
});

/** The master keys, which the directory has in it unless they are given. @throws {Failure} without them */
async function keyringOf(
  given: {
    readonly masterKey: string | undefined;
    readonly masterKeyFile: string | undefined;
    readonly exposedSecrets: boolean;
  },
  store: Store,
): Promise<Keyring> {
  const { findMasterKeys } = await import('../../server/master-key.ts');
  const { Keyring: KeyringClass } = await import('../../keyring/keyring.ts');
  try {
    const { exposedSecrets } = given;
    const masterKeys = given.masterKey ?? null;
    const masterKeyFile = given.masterKeyFile ?? null;
    return new KeyringClass(findMasterKeys({ masterKeys, masterKeyFile, store, exposedSecrets }, false).keys);
  } catch (fault) {
    throw keepingFailure(fault);
  }
}

async function move(from: Store, to: Store, keyring: Keyring, terminal: Terminal): Promise<Transferred> {
  const { transfer } = await import('../../house/transfer.ts');
  const source = await openClosedHouse('--from', from, keyring);
  try {
    const target = await openClosedHouse('--to', to, keyring);
    try {
      return await transfer(source, target, (stage, done, total) => {
        terminal.status(`${stage}: ${done} of ${total}`);
      });
    } finally {
      await target[Symbol.asyncDispose]();
    }
  } catch (cause) {
    throw new Failure(cause instanceof Error ? cause.message : String(cause), { cause });
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

/** Opens an engine that no house is open on: what is copied must not change meanwhile. */
async function openClosedHouse(option: string, store: Store, keyring: Keyring): Promise<Engine> {
  const { rowKeyUnder } = await import('../../server/row-key.ts');
  const { openStore } = await import('../../server/engines.ts');
  const { systemClock } = await import('../../server/runtime.ts');
  const { engine } = await openStore({ store }, systemClock, ({ sealed }) =>
    rowKeyUnder(keyring, sealed, false),
  ).catch((cause: unknown) => {
    throw new Failure(`${option}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const me = randomUUID();
  const others = (await engine.beat(me)).filter((node) => node !== me);
  if (others.length === 0) return engine;
  await engine[Symbol.asyncDispose]();
  throw new Failure(`${option}: ${others.length} nodes of a server are running there`, {
    next: 'Stop them all, wait ten seconds, and try again.',
  });
}

function storeOf(option: string, place: string | undefined): Store {
  if (place === undefined) throw wrongUse(`${option} is missing`, 'Give a data directory or postgres://…');
  return isDatabase(place) ? { kind: 'postgres', url: place } : { kind: 'directory', path: place };
}

function isDatabase(place: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(place);
}

/** Everything stays sealed under the same master key, which is not moved. */
function keyAdvice(from: Store, to: Store): string {
  if (from.kind === 'directory' && to.kind === 'postgres') {
    return `Its master key is still ${from.path}/master.key: give its content to every node, in STATEHOUSE_MASTER_KEY or with --master-key-file.`;
  }
  if (from.kind === 'postgres' && to.kind === 'directory') {
    return `Give it the master key that the nodes had, in STATEHOUSE_MASTER_KEY or as ${to.path}/master.key.`;
  }
  return 'Give it the master key that it had.';
}
