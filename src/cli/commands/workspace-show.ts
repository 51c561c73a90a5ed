import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';

export const command: Command = defineCommand({
  description: 'Prints the name of the selected workspace.',
  args: [],
  options: { ...TARGET_OPTIONS },
  examples: [{ line: 'statehouse workspace show', says: 'prints "default" when none was selected' }],
  run: (invocation) =>
    withTarget(invocation, 'reads', ({ workspace }) => {
      const { terminal } = invocation;
      if (terminal.json) terminal.result({ selected: workspace });
      else terminal.say(workspace);
      return Promise.resolve(DONE);
    }),
});
