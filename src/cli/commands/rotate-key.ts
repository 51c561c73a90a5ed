import type { RotationShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../house/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../house/connection.ts';
import { dataConfiguration, KEY_OPTIONS } from '../house/data-options.ts';
import { keepingFailure } from '../house/keeping-failure.ts';
import { text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Changes the master key, and seals all data keys, secrets and lock infos anew; states themselves need not be written again. A running house stays open meanwhile. A house that keeps its key in its data directory makes a new one; where you give the keys yourself, put the new one first and the former one after it, start the house so, and then run this.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'of a house that is not running', { environment: false }),
    ...KEY_OPTIONS,
  },
  examples: [
    { line: 'statehouse rotate-key', says: 'in a running house' },
    { line: 'statehouse rotate-key --data ./statehouse-data', says: 'in one that is down' },
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
    terminal.say(`Everything is sealed under key ${keyId} now: ${sealedAnew} things were sealed anew`);
    if (newKey)
      terminal.note('Backups made before need the former key; copy the new one to a safe place, too.');
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
