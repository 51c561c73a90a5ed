import { basename, resolve } from 'node:path';
import type { Address } from '../../core/address.ts';
import { ADMIN_FILE } from '../../server/first-start.ts';
import { SERVED_BACKENDS } from '../../protocols/backends.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { exportLine } from '../server/export-line.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection, type Pair } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';
import { flag, text } from '../options.ts';

const BACKENDS = SERVED_BACKENDS.map(({ name }) => name).join(', ');
const SAS_LIFE_MS: number = 365 * 24 * 60 * 60 * 1_000;
const PLACEHOLDERS = { id: 'ID', secret: 'SECRET' };

export const command: Command = defineCommand({
  description:
    'Prints the backend block, and the files or environment variables with which terraform and tofu keep a state on a server. Only --create-credential connects to the server.',
  args: [
    { name: 'backend', help: BACKENDS, required: true, completes: 'served-backend' },
    { name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true, completes: 'address' },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    createCredential: text('NAME', 'create a credential that may write this state, and print it', {
      environment: false,
    }),
    keyFile: flag("print a service account's key file in place of the secret (Google)", {
      environment: false,
    }),
    env: flag(
      'print environment variables in place of files, even if they reach every program of the shell',
      { environment: false },
    ),
    sas: flag('print a shared access signature in place of the secret, good for a year (Azure)', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse config http app/net.tfstate', says: 'for a server on this machine' },
    {
      line: 'statehouse config http app/net.tfstate@dev --server https://state.example.com',
      says: 'for the server of a team',
    },
    {
      line: 'statehouse config azurerm app/net.tfstate --server https://state.example.com --sas',
      says: 'with a signature that permits one container alone',
    },
  ],
  run: async ({ args: [backend = '', place], options, terminal, cwd, stopped }) => {
    const served = SERVED_BACKENDS.find(({ name }) => name === backend);
    if (served === undefined) throw wrongUse(`invalid backend "${backend}": expected one of ${BACKENDS}`);
    if (options.keyFile && served.keyFiles !== true)
      throw wrongUse(`--key-file is not for the backend "${backend}": it takes no key file`);
    const address = readAddress(place);
    if (options.sas && served.signs !== true)
      throw wrongUse(`--sas is not for the backend "${backend}": it takes no shared access signature`);
    const connection = readConnection(options);
    const { url, ca } = connection;
    const name = options.createCredential;
    // Whoever has just started a server has that one in the environment, and would hand it to everybody.
    const isAdmins =
      options.credential === undefined && basename(options.credentialFile ?? '') === ADMIN_FILE;
    const given = isAdmins ? null : connection.credential;
    const credential =
      name === undefined ? given : await makeWriter(new HouseClient(connection, stopped), name, address);
    if (options.sas && credential === null)
      throw wrongUse(
        '--sas signs with a credential: give one by --credential or STATEHOUSE_CREDENTIAL, or --create-credential NAME',
      );
    const caPath = ca === null ? null : resolve(cwd, ca.path);
    if (options.keyFile && credential === null)
      throw wrongUse(
        '--key-file makes a key of a credential: give one by --credential or STATEHOUSE_CREDENTIAL, or --create-credential NAME',
      );
    const { block, files, environment, notes } = served.snippet({
      keyFile: options.keyFile,
      url,
      address,
      credential: credential ?? PLACEHOLDERS,
      caPath,
      variables: options.env,
      ...(options.sas ? { sasUntil: new Date(Date.now() + SAS_LIFE_MS) } : {}),
    });
    if (terminal.json) {
      const variables = environment.map(({ name, value, file }) => [
        name,
        file === undefined ? value : ca?.pem,
      ]);
      terminal.result({ block, files, environment: Object.fromEntries(variables), notes });
      return DONE;
    }
    terminal.say([...block.split('\n'), '']);
    for (const { path, text } of files) terminal.say([`# ${path}`, ...text.split('\n'), '']);
    for (const variable of environment) terminal.say(exportLine(variable));
    if (credential === null && isAdmins)
      terminal.note(
        `The credential in ${options.credentialFile} is the admin's, which no folder should have. Add --create-credential NAME: it creates one that may write this state.`,
      );
    else if (credential === null)
      terminal.note(
        'Replace ID and SECRET by those of a credential: "statehouse credential create NAME --grant writer:PROJECT/*" creates one.',
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
