import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { wrongUse } from '../failure.ts';
import { flag, text, texts } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { FollowedRun } from '../server/followed-run.ts';
import { readAddress } from '../server/read-address.ts';

const EVERY_TIME = { environment: false } as const;

export const command: Command = defineCommand({
  description:
    'Has the server plan again what a run has applied last to a state, or apply it with --apply: no folder is needed. Ends with 0, with 1 where it failed and, with --detailed-exitcode, with 2 where a plan has changes.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' }],
  options: {
    ...CONNECTION_OPTIONS,
    apply: flag('apply it too, and ask in between', EVERY_TIME),
    autoApprove: flag('apply without a question', EVERY_TIME),
    destroy: flag('destroy everything', EVERY_TIME),
    refreshOnly: flag('only bring the state up to date with what is there', EVERY_TIME),
    noRefresh: flag('do not look at what is there', EVERY_TIME),
    target: texts('ADDRESS', 'only this resource, and what it needs', EVERY_TIME),
    replace: texts('ADDRESS', 'make this resource anew', EVERY_TIME),
    message: text('TEXT', 'why, for those who see the run', EVERY_TIME),
    programVersion: text('VERSION', 'in place of the version that it was applied with', EVERY_TIME),
    detailedExitcode: flag('end with 2 where the plan has changes', EVERY_TIME),
    noWait: flag('start the run, and print its ID', EVERY_TIME),
  },
  examples: [
    { line: 'statehouse run again app/net', says: 'what an apply would change today' },
    {
      line: 'statehouse run again app/net --apply --auto-approve',
      says: 'puts back what was changed by hand',
    },
  ],
  run: async ({ args: [given = ''], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(given));
    const { apply, autoApprove, noWait } = options;
    if (autoApprove && !apply) throw wrongUse('--auto-approve needs --apply');
    if (apply && !autoApprove && !noWait && !terminal.interactive)
      throw wrongUse(
        'the standard input is not a terminal, so the apply cannot be confirmed',
        'Pass --auto-approve, or --no-wait and confirm it later: statehouse run confirm.',
      );
    const house = new HouseClient(readConnection(options), stopped);
    const made = await house.ask('run-again', {
      query: { address },
      body: {
        apply,
        autoApply: autoApprove,
        destroy: options.destroy,
        refreshOnly: options.refreshOnly,
        noRefresh: options.noRefresh,
        targets: options.target,
        replaces: options.replace,
        message: options.message ?? '',
        version: options.programVersion,
      },
    });
    const run = new FollowedRun({ connection: readConnection(options), terminal, id: made.id, stopped });
    if (noWait) return run.end(made, options);
    terminal.note(`Run ${made.id} was made.`);
    return run.follow(options);
  },
});
