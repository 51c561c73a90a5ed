import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { keepingFailure } from '../server/keeping-failure.ts';

export const command: Command = defineCommand({
  description:
    'Looks at every page of the database, and whether indexes and tables agree, while the server goes on. "statehouse audit verify" looks at what the rows say.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'look at this data directory; its server may be running or not', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse check', says: 'the database of a running server' },
    {
      line: 'statehouse check --data ./statehouse-data',
      says: 'on the machine itself, without a credential',
    },
  ],
  run: async ({ options, terminal, stopped }) => {
    const damage =
      options.data === undefined
        ? (await new HouseClient(readConnection(options), stopped).ask('check', {})).damage
        : await damageIn(options.data);
    if (terminal.json) terminal.result({ damage });
    else terminal.say(damage ?? 'Every page of the database is as it should be.');
    return damage === null ? DONE : FAILED;
  },
});

/** A damaged log counts only where no server has the directory: one that runs looked at it when it started. */
async function damageIn(directory: string): Promise<string | null> {
  const { checkPages, lostInLog } = await import('../../engines/sqlite/files/backup.ts');
  try {
    return lostInLog(directory) ?? checkPages(directory);
  } catch (fault) {
    throw keepingFailure(fault);
  }
}
