import { DEFAULT_WORKSPACE, workspaceProblem } from '../../core/address.ts';
import type { StateClient } from '../../ports/state-client.ts';
import { Failure, wrongUse } from '../failure.ts';

/** A workspace name that terraform takes as well. */
export function checkedName(name: string | undefined): string {
  const problem = workspaceProblem(name ?? '');
  if (name !== undefined && problem === null) return name;
  throw wrongUse(`invalid workspace name "${name ?? ''}": ${problem ?? ''}`);
}

/** All workspaces. @throws Failure where the backend cannot list them */
export async function listedWorkspaces(client: StateClient): Promise<readonly string[]> {
  const names = await client.workspaces();
  if (names !== null) return names;
  throw new Failure(`the ${client.backend} backend cannot list its workspaces`, {
    next: 'Name a workspace with --workspace NAME.',
  });
}

/** Whether a workspace exists: it is listed, or, where workspaces cannot be listed, it has a state. */
export async function workspaceExists(client: StateClient, name: string): Promise<boolean> {
  const names = await client.workspaces();
  return names === null ? name === 'default' || (await client.read(name)) !== null : names.includes(name);
}

/** @throws Failure where terraform could not use a selected workspace, with the ways in which it reaches one */
export function demandSelectable(client: StateClient, name: string): void {
  if (name === DEFAULT_WORKSPACE || client.variablesFor === undefined) return;
  throw wrongUse(
    `terraform's ${client.backend} backend has no workspaces, and a selected one would stop every run of terraform`,
    [`statehouse takes --workspace ${name}.`, ...waysTo(client, name)].join('\n'),
  );
}

/** How terraform reaches a workspace for which its backend has no name; empty where it has one. */
export function waysTo(client: StateClient, workspace: string): readonly string[] {
  const variables = Object.entries(client.variablesFor?.(workspace) ?? {});
  if (variables.length === 0) return [];
  const settings = variables.map(([name, value]) => `${name.replace('TF_HTTP_', '').toLowerCase()}=${value}`);
  return [
    'For terraform, initialise the folder for it:',
    `  terraform init -reconfigure ${settings.map((setting) => `-backend-config=${quoted(setting)}`).join(' ')}`,
    'Or leave the addresses out of the backend block, and set for each run:',
    ...variables.map(([name, value]) => `  export ${name}=${quoted(value)}`),
  ];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** @throws Failure where there are no workspaces but `default` */
export function demandWorkspaces(client: StateClient): void {
  if (client.traits.workspaces !== 'default-only') return;
  throw new Failure(`the ${client.backend} backend has no workspaces`, {
    next: 'Put {workspace} into the addresses of the backend to give each workspace its own address.',
  });
}
