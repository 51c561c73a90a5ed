import { readFile, rename, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RefusedWriteShape } from '../../api/shapes/refused.ts';
import { defineCommand, type Command, type Invocation } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { RESCUE_OPTIONS, rescueState, type Rescued } from '../folder/rescue.ts';
import { writeSecret } from '../folder/write-secret.ts';
import { flag, text } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace, type OpenPlace, type Served } from '../place/place.ts';
import { fetchRefused, showRefused } from '../server/refused.ts';
import type { Terminal } from '../terminal.ts';

/** Where terraform leaves a state that it could not write. */
const ERRORED = 'errored.tfstate';

const OPTIONS = {
  ...PLACE_OPTIONS,
  ...RESCUE_OPTIONS,
  file: text('FILE', `in a folder: the state to rescue (default: ${ERRORED})`, { environment: false }),
  save: text('FILE', 'only write the refused state into FILE, byte for byte', { environment: false }),
  drop: flag('only drop the refused write', { environment: false }),
};

export const command: Command = defineCommand({
  description: `Merges a state that was refused into the newest one, under the lock: in a folder ${ERRORED}, else a write that its server keeps. What only one of the two states changed is taken from it; where both changed the same instance or output, you choose. With an address alone, or in a folder without ${ERRORED}, lists what is kept.`,
  args: [PLACE, { name: 'id', help: 'the ID that the list and the refusal show', required: false }],
  options: OPTIONS,
  examples: [
    { line: 'statehouse rescue app/net.tfstate', says: 'lists the refused writes that are kept' },
    { line: 'statehouse rescue app/net.tfstate 3f2a9c41d07be655', says: 'merges one of them' },
    { line: 'statehouse rescue --dry-run', says: `compares ${ERRORED} of this folder with the newest state` },
    { line: 'statehouse rescue --ours aws_instance.web --yes', says: 'in a script' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', (place) => rescuePlace(invocation, place)),
});

type Rescuing = Invocation<typeof OPTIONS>;

async function rescuePlace(invocation: Rescuing, place: OpenPlace): Promise<ExitCode> {
  const { args, options, terminal, cwd } = invocation;
  const { file = ERRORED, drop, save } = options;
  const [, id] = args;
  const named = options.file !== undefined;
  if (named && (place.folder === null || id !== undefined))
    throw wrongUse('--file is for a folder: leave out the address and the ID');
  const path = place.folder === null || id !== undefined ? null : resolve(place.folder.folder, file);
  const there = path !== null && (await stat(path).catch(() => null)) !== null;
  const served = await place.served();
  if (path !== null && there) {
    if (drop || save !== undefined) throw wrongUse('--drop and --save are for a write that a server keeps');
    if (served !== null) await tellKept(served, terminal);
    return rescueFile(invocation, place, path, file);
  }
  if (served === null || (path !== null && (named || (await keptAt(served)).length === 0)))
    throw nothingThere(file, place, served);
  if (id === undefined) {
    if (drop || save !== undefined)
      throw wrongUse('the ID is missing', `"statehouse rescue ${served.name}" lists them.`);
    await showRefused(served.house, served.address, terminal);
    return DONE;
  }
  const query = { address: served.name, id };
  if (drop) {
    const dropped = await served.house.ask('drop-refused', { query });
    if (terminal.json) terminal.result(dropped);
    else terminal.say(`The refused write ${id} is dropped.`);
    return DONE;
  }
  const { write, bytes } = await fetchRefused(served.house, served.address, id);
  if (save !== undefined) {
    await writeSecret(resolve(cwd, save), bytes);
    if (terminal.json) terminal.result({ ...write, saved: save });
    else terminal.say(`${save}: ${bytes.length} bytes`);
    return DONE;
  }
  const rescued = await rescue(invocation, place, bytes, `refused write ${id} of ${write.subject}`);
  if (isDone(rescued)) await served.house.ask('drop-refused', { query });
  return tell(terminal, rescued);
}

async function rescueFile(
  invocation: Rescuing,
  place: OpenPlace,
  path: string,
  name: string,
): Promise<ExitCode> {
  const { terminal } = invocation;
  const rescued = await rescue(invocation, place, await readFile(path), name);
  // A second run must not take it for something new.
  if (isDone(rescued) && !invocation.options.dryRun) {
    await rename(path, `${path}.rescued`);
    terminal.note(`${name} is now ${name}.rescued.`);
  }
  return tell(terminal, rescued);
}

function rescue(
  { options, terminal, env, stopped }: Rescuing,
  { client, workspace }: OpenPlace,
  bytes: Uint8Array,
  name: string,
): Promise<Rescued> {
  return rescueState({ client, workspace, bytes, name, options, terminal, env, stopped });
}

function isDone({ type }: Rescued): boolean {
  return type === 'written' || type === 'nothing';
}

async function keptAt({ house, name }: Served): Promise<readonly RefusedWriteShape[]> {
  return (await house.ask('list-refused', { query: { address: name } })).writes;
}

/** What the server keeps may be the same as the file, or another run's: whoever rescues the file is told. */
async function tellKept(served: Served, terminal: Terminal): Promise<void> {
  const kept = await keptAt(served).catch(() => []);
  if (kept.length > 0)
    terminal.note(
      `The server keeps ${kept.length} refused write${kept.length === 1 ? '' : 's'} of this state as well: "statehouse rescue ${served.name}" lists them.`,
    );
}

function nothingThere(file: string, { folder, name }: OpenPlace, served: Served | null): Failure {
  const where = folder === null ? name : folder.folder;
  const server = served === null ? '' : `, and ${served.connection.url} keeps no refused write of this state`;
  return new Failure(`there is no ${file} in ${where}${server}: nothing to rescue`, {
    next: 'Name the state with --file FILE, or a state on a server: statehouse rescue PROJECT/KEY.',
    details: { reason: 'absent' },
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
