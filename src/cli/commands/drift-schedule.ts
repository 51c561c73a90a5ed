import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

const NEVER = 'never';

export const command: Command = defineCommand({
  description:
    'Shows or says when the server looks at a state for drift. Checks are spread: those of an interval over all of it, daily ones over ten minutes. A state that is locked or frozen, or has a run, is looked at later.',
  args: [
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' },
    {
      name: 'when',
      help: '"every 24h", of 1 to 720 hours, "daily at 03:00", in UTC, or never; without it, shows what is set',
      required: false,
      rest: true,
    },
  ],
  options: { ...CONNECTION_OPTIONS },
  examples: [
    { line: 'statehouse drift schedule app/net daily at 03:00', says: 'each night' },
    { line: 'statehouse drift schedule app/net never', says: 'ends that' },
  ],
  run: async ({ args: [given = '', ...words], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const house = new HouseClient(readConnection(options), stopped);
    const text = words.join(' ');
    const detail =
      text === ''
        ? await house.ask('show-drift', { query: { address } })
        : await house.ask('schedule-drift', {
            query: { address },
            body: { schedule: text === NEVER ? null : text },
          });
    const { schedule, dueAt } = detail;
    if (terminal.json) terminal.result({ schedule, dueAt });
    else terminal.say(schedule === null ? NEVER : `${schedule}, next at ${dueAt ?? ''}`);
    return DONE;
  },
});
