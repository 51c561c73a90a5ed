import { DEFAULT_DATA } from '../../server/settings.ts';
import { resolve } from 'node:path';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { KEY_OPTIONS } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { text, textOr } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Creates a data directory from a backup, and checks every page of the backup first. A directory that contains a database is not changed.',
  args: [{ name: 'file', help: 'a file that "statehouse backup" wrote', required: true }],
  options: {
    data: textOr(DEFAULT_DATA, 'DIR', 'the data directory to create'),
    masterKeyFile: text(
      'FILE',
      'the master key of the server: it is checked and copied into the data directory',
    ),
    exposedSecrets: KEY_OPTIONS.exposedSecrets,
  },
  examples: [
    {
      line: 'statehouse restore-backup statehouse.db --data ./statehouse-data --master-key-file master.key',
      says: 'then "statehouse serve" can run on it',
    },
  ],
  run: async ({ args: [file = ''], options, terminal }) => {
    const { data, masterKeyFile, exposedSecrets } = options;
    const { restoreHouse } = await import('../../server/restore-house.ts');
    try {
      const keyPath = await restoreHouse({
        backup: file,
        directory: data,
        keyFile: masterKeyFile ?? null,
        exposedSecrets,
      });
      if (terminal.json) terminal.result({ data: resolve(data), masterKey: keyPath });
      else terminal.say(`${resolve(data)} contains all data of ${file}`);
      if (keyPath === null)
        terminal.note(
          `Copy the master key of that server to ${resolve(data, 'master.key')}, or give it to "statehouse serve".`,
        );
      return DONE;
    } catch (fault) {
      if (fault instanceof Error && 'code' in fault && fault.code === 'ENOENT')
        throw new Failure(fault.message, { cause: fault });
      throw keepingFailure(fault);
    }
  },
});
