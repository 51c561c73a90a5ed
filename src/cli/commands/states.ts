import type { StateShape } from '../../api/shapes/state.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { freezeRow, FREEZE_COLUMNS } from '../server/freezes.ts';
import { formatAgo, formatSize } from '../figures.ts';
import { flag, text, wholeNumber } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Lists the states on a server that the credential may read.',
  args: [{ name: 'search', help: 'only addresses that contain this text', required: false }],
  options: {
    ...CONNECTION_OPTIONS,
    project: text('NAME', 'only this project', { environment: false }),
    prefix: text('KEY', 'only keys that begin with KEY', { environment: false }),
    deleted: flag('also list deleted states', { environment: false }),
    locked: flag('only states that are locked', { environment: false }),
    limit: wholeNumber({ fallback: 1_000, from: 1, to: 1_000_000 }, 'N', 'show at most N', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse states', says: 'all' },
    { line: 'statehouse states --project app --locked', says: 'what is locked in one project' },
  ],
  run: async ({ args: [search], options, terminal, stopped }) => {
    const { project, prefix, deleted, locked, limit } = options;
    const house = new HouseClient(readConnection(options), stopped);
    const query = { search, project, prefix, deleted, locked };
    const { items, more } = await house.list('list-states', query, limit);
    const { freezes } = await house.ask('list-freezes', {});
    if (terminal.json) {
      terminal.result({ states: items, more, freezes });
      return DONE;
    }
    const all =
      [search, project, prefix].every((text) => text === undefined || text === null) && !deleted && !locked;
    if (items.length === 0) terminal.note(all ? 'No states yet.' : 'No states match.');
    else terminal.table(['ADDRESS', 'SERIAL', 'VERSION', 'SIZE', 'WRITTEN', 'BY', 'LOCK'], items.map(rowOf));
    if (freezes.length > 0) terminal.table(FREEZE_COLUMNS, freezes.map(freezeRow));
    if (more) terminal.note(`There are more than ${limit}: --limit shows more.`);
    return DONE;
  },
});

function rowOf({ address, newest, deletedAt, lock }: StateShape): readonly string[] {
  const written =
    newest === null
      ? ['-', '-', '-', '-', '-']
      : [
          newest.serial,
          String(newest.version),
          formatSize(newest.size),
          deletedAt === null ? formatAgo(newest.at) : `deleted ${formatAgo(deletedAt)}`,
          newest.subject,
        ];
  return [address, ...written, lock === null ? '' : lockInWords(lock)];
}

function lockInWords({ subject, holders, waiting }: NonNullable<StateShape['lock']>): string {
  const more = holders > 1 ? ` and ${holders - 1} more` : '';
  return `${subject}${more}${waiting > 0 ? `, ${waiting} waiting` : ''}`;
}
