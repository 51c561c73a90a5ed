import { formatAddress } from '../../core/address.ts';
import { readAuditAction } from '../../core/audit-actions.ts';
import type { AuditShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { moment, localTime } from '../moment.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { followAudit } from '../server/follow-audit.ts';
import { readAddress } from '../server/read-address.ts';
import { accepted, flag, text, wholeNumber } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Reads the audit log of a server, newest first: every read, write, lock, broken lock and refusal, and who did it.',
  args: [
    {
      name: 'address',
      help: 'only what concerns PROJECT/KEY[@WORKSPACE]',
      required: false,
      completes: 'address',
    },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    action: text('NAME', 'only this action, such as write or unlock', {
      environment: false,
      completes: 'action',
    }),
    subject: text('NAME', 'only what this subject did, such as token:ci', { environment: false }),
    refused: flag('only what was refused', { environment: false }),
    since: moment('only what was done since then'),
    until: moment('only what was done before then'),
    follow: flag('show the newest ones, and go on with what is written, oldest first, until Ctrl-C', {
      short: 'f',
      environment: false,
    }),
    limit: wholeNumber({ fallback: 50, from: 1, to: 1_000_000 }, 'N', 'show at most N', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse audit app/net.tfstate', says: 'what was done to one state' },
    { line: 'statehouse audit --since 2h --refused', says: 'what was refused in the last two hours' },
    {
      line: 'statehouse audit --follow --refused --json',
      says: 'every refusal as it comes, a line of JSON each',
    },
    { line: 'statehouse audit --subject token:ci --limit 500 --json', says: 'what one credential did' },
  ],
  run: async ({ args: [place], options, terminal, stopped }) => {
    const address = place === undefined ? undefined : formatAddress(readAddress(place));
    const { action, subject, since, until, refused, limit } = options;
    if (action !== undefined) accepted(readAuditAction(action));
    const house = new HouseClient(readConnection(options), stopped);
    const query = { address, action, subject, since, until, refused };
    if (options.follow) {
      const { json } = terminal;
      for await (const record of followAudit(house, query, { newest: limit, terminal, stopped })) {
        if (json) await terminal.write(`${JSON.stringify(record)}\n`);
        else
          terminal.say(
            rowOf(record)
              .filter((text) => text !== '')
              .join('  '),
          );
      }
      return DONE;
    }
    const { items, more } = await house.list('list-audit', query, limit);
    if (terminal.json) {
      terminal.result({ records: items, more });
      return DONE;
    }
    if (items.length === 0) terminal.note('No records match.');
    else terminal.table(COLUMNS, items.map(rowOf));
    if (more) terminal.note(`There are more than ${limit}: --limit shows more.`);
    return DONE;
  },
});

const COLUMNS = ['WHEN', 'ACTION', 'RESULT', 'SUBJECT', 'FROM', 'DOOR', 'ADDRESS', 'DETAIL'];

function rowOf({ at, action, refused, subject, peer, door, address, detail }: AuditShape): readonly string[] {
  const facts = Object.entries(detail).map(([name, value]) => `${name}=${value}`);
  const result = refused === null ? 'done' : `refused: ${refused}`;
  return [localTime(at), action, result, subject, peer ?? '', door, address ?? '', facts.join(' ')];
}
