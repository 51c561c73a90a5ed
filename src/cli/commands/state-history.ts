import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { historyOf } from '../folder/versions.ts';
import { wholeNumber } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Lists the old versions of the state, newest first, where the backend keeps them.',
  args: [],
  options: {
    ...TARGET_OPTIONS,
    limit: wholeNumber({ fallback: 20, from: 1, to: 10_000 }, 'N', 'show at most N', { environment: false }),
  },
  examples: [{ line: 'statehouse state history --limit 5', says: 'the newest five' }],
  run: (invocation) =>
    withTarget(invocation, 'reads', async ({ client, workspace }) => {
      const { options, terminal } = invocation;
      const versions = await historyOf(client).list(workspace, options.limit);
      if (terminal.json) {
        terminal.result(versions.map((version) => ({ ...version, at: version.at.toISOString() })));
        return DONE;
      }
      terminal.table(
        ['VERSION', 'WRITTEN', 'BYTES'],
        versions.map(({ id, at, size, deleted }) => [
          id,
          at.toISOString().replace('T', ' ').slice(0, 19),
          deleted ? 'deleted' : String(size ?? ''),
        ]),
      );
      return DONE;
    }),
});
