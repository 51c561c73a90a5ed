import { DEFAULT_DATA } from '../../server/configuration.ts';
import { resolve } from 'node:path';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { text, textOr } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Makes a data directory out of a backup, after every page of it was checked. A directory that has a database already is left alone.',
  args: [{ name: 'file', help: 'what "statehouse backup" wrote', required: true }],
  options: {
    data: textOr(DEFAULT_DATA, 'DIR', 'the data directory to make'),
    masterKeyFile: text('FILE', "the house's master key: it is proven and put into the directory"),
  },
  examples: [
    {
      line: 'statehouse restore-backup house.db --data ./statehouse-data --master-key-file master.key',
      says: 'then "statehouse serve" goes on from there',
    },
  ],
  run: async ({ args: [file = ''], options, terminal }) => {
    const { data, masterKeyFile } = options;
    const { restoreHouse } = await import('../../server/restore-house.ts');
    try {
      const keyPath = await restoreHouse({ backup: file, directory: data, keyFile: masterKeyFile ?? null });
      if (terminal.json) terminal.result({ data: resolve(data), masterKey: keyPath });
      else terminal.say(`${resolve(data)} has everything that was in ${file}`);
      if (keyPath === null)
        terminal.note(
          `Put the master key of that house into ${resolve(data, 'master.key')}, or give it to serve.`,
        );
      return DONE;
    } catch (fault) {
      if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT')
        throw new Failure(fault.message, { cause: fault });
      throw keepingFailure(fault);
    }
  },
});
