import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { flag } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { runLog } from '../server/runs.ts';

export const command: Command = defineCommand({
  description: 'Shows what the programs of a run have said: of its plan, or of its apply.',
  args: [{ name: 'run', help: 'its ID, as "statehouse run list" shows it', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    apply: flag('the log of the apply, in place of that of the plan', { environment: false }),
    follow: flag('go on until the log ends', { environment: false }),
  },
  examples: [{ line: 'statehouse run logs run-CZcmD7eagjhyX2vN --follow', says: 'its plan, as it is made' }],
  run: async ({ args: [run = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const phase = options.apply ? 'apply' : 'plan';
    const pieces: string[] = [];
    for await (const text of runLog(house, { run, phase }, { follow: options.follow, stopped })) {
      if (terminal.json) pieces.push(text);
      else for (const line of text.replace(/\n$/, '').split('\n')) terminal.say(line);
    }
    if (terminal.json) terminal.result({ run, phase, log: pieces.join('') });
    return DONE;
  },
});
