import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { wholeNumber } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';
import { VERSION_COLUMNS, listVersions, versionRow } from '../place/versions.ts';

export const command: Command = defineCommand({
  description:
    'Lists the versions of a state, newest first, where its backend keeps them: a server, also for a deleted state, a versioned bucket of S3 or Google, or the .backup beside a local state.',
  args: [PLACE],
  options: {
    ...PLACE_OPTIONS,
    limit: wholeNumber({ fallback: 20, from: 1, to: 1_000_000 }, 'N', 'show at most N', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse history', says: 'the newest twenty, of the state of this folder' },
    { line: 'statehouse history app/net.tfstate', says: 'of a state on a server' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async (place) => {
      const { options, terminal } = invocation;
      const { versions, more } = await listVersions(place, options.limit);
      if (versions.length === 0) {
        throw new Failure(`there is no state at ${place.name}`, {
          next: place.folder === null ? '"statehouse states" lists all states.' : '',
          details: { reason: 'absent' },
        });
      }
      if (terminal.json) {
        terminal.result({ place: place.name, workspace: place.workspace, versions, more });
        return DONE;
      }
      terminal.table(VERSION_COLUMNS, versions.map(versionRow));
      if (more) terminal.note(`There are more than ${options.limit}: --limit shows more.`);
      return DONE;
    }),
});
