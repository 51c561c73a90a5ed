import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { SHELLS, completeWords, completionScript } from '../completion.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';

export const command: Command = defineCommand({
  description:
    'Prints a script that completes commands, options, addresses, workspaces, backends and roles in your shell. Addresses come from the server that the environment names.',
  args: [
    { name: 'shell', help: SHELLS.join(', '), required: true },
    {
      name: 'words',
      help: 'the words typed so far, as the scripts give them',
      required: false,
      rest: true,
    },
  ],
  options: {},
  examples: [
    { line: 'source <(statehouse completion bash)', says: 'for this shell; put it in ~/.bashrc for all' },
    { line: 'statehouse completion zsh > "${fpath[1]}/_statehouse"', says: 'for zsh' },
    { line: 'statehouse completion fish > ~/.config/fish/completions/statehouse.fish', says: 'for fish' },
  ],
  run: async ({ args: [asked, ...words], terminal, env, cwd, stopped }) => {
    if (asked === 'words') {
      for (const word of await completeWords(words, { terminal, env, cwd, stopped })) terminal.say(word);
      return DONE;
    }
    const shell = SHELLS.find((name) => name === asked);
    if (shell === undefined) throw wrongUse(`invalid shell "${asked}": expected one of ${SHELLS.join(', ')}`);
    await terminal.write(completionScript(shell));
    return DONE;
  },
});
