import { resolve } from 'node:path';
import type { Address } from '../../core/address.ts';
import { BACKEND_BLOCKS, exportLine } from '../backend-blocks.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { HouseClient } from '../house/client.ts';
import { CONNECTION_OPTIONS, readConnection, type Pair } from '../house/connection.ts';
import { readAddress } from '../house/read-address.ts';
import { text } from '../options.ts';

const PROTOCOLS = Object.keys(BACKEND_BLOCKS);
const NOBODY = { id: 'ID', secret: 'SECRET' };

export const command: Command = defineCommand({
  description:
    'Prints the backend block and the environment with which terraform and tofu keep a state in a house. Asks nothing of the house, but for --create-credential.',
  args: [
    { name: 'protocol', help: PROTOCOLS.join(', '), required: true },
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    createCredential: text('NAME', 'make a credential that may write this state, and print that one', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse config http app/net.tfstate', says: 'for a house on this machine' },
    {
      line: 'statehouse config http app/net.tfstate@dev --server https://state.example.com',
      says: "for a team's house",
    },
  ],
  run: async ({ args: [protocol = '', place], options, terminal, cwd, stopped }) => {
    const write = Object.hasOwn(BACKEND_BLOCKS, protocol) ? BACKEND_BLOCKS[protocol] : undefined;
    if (write === undefined)
      throw wrongUse(`"${protocol}" is no protocol of the house`, `There is ${PROTOCOLS.join(', ')}.`);
    const address = readAddress(place);
    const connection = readConnection(options);
    const { url, ca } = connection;
    const name = options.createCredential;
    const credential =
      name === undefined
        ? connection.credential
        : await makeWriter(new HouseClient(connection, stopped), name, address);
    const caPath = ca === null ? null : resolve(cwd, ca.path);
    const { block, environment, notes } = write({ url, address, credential: credential ?? NOBODY, caPath });
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

/** A credential that may write one key in all its workspaces, and nothing else. */
function makeWriter(house: HouseClient, name: string, { project, key }: Address): Promise<Pair> {
  return house.ask('create-credential', {
    body: { name, grants: [{ role: 'writer', pattern: `${project}/${key}@*` }], expiresAt: null },
  });
}
