import type { RotationShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { dataConfiguration, KEY_OPTIONS } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Changes the master key, and encrypts all data keys, secrets and lock infos again; states need not be written again. A running server stays available meanwhile. A server that keeps its master key in its data directory creates a new one. Where you give the master keys yourself, put the new one first and the former one after it, restart the server, and then run this command.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'the data directory of a server that is not running', { environment: false }),
    ...KEY_OPTIONS,
  },
  examples: [
    { line: 'statehouse rotate-key', says: 'of a running server' },
    { line: 'statehouse rotate-key --data ./statehouse-data', says: 'of a server that is down' },
  ],
  run: async ({ options, terminal, stopped }) => {
    terminal.status('Sealing everything anew');
    const { keyId, newKey, sealedAnew } =
      options.data === undefined ? await askHouse() : await rotateInDirectory(options.data);
    terminal.status('');
    if (terminal.json) {
      terminal.result({ keyId, newKey, sealedAnew });
      return DONE;
    }
    terminal.say(
      `All data is under master key ${keyId} now: ${sealedAnew} keys and secrets were encrypted again`,
    );
    if (newKey)
      terminal.note('Older backups need the former master key. Copy the new one to a safe place, too.');
    return DONE;

    function askHouse(): Promise<RotationShape> {
      const house = new HouseClient(readConnection(options), stopped);
      return house.ask('rotate-key', {});
    }

    async function rotateInDirectory(data: string): Promise<RotationShape> {
      const { rotateOffline } = await import('../../server/rotate-offline.ts');
      try {
        return await rotateOffline(dataConfiguration(data, options));
      } catch (fault) {
        throw keepingFailure(fault);
      }
    }
  },
});
