import { readDuration } from '../../core/duration.ts';
import { isProblem } from '../../core/read-value.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { freezeRow, FREEZE_COLUMNS } from '../server/freezes.ts';

export const command: Command = defineCommand({
  description:
    'Refuses applies on all states that a pattern covers, with the reason, until a moment; plans go on, and so does a run that holds the lock. Without a pattern, lists what is frozen.',
  args: [{ name: 'pattern', help: 'PROJECT/KEY[@WORKSPACE], where * is any text', required: false }],
  options: {
    ...CONNECTION_OPTIONS,
    until: text('TIME', 'end the freeze after TIME (2h, 3d) or at a moment (2026-12-24T18:00:00Z)', {
      environment: false,
    }),
    reason: text('TEXT', 'what those who are refused are told', { environment: false }),
  },
  examples: [
    { line: "statehouse freeze 'app/*@prod' --until 3d --reason 'release week'", says: 'no apply in prod' },
    { line: 'statehouse freeze', says: 'lists what is frozen' },
  ],
  run: async ({ args: [pattern], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { until, reason } = options;
    if (pattern === undefined) {
      if (until !== undefined || reason !== undefined) throw wrongUse('the pattern is missing');
      const { freezes } = await house.ask('list-freezes', {});
      if (terminal.json) terminal.result({ freezes });
      else if (freezes.length === 0) terminal.say('Nothing is frozen.');
      else terminal.table(FREEZE_COLUMNS, freezes.map(freezeRow));
      return DONE;
    }
    if (until === undefined || reason === undefined)
      throw wrongUse(`--${until === undefined ? 'until' : 'reason'} is missing: a freeze needs both`);
    const freeze = await house.ask('freeze', { body: { pattern, reason, until: readUntil(until) } });
    if (terminal.json) terminal.result(freeze);
    else terminal.say(`${pattern} is frozen until ${freeze.until}: ${reason}`);
    return DONE;
  },
});

function readUntil(given: string): string {
  const duration = readDuration(given);
  if (!isProblem(duration)) return new Date(Date.now() + duration).toISOString();
  const moment = Date.parse(given);
  if (!Number.isNaN(moment)) return new Date(moment).toISOString();
  throw wrongUse(`--until: invalid time "${given}"`, 'Expected for example 2h, 3d or 2026-12-24T18:00:00Z.');
}
