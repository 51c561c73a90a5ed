import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { flag } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { HAS_DRIFT, tellDrift } from '../server/drift.ts';
import { FollowedRun } from '../server/followed-run.ts';
import { readAddress } from '../server/read-address.ts';

export const command: Command = defineCommand({
  description:
    'Has the server look now whether what is there is as a state says, with what was applied last. Ends with 0 where it is, with 2 where it is not, and with 1 where that cannot be found out.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' }],
  options: {
    ...CONNECTION_OPTIONS,
    noWait: flag('start the check, and print its ID', { environment: false }),
  },
  examples: [{ line: 'statehouse drift check app/net', says: 'takes no lock, and changes nothing' }],
  run: async ({ args: [given = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const connection = readConnection(options);
    const house = new HouseClient(connection, stopped);
    const made = await house.ask('check-drift', { query: { address } });
    const check = new FollowedRun({ connection, terminal, id: made.id, stopped });
    if (options.noWait) {
      if (terminal.json) terminal.result({ run: made.id });
      else terminal.say(made.id);
      return DONE;
    }
    const run = await check.planned();
    if (run.status !== 'planned_and_finished') {
      throw new Failure(`the check is ${run.status}${run.problem === null ? '' : `: ${run.problem}`}`, {
        next: `statehouse run logs ${run.id} shows what it said.`,
      });
    }
    const detail = await house.ask('show-drift', { query: { address } });
    tellDrift(terminal, detail);
    return detail.drifted ? HAS_DRIFT : DONE;
  },
});
