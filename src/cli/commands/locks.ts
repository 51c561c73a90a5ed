import type { LockShape } from '../../api/shapes/lock.ts';
import { defineCommand, type Command } from '../command.ts';
import { formatDuration } from '../../core/duration.ts';
import { operationInWords, ordinal } from '../../core/lock-words.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { freezeRow, FREEZE_COLUMNS } from '../server/freezes.ts';
import { watchEvents } from '../server/events.ts';
import { flag, text } from '../options.ts';
import type { Terminal } from '../terminal.ts';

/** More locks than anybody can look at. */
const LOCKS_MAX = 10_000;
/** Events of one moment are shown together. */
const GATHER_MS = 100;

export const command: Command = defineCommand({
  description: 'Shows who holds locks on a server, for how long, and who waits for them.',
  args: [{ name: 'search', help: 'only addresses that contain this text', required: false }],
  options: {
    ...CONNECTION_OPTIONS,
    project: text('NAME', 'only this project', { environment: false }),
    watch: flag('show it again whenever something changes', { environment: false }),
  },
  examples: [
    { line: 'statehouse locks', says: 'as they are now' },
    { line: 'statehouse locks --watch --json', says: 'a line of JSON for each change' },
  ],
  run: async ({ args: [search], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { project } = options;
    const look = async (): Promise<readonly LockShape[]> => {
      const { items } = await house.list('list-locks', { search, project }, LOCKS_MAX);
      return items;
    };
    if (!options.watch) {
      const locks = await look();
      const { freezes } = await house.ask('list-freezes', {});
      if (terminal.json) {
        terminal.result({ locks, freezes });
        return DONE;
      }
      show(terminal, locks);
      if (freezes.length > 0) terminal.table(FREEZE_COLUMNS, freezes.map(freezeRow));
      return DONE;
    }
    let shown = '';
    for await (const _change of watchEvents(house, { project }, { gatherMs: GATHER_MS, stopped })) {
      const locks = await look();
      // Ages grow all the time: what counts as a change is who holds and who waits.
      const text = JSON.stringify(locks.map(who));
      if (text === shown) continue;
      shown = text;
      if (terminal.json) terminal.say(JSON.stringify({ at: new Date().toISOString(), locks }));
      else showAnew(terminal, locks);
    }
    return DONE;
  },
});

function showAnew(terminal: Terminal, locks: readonly LockShape[]): void {
  terminal.say(terminal.colors.dim(`— ${new Date().toLocaleTimeString()}`));
  show(terminal, locks);
}

function show(terminal: Terminal, locks: readonly LockShape[]): void {
  if (locks.length === 0) {
    terminal.say('Nothing is locked.');
    return;
  }
  terminal.table(
    ['ADDRESS', 'PLACE', 'FOR', 'SUBJECT', 'WHO', 'OPERATION', 'DOOR', 'LOCK ID', 'REASON'],
    locks.flatMap(rowsOf),
  );
}

function rowsOf({
  address,
  usualHoldMs,
  holders,
  waiters,
  waiting,
}: LockShape): readonly (readonly string[])[] {
  const usual = usualHoldMs === null ? '' : ` (usually ${formatDuration(usualHoldMs)})`;
  return [
    ...holders.map(({ heldMs, unheard, ...rest }) => [
      unheard === true ? 'holds, not acknowledged' : 'holds',
      `${formatDuration(heldMs)}${usual}`,
      ...columns(rest),
    ]),
    ...waiters.map(({ position, parked, waitedMs, ...rest }) => [
      `${ordinal(position)} in line${parked ? '' : ', polling'}`,
      formatDuration(waitedMs),
      ...columns(rest),
    ]),
    ...(waiting > waiters.length ? [[`${waiting - waiters.length} more wait`]] : []),
  ].map((row, index) => [index === 0 ? address : '', ...row]);
}

function columns({
  subject,
  info,
  operation,
  shared,
  door,
  lockId,
  reason,
}: Pick<
  LockShape['holders'][number],
  'subject' | 'info' | 'operation' | 'shared' | 'door' | 'lockId' | 'reason'
>): readonly string[] {
  const what = operationInWords(operation);
  return [subject, info?.Who ?? '', shared ? `${what} (shared)` : what, door, lockId, reason];
}

function who({ address, holders, waiters }: LockShape): unknown {
  return [
    address,
    holders.map(({ lockId, unheard }) => [lockId, unheard === true]),
    waiters.map(({ lockId, position, parked }) => [lockId, position, parked]),
  ];
}
