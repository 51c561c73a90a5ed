import { readFile, rename, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command, type Invocation } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { RESCUE_OPTIONS, rescueState, type Rescued } from '../folder/rescue.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { writeSecret } from '../folder/write-secret.ts';
import { flag, text } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';
import { fetchRefused, openServed, showRefused } from '../server/refused.ts';
import type { Terminal } from '../terminal.ts';

/** Where terraform leaves a state that it could not write. */
const ERRORED = 'errored.tfstate';

const OPTIONS = {
  ...TARGET_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...RESCUE_OPTIONS,
  file: text('FILE', `in a folder: the state to rescue (default: ${ERRORED})`, { environment: false }),
  save: text('FILE', 'only write the refused state into FILE, byte for byte', { environment: false }),
  drop: flag('only drop the refused write', { environment: false }),
};

export const command: Command = defineCommand({
  description: `Merges a state that was refused into the newest one, under the lock: a write that a server keeps, or in a folder ${ERRORED}. What only one of the two states changed is taken from it; where both changed the same instance or output, you choose. With an address alone, lists what is kept.`,
  args: [
    {
      name: 'address',
      help: 'PROJECT/KEY[@WORKSPACE] on a server; without it, this folder',
      required: false,
    },
    { name: 'id', help: 'the ID that the list and the refusal show', required: false },
  ],
  options: OPTIONS,
  examples: [
    { line: 'statehouse rescue app/net.tfstate', says: 'lists the refused writes that are kept' },
    { line: 'statehouse rescue app/net.tfstate 3f2a9c41d07be655', says: 'merges one of them' },
    { line: 'statehouse rescue --dry-run', says: `compares ${ERRORED} of this folder with the newest state` },
    { line: 'statehouse rescue --ours aws_instance.web --yes', says: 'in a script' },
  ],
  run: (invocation) => (invocation.args[0] === undefined ? rescueFile(invocation) : rescueKept(invocation)),
});

type Rescuing = Invocation<typeof OPTIONS>;

async function rescueKept({ args, options, terminal, env, cwd, stopped }: Rescuing): Promise<ExitCode> {
  const [place, id] = args;
  const address = readAddress(place);
  const connection = readConnection(options);
  const house = new HouseClient(connection, stopped);
  if (options.file !== undefined) throw wrongUse('--file is for a folder: leave out the address');
  if (id === undefined) {
    if (options.drop || options.save !== undefined)
      throw wrongUse('the ID is missing', `"statehouse rescue ${formatAddress(address)}" lists them.`);
    await showRefused(house, address, terminal);
    return DONE;
  }
  const query = { address: formatAddress(address), id };
  if (options.drop) {
    const dropped = await house.ask('drop-refused', { query });
    if (terminal.json) terminal.result(dropped);
    else terminal.say(`The refused write ${id} is dropped.`);
    return DONE;
  }
  const { write, bytes } = await fetchRefused(house, address, id);
  if (options.save !== undefined) {
    await writeSecret(resolve(cwd, options.save), bytes);
    if (terminal.json) terminal.result({ ...write, saved: options.save });
    else terminal.say(`${options.save}: ${bytes.length} bytes`);
    return DONE;
  }
  const client = openServed(address, connection);
  try {
    const name = `refused write ${id} of ${write.subject}`;
    const { workspace } = address;
    const rescued = await rescueState({ client, workspace, bytes, name, options, terminal, env, stopped });
    const isDone = rescued.type === 'written' || rescued.type === 'nothing';
    if (isDone && !options.dryRun) await house.ask('drop-refused', { query });
    return tell(terminal, rescued);
  } finally {
    await client.close();
  }
}

function rescueFile(invocation: Rescuing): Promise<ExitCode> {
  return withTarget(invocation, 'changes', async ({ client, workspace, folder }) => {
    const { options, terminal, env, stopped } = invocation;
    const { file: name = ERRORED, drop, save } = options;
    if (drop || save !== undefined)
      throw wrongUse('--drop and --save are for a server: name the address and the ID');
    const path = resolve(folder, name);
    if ((await stat(path).catch(() => null)) === null) {
      throw new Failure(`there is no ${name} in ${folder}: nothing to rescue`, {
        next: 'Name the state with --file FILE, or a state on a server: statehouse rescue PROJECT/KEY.',
      });
    }
    const bytes = await readFile(path);
    const rescued = await rescueState({ client, workspace, bytes, name, options, terminal, env, stopped });
    const isDone = rescued.type === 'written' || rescued.type === 'nothing';
    // A second run must not take it for something new.
    if (isDone && !options.dryRun) {
      await rename(path, `${path}.rescued`);
      terminal.note(`${name} is now ${name}.rescued.`);
    }
    return tell(terminal, rescued);
  });
}

function tell(terminal: Terminal, { type, serial, ancestor, changes }: Rescued): ExitCode {
  if (terminal.json)
    terminal.result({ rescued: type, serial: serial?.toString() ?? null, ancestor, changes });
  else if (type === 'written') terminal.say(`Rescued: the merged state has serial ${serial}.`);
  else if (type === 'nothing')
    terminal.say(`Nothing to rescue: the newest state, serial ${serial}, has it all.`);
  else terminal.say('Nothing was changed.');
  return type === 'refused' ? FAILED : DONE;
}
