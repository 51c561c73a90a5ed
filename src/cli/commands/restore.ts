import { withSerial } from '../../core/state-header.ts';
import { defineCommand, type Command, type Invocation } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { formatAgo } from '../figures.ts';
import { headerOf } from '../folder/content.ts';
import { LOCK_OPTIONS, inheritedLock, underLock } from '../folder/holding.ts';
import { OPERATION_PUSH } from '../folder/operations.ts';
import { readVersionOf } from '../folder/versions.ts';
import { writeAndVerify } from '../folder/writing.ts';
import { flag, text } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace, type OpenPlace, type Served } from '../place/place.ts';

const OPTIONS = {
  ...PLACE_OPTIONS,
  ...LOCK_OPTIONS,
  lock: text('LOCK_ID', 'the lock that you hold on this state', { environment: false }),
  yes: flag('do not ask for confirmation', { environment: false }),
};

type Restoring = Invocation<typeof OPTIONS>;

export const command: Command = defineCommand({
  description:
    'Writes the content of an old version as a new one, with the newest serial + 1. The versions in between stay. On a server this also restores a deleted state.',
  args: [PLACE, { name: 'version', help: 'the version, as "statehouse history" shows it', required: true }],
  options: OPTIONS,
  examples: [
    { line: 'statehouse restore app/net.tfstate 41', says: 'version 41 becomes the newest' },
    { line: 'statehouse restore 3LgKlq', says: 'in a folder whose state is in a versioned bucket' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', async (place) => {
      const served = await place.served();
      return served === null ? restoreInFolder(invocation, place) : restoreOn(invocation, place, served);
    }),
});

async function restoreOn(invocation: Restoring, place: OpenPlace, served: Served): Promise<ExitCode> {
  const { args, options, terminal, env, stopped } = invocation;
  const [, number = ''] = args;
  const { house, name: address } = served;
  if (!/^[1-9]\d{0,15}$/.test(number))
    throw wrongUse(`invalid version "${number}": expected a whole number from 1 up`);
  const version = Number(number);
  if (!options.yes) {
    const old = await house.ask('show-version', { query: { address, version } });
    const question = `Make version ${number} of ${address} (serial ${old.serial}, written ${formatAgo(old.at)} by ${old.subject}) the newest one?`;
    if (!(await terminal.confirm(question, '--yes'))) return unchanged(invocation);
  }
  const { client, workspace } = place;
  const held = options.lock ?? (await inheritedLock(place, env))?.id;
  // The server writes under its own rules in one step: a lock is taken only to wait for it.
  const noLock = options.noLock || options.lockTimeout === 0 || held !== undefined;
  const wanted = { client, workspace, operation: OPERATION_PUSH, timeout: options.lockTimeout, env };
  const made = await underLock(terminal, { ...wanted, stopped, noLock }, (lock) =>
    house.ask('restore-version', { query: { address }, body: { version, lockId: lock?.id ?? held } }),
  );
  if (terminal.json) terminal.result({ place: place.name, restored: version, ...made });
  else
    terminal.say(
      `${place.name}: version ${made.version} has the content of version ${number}, with serial ${made.serial}`,
    );
  return DONE;
}

async function restoreInFolder(invocation: Restoring, place: OpenPlace): Promise<ExitCode> {
  const { args, options, terminal, env, stopped } = invocation;
  const [, id = ''] = args;
  const { client, workspace, name } = place;
  if (options.lock !== undefined) throw wrongUse('--lock is for a state that a Statehouse server keeps');
  const old = await readVersionOf(client, workspace, id);
  const header = headerOf(old, `version ${id}`);
  const question = `Make version ${id} of ${name} (serial ${header.serial}) the newest one?`;
  if (!options.yes && !(await terminal.confirm(question, '--yes'))) return unchanged(invocation);
  const { lockTimeout: timeout, noLock } = options;
  const wanted = { client, workspace, operation: OPERATION_PUSH, timeout, stopped, noLock, env };
  const serial = await underLock(terminal, wanted, async (lock) => {
    const now = await client.read(workspace);
    const newest = now === null ? header.serial : headerOf(now, name).serial;
    const next = (newest > header.serial ? newest : header.serial) + 1n;
    await writeAndVerify(client, workspace, withSerial(old, header, next), lock);
    return next;
  });
  if (terminal.json) terminal.result({ place: name, restored: id, serial: serial.toString() });
  else terminal.say(`${name} has the content of version ${id}, with serial ${serial}`);
  return DONE;
}

function unchanged({ terminal }: Restoring): ExitCode {
  terminal.note('Nothing was changed.');
  return FAILED;
}
