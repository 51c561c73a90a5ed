import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { headerOf, presentState, snapshotOf } from '../folder/content.ts';
import { LOCK_OPTIONS, inheritedLock, takeLock } from '../folder/holding.ts';
import { OPERATION_DELETE } from '../folder/operations.ts';
import { flag, text } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace, type OpenPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description:
    'Deletes a state, under the lock. One that still has resources is not deleted without --force. A server keeps its versions: "statehouse undelete" brings it back, until it is purged.',
  args: [PLACE],
  options: {
    ...PLACE_OPTIONS,
    lockTimeout: LOCK_OPTIONS.lockTimeout,
    lock: text('LOCK_ID', 'the lock that you hold on this state, at a server', { environment: false }),
    force: flag('delete it although it has resources', { environment: false }),
    yes: flag('do not ask for confirmation', { environment: false }),
  },
  examples: [
    { line: 'statehouse delete app/net.tfstate', says: 'on a server, after terraform destroy' },
    { line: 'statehouse delete --force --yes', says: 'in a script, the state of this folder' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'changes', async (place) => {
      const { options, terminal, env, stopped } = invocation;
      const { client, workspace, name } = place;
      const served = await place.served();
      const bytes = presentState(await client.read(workspace), name);
      const { serial } = headerOf(bytes, name);
      if (!options.force) await refuseResources(bytes, place);
      const kept = served === null ? 'It cannot be undone here.' : 'Its versions are kept.';
      const question = `Delete the state of ${name} (serial ${serial})? ${kept}`;
      if (!options.yes && !(await terminal.confirm(question, '--yes'))) {
        terminal.note('Nothing was changed.');
        return FAILED;
      }
      const own = options.lock ?? (await inheritedLock(place, env))?.id;
      if (served !== null && own !== undefined) {
        await served.house.ask('delete-state', { query: { address: served.name, lock: own } });
      } else {
        const timeout = options.lockTimeout;
        const wanted = { client, workspace, operation: OPERATION_DELETE, timeout, stopped };
        const lock = client.traits.locks === 'none' ? null : await takeLock(terminal, wanted);
        try {
          // Only what was looked at is deleted.
          const now = presentState(await client.read(workspace), name);
          if (!Buffer.from(now).equals(bytes)) throw new Failure(`${name} was changed meanwhile`);
          await client.deleteWorkspace(workspace, lock);
        } catch (fault) {
          await lock?.release();
          throw fault;
        }
      }
      if (terminal.json) terminal.result({ place: name, deleted: true, serial });
      else terminal.say(`Deleted the state of ${name}.`);
      if (served !== null && !terminal.json)
        terminal.note(`"statehouse undelete ${served.name}" brings it back.`);
      return DONE;
    }),
});

async function refuseResources(bytes: Uint8Array, { name }: OpenPlace): Promise<void> {
  const { instances } = await snapshotOf(bytes, name);
  const managed = instances.filter(({ mode }) => mode === 'managed').length;
  if (managed === 0) return;
  throw new Failure(`the state of ${name} has ${managed} resource instance${managed === 1 ? '' : 's'}`, {
    next: 'Destroy them first (terraform destroy), or delete the state with --force.',
  });
}
