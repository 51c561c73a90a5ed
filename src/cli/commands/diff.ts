import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { diffSnapshots } from '../../core/snapshot/diff.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { presentState, snapshotOf } from '../folder/content.ts';
import { diffToJson, printDiff } from '../folder/diff-view.ts';
import { SHOW_SENSITIVE } from '../folder/sensitive.ts';
import { readVersionOf } from '../folder/versions.ts';
import { flag } from '../options.ts';
import { PLACE_BESIDE_FILES, PLACE_OPTIONS, withPlace, type OpenPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description:
    'Compares two states by resource instance and attribute. Each side is a version, "@WORKSPACE", or a file. The second side defaults to the present state.',
  args: [
    PLACE_BESIDE_FILES,
    {
      name: 'before',
      help: 'a number of the history, version:ID, @WORKSPACE or FILE (./12 where the name is a number)',
      required: true,
    },
    { name: 'after', help: 'the same', required: false },
  ],
  options: {
    ...PLACE_OPTIONS,
    ...SHOW_SENSITIVE,
    exitCode: flag('exit with 1 when they differ', { environment: false }),
  },
  examples: [
    { line: 'statehouse diff 1 2', says: 'two versions of the state of this folder' },
    { line: 'statehouse diff app/net.tfstate 41', says: 'what changed since version 41, on a server' },
    { line: 'statehouse diff before.tfstate', says: 'what changed since the copy was made' },
    { line: 'statehouse diff @staging @prod', says: 'two workspaces' },
    { line: 'statehouse diff version:3LgKlq', says: 'what changed since that version in a versioned bucket' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async (target) => {
      const { args, options, terminal, cwd } = invocation;
      const [, first = '', second] = args;
      const [before, after] = await Promise.all([
        readSide(first, target, cwd),
        readSide(second, target, cwd),
      ]);
      const diff = diffSnapshots(
        await snapshotOf(before, first),
        await snapshotOf(after, second ?? 'the state'),
      );
      if (terminal.json) terminal.result(diffToJson(diff, options.showSensitive));
      else printDiff(terminal, diff, options.showSensitive);
      return options.exitCode && !diff.same ? FAILED : DONE;
    }),
});

async function readSide(side: string | undefined, target: OpenPlace, cwd: string): Promise<Uint8Array> {
  const { client, workspace } = target;
  if (side === undefined || side.startsWith('@')) {
    const name = side === undefined ? workspace : side.slice(1);
    return presentState(await client.read(name), client.locate(name));
  }
  if (/^\d+$/.test(side)) return readVersionOf(client, workspace, side);
  if (side.startsWith('version:')) return readVersionOf(client, workspace, side.slice('version:'.length));
  return readFile(resolve(cwd, side)).catch((fault: NodeJS.ErrnoException) => {
    throw new Failure(`${side} cannot be read: ${fault.code ?? fault.message}`, { cause: fault });
  });
}
