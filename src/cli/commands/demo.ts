import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Shows what could be lost when Alice and Bob apply to one state at the same time, and why nothing is lost. Runs the real terraform or tofu on a temporary server of its own.',
  args: [],
  options: {
    noTerraform: flag("use Statehouse's own client, even if terraform is installed"),
  },
  examples: [
    { line: 'statehouse demo', says: 'takes some seconds and removes what it created' },
    { line: 'statehouse demo --json', says: 'the steps and the results, for a program' },
  ],
  run: async ({ options, terminal, env, stopped }) => {
    const { play } = await import('../demo/play.ts');
    const told = await play({ terminal, env, stopped, noTerraform: options.noTerraform });
    if (terminal.json) terminal.result(told);
    return told.held ? DONE : FAILED;
  },
});
