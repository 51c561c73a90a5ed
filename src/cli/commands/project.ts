import { RETENTION_LIMITS, type RetentionLimit } from '../../core/retention.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { flagName, text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';

export const command: Command = defineCommand({
  description: 'Shows what is set for a project, or sets whether new states in it must be announced.',
  args: [
    { name: 'project', help: 'its name: what stands before the first "/" of an address', required: true },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    announceFirst: text(
      'on|off',
      'refuse the first write of a state by an apply, unless "statehouse state new" announced it',
      { environment: false },
    ),
  },
  examples: [
    { line: 'statehouse project app', says: 'what holds for it' },
    {
      line: 'statehouse project app --announce-first on',
      says: 'while states are moved here: an apply that comes too early creates nothing twice',
    },
  ],
  run: async ({ args: [project = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const path = { project };
    const shown =
      options.announceFirst === undefined
        ? await house.ask('show-project', { path })
        : await house.ask('set-project', {
            path,
            body: { announceFirst: readSwitch(options.announceFirst) },
          });
    if (terminal.json) {
      terminal.result(shown);
      return DONE;
    }
    const { announceFirst, effective, set } = shown;
    const limits = Object.keys(RETENTION_LIMITS) as RetentionLimit[];
    terminal.table(
      ['SETTING', 'VALUE', 'SET BY'],
      [
        ['announce-first', announceFirst ? 'on' : 'off', announceFirst ? 'project' : 'default'],
        ...limits.map((limit) => [
          flagName(limit).slice(2),
          effective[limit] === null ? 'no limit' : String(effective[limit]),
          set[limit] === null ? 'server' : 'project',
        ]),
      ],
    );
    return DONE;
  },
});

function readSwitch(given: string): boolean {
  if (given === 'on') return true;
  if (given === 'off') return false;
  throw wrongUse(`--announce-first: invalid value "${given}": expected on or off`);
}
