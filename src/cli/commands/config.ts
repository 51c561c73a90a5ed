import { BACKEND_BLOCKS, exportLine } from '../backend-blocks.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { CONNECTION_OPTIONS, readConnection } from '../house/connection.ts';
import { readAddress } from '../house/read-address.ts';

const PROTOCOLS = Object.keys(BACKEND_BLOCKS);
const NOBODY = { id: 'ID', secret: 'SECRET' };

export const command: Command = defineCommand({
  description:
    'Prints the backend block and the environment with which terraform and tofu keep a state in a house. Asks nothing of the house.',
  args: [
    { name: 'protocol', help: PROTOCOLS.join(', '), required: true },
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true },
  ],
  options: CONNECTION_OPTIONS,
  examples: [
    { line: 'statehouse config http app/net.tfstate', says: 'for a house on this machine' },
    {
      line: 'statehouse config http app/net.tfstate@dev --server https://state.example.com',
      says: "for a team's house",
    },
  ],
  run: async ({ args: [protocol = '', place], options, terminal }) => {
    const write = Object.hasOwn(BACKEND_BLOCKS, protocol) ? BACKEND_BLOCKS[protocol] : undefined;
    if (write === undefined)
      throw wrongUse(`"${protocol}" is no protocol of the house`, `There is ${PROTOCOLS.join(', ')}.`);
    const { url, credential, ca } = readConnection(options);
    const caPath = ca?.path ?? null;
    const { block, environment, notes } = write({
      url,
      address: readAddress(place),
      credential: credential ?? NOBODY,
      caPath,
    });
    if (terminal.json) {
      const variables = environment.map(({ name, value, file }) => [
        name,
        file === undefined ? value : ca?.pem,
      ]);
      terminal.result({ block, environment: Object.fromEntries(variables), notes });
      return DONE;
    }
    terminal.say(block);
    terminal.say();
    for (const variable of environment) terminal.say(exportLine(variable));
    if (credential === null)
      terminal.note(
        '\nID and SECRET are those of a credential: "statehouse credential create NAME" makes one.',
      );
    for (const note of notes) terminal.note(note);
    return DONE;
  },
});
