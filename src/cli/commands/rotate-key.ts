import type { ReencryptionShape, RotationShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { dataConfiguration, KEY_OPTIONS } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { flag, text } from '../options.ts';
import { startProgress, type Progress } from '../progress.ts';

export const command: Command = defineCommand({
  description:
    'Changes the master key, and encrypts all data keys, secrets and lock infos again; states need not be written again. A running server stays available meanwhile. A server that keeps its master key in its data directory creates a new one. Where you give the master keys yourself, put the new one first and the former one after it, restart the server, and then run this command.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'the data directory of a server that is not running', { environment: false }),
    ...KEY_OPTIONS,
    reencrypt: flag(
      'encrypt the states again, too, as after a theft of the former key; it can be interrupted and run again',
      {
        environment: false,
      },
    ),
  },
  examples: [
    { line: 'statehouse rotate-key', says: 'of a running server' },
    { line: 'statehouse rotate-key --reencrypt', says: 'and encrypts every state again' },
    { line: 'statehouse rotate-key --data ./statehouse-data', says: 'of a server that is down' },
  ],
  run: async ({ options, terminal, stopped }) => {
    terminal.status('Sealing everything anew');
    const { reencrypt } = options;
    const shown: { bar: Progress | null } = { bar: null };
    let [states, damaged, total] = [0, 0, 0];
    const { keyId, newKey, sealedAnew } =
      options.data === undefined ? await askHouse() : await rotateInDirectory(options.data);
    shown.bar?.end();
    terminal.status('');
    if (damaged > 0)
      terminal.note(
        `${damaged} versions could not be opened and are as they were: see the log of the server.`,
      );
    if (terminal.json) {
      terminal.result({ keyId, newKey, sealedAnew, ...(reencrypt ? { states, damaged } : {}) });
      return damaged > 0 ? FAILED : DONE;
    }
    terminal.say(
      `All data is under master key ${keyId} now: ${sealedAnew} keys and secrets were encrypted again`,
    );
    if (reencrypt) terminal.say(`${states} versions of states were encrypted again`);
    if (newKey)
      terminal.note('Older backups need the former master key. Copy the new one to a safe place, too.');
    return damaged > 0 ? FAILED : DONE;

    function follow(step: Pick<ReencryptionShape, 'done' | 'damaged' | 'left'>): void {
      states += step.done;
      damaged += step.damaged;
      if (step.left !== null) total = states + damaged + step.left;
      shown.bar ??= startProgress(terminal, total, 'Encrypting states again');
      shown.bar.step(states + damaged, `${Math.max(0, total - states - damaged)} left`);
    }

    async function askHouse(): Promise<RotationShape> {
      const house = new HouseClient(readConnection(options), stopped);
      const rotated = await house.ask('rotate-key', { query: { reencrypt } });
      for (let after = reencrypt ? '' : null; after !== null;) {
        const step: ReencryptionShape = await house.ask('reencrypt', {
          query: after === '' ? {} : { after },
        });
        follow(step);
        ({ after } = step);
      }
      return rotated;
    }

    async function rotateInDirectory(data: string): Promise<RotationShape> {
      const { rotateOffline } = await import('../../server/rotate-offline.ts');
      try {
        return await rotateOffline(dataConfiguration(data, options), { reencrypt, progress: follow });
      } catch (fault) {
        throw keepingFailure(fault);
      }
    }
  },
});
