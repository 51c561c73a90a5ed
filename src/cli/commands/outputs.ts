import { masked, printMasked, revealed } from '../../core/snapshot/masked.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { presentState, snapshotOf } from '../folder/content.ts';
import { SHOW_SENSITIVE } from '../folder/sensitive.ts';
import { flag } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description: 'Shows the outputs of the root module, or one of them.',
  args: [PLACE, { name: 'name', help: 'only this output', required: false }],
  options: {
    ...PLACE_OPTIONS,
    ...SHOW_SENSITIVE,
    raw: flag('print the text alone, for scripts', { environment: false }),
  },
  examples: [
    { line: 'statehouse outputs', says: 'all, secrets masked' },
    { line: 'curl "$(statehouse outputs --raw url)"', says: 'one, in a script' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async ({ client, workspace, name: where }) => {
      const { args, options, terminal } = invocation;
      const { outputs } = await snapshotOf(presentState(await client.read(workspace), where), where);
      const [, name] = args;
      const chosen = outputs.filter((output) => name === undefined || output.name === name);
      if (name !== undefined && chosen.length === 0) {
        throw new Failure(`there is no output "${name}"`, {
          next: '"statehouse outputs" lists all outputs.',
        });
      }
      const reveal = options.showSensitive;
      if (options.raw) {
        const [only] = chosen;
        if (name === undefined || only === undefined) throw wrongUse('--raw needs the name of one output');
        if (only.sensitive && !reveal) throw wrongUse(`"${name}" is sensitive`, 'Add --show-sensitive.');
        const value = revealed(only.content);
        if (typeof value === 'object' && value !== null && !('isLosslessNumber' in value)) {
          throw wrongUse(`"${name}" is not a text or a number`, 'Use --json.');
        }
        await terminal.write(value === null ? '' : String(value));
        return DONE;
      }
      if (terminal.json) {
        const shown = chosen.map(({ name: key, content, valueType, sensitive }) => [
          key,
          { value: reveal ? revealed(content) : masked(content), type: valueType, sensitive },
        ]);
        terminal.result(Object.fromEntries(shown));
        return DONE;
      }
      for (const output of chosen) {
        const [first, ...more] = printMasked(output.content, reveal, true).split('\n');
        terminal.say([`${output.name} = ${first}`, ...more]);
      }
      return DONE;
    }),
});
