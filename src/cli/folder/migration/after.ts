import { createHash, randomUUID } from 'node:crypto';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import type { HeldLock, StateClient } from '../../../ports/state-client.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { selectWorkspace } from '../../../workdir/selection.ts';
import { Failure, lockedByOther } from '../../failure.ts';
import { heldByInWords } from '../lock-view.ts';
import { OPERATION_FROM } from '../operations.ts';
import type { OpenTarget } from '../target.ts';
import { waysTo } from '../workspace-names.ts';
import { lockSide, releaseAll, type Copied, type CopyOptions, type Sides } from './copy.ts';

/** Where a side is, for people and for the notes of a migration: with its endpoint, where that makes the difference. */
export function placeOf(client: StateClient): string {
  const { endpoint = '' } = client;
  return `${client.locate(DEFAULT_WORKSPACE)}${endpoint === '' ? '' : ` at ${endpoint}`}`;
}

/**
 * Renames the local states that were copied, each under its lock: while they are there, terraform asks at `init -reconfigure`
 * whether to copy them, and in CI that question ends the run. @returns the new names
 * @throws Failure when one was changed since it was copied
 */
export async function setCopiedAside(
  { from, to }: Sides,
  copied: readonly Copied[],
  options: CopyOptions,
): Promise<readonly string[]> {
  const moved: string[] = [];
  for (const { workspace, sha256 } of copied) {
    if (from.locate(workspace) === to.locate(workspace)) continue;
    const held: HeldLock[] = [];
    try {
      // A workspace in which nothing was applied has a folder, and nothing to be locked in it.
      const lock = { workspace, operation: OPERATION_FROM, id: randomUUID() };
      if (sha256 !== null) held.push(...(await lockSide(from, lock, options)));
      const now = await from.read(workspace);
      if ((now === null ? null : createHash('sha256').update(now).digest('hex')) !== sha256) {
        throw new Failure(`workspace ${workspace} was changed after it was copied`, {
          next: 'Run the same command again.',
        });
      }
      moved.push(...((await from.setAside?.(workspace)) ?? []));
    } finally {
      await releaseAll(held);
    }
  }
  return moved;
}

/** Stops a dry run where the run would be stopped: at a lock that is held. @throws Failure with its holder */
export async function refuseHeld({ from, to }: Sides, workspaces: readonly string[]): Promise<void> {
  for (const client of [from, to]) {
    for (const workspace of workspaces) {
      const lock = await client.inspectLock(workspace).catch((fault: unknown) => {
        if (fault instanceof BackendFault) return null;
        throw fault;
      });
      if (lock?.type !== 'held') continue;
      throw lockedByOther(
        `workspace ${workspace} is locked at ${client.locate(workspace)}: ${heldByInWords(lock.holder)}`,
        'Look again later, or wait for it in the run with --lock-timeout.',
        { holder: lock.holder },
      );
    }
  }
}

/** The workspaces that terraform will reach by variables, in what `--json` shows. */
export function reachedBy(
  to: StateClient,
  workspaces: readonly string[],
): readonly { readonly workspace: string; readonly variables: Readonly<Record<string, string>> }[] {
  const { variablesFor } = to;
  if (variablesFor === undefined) return [];
  return workspaces.map((workspace) => ({ workspace, variables: variablesFor.call(to, workspace) }));
}

/** How terraform goes on with the new backend, a line each. */
export function nextSteps({ from, to }: Sides, workspaces: readonly string[]): readonly string[] {
  const others = workspaces.filter((name) => name !== DEFAULT_WORKSPACE);
  const ways = others.flatMap((name) => {
    const lines = waysTo(to, name);
    return lines.length === 0 ? [] : ['', `Workspace ${name}:`, ...lines];
  });
  const init =
    from.traits.reconfigures && to.traits.reconfigures
      ? 'then: terraform init -reconfigure -input=false'
      : 'delete .terraform/terraform.tfstate, which is what terraform remembers of its last init and no state, then: terraform init -input=false';
  return [`Change the backend block to "${to.backend}", ${init}`, ...ways];
}

/** A workspace that terraform selected before would stop it where the new backend has none. @returns whether one was */
export async function unselect(
  to: StateClient,
  { folder, workspace, selected, choice }: OpenTarget,
): Promise<boolean> {
  const isOnlyHere = workspace !== selected || to.variablesFor !== undefined;
  if (selected === DEFAULT_WORKSPACE || !isOnlyHere) return false;
  await selectWorkspace(folder, DEFAULT_WORKSPACE, choice.env);
  return true;
}
