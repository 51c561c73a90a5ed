import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Alice and Bob apply to one state at once: what could be lost, and why it is not. Played live with the real terraform or tofu, in a house of its own that is gone afterwards.',
  args: [],
  options: {
    noTerraform: flag("play with Statehouse's own client, even if there is a terraform"),
  },
  examples: [
    { line: 'statehouse demo', says: 'takes some seconds and leaves nothing behind' },
    { line: 'statehouse demo --json', says: 'what was done and what was proven, for a program' },
  ],
  run: async ({ options, terminal, env, stopped }) => {
    const { play } = await import('../demo/play.ts');
    const told = await play({ terminal, env, stopped, noTerraform: options.noTerraform });
    if (terminal.json) terminal.result(told);
    return told.held ? DONE : FAILED;
  },
});
