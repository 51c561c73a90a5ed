import { isAddress, type Address } from '../../../core/address.ts';
import type { Workspace } from '../../../house/workspaces/workspaces.ts';
import { readWorkspaceId, readWorkspaceName } from '../layout.ts';
import { isError, type Answer, type DoorCall } from './call.ts';
import { invalid, notFound, refused, type HcpError } from './errors.ts';

/** The address that a path names: by the workspace's ID, or by its organization and name. */
export function addressOf({ params }: Pick<DoorCall, 'params'>): Address | HcpError {
  const { workspace = '', organization, name = '' } = params;
  if (organization === undefined) return readWorkspaceId(workspace) ?? notFound(`workspace "${workspace}"`);
  const address = readWorkspaceName(organization, name);
  return isAddress(address) ? address : invalid(`invalid workspace name "${name}": ${address.problem}`);
}

/** Runs a row that is about one workspace by its address. */
export function atWorkspace(
  run: (call: DoorCall, address: Address) => Promise<Answer>,
): (call: DoorCall) => Promise<Answer> {
  return async (call) => {
    const address = addressOf(call);
    return isError(address) ? address : run(call, address);
  };
}

/** A workspace that is there, for whoever may know of it. */
export async function findWorkspace(call: DoorCall, address: Address): Promise<Workspace | HcpError> {
  const look = await call.house.workspaces.kept.look(call.caller, address);
  if (look.type === 'there') return look.workspace;
  return look.type === 'absent' ? notFound('the workspace') : refused(look);
}
