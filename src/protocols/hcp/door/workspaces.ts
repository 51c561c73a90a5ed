import { isAddress, type Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import { liveHead } from '../../../core/world.ts';
import type { StoredWorkspace } from '../../../house/workspaces/records.ts';
import type { Workspace, WorkspaceChange } from '../../../house/workspaces/workspaces.ts';
import { related, toMany, type Resource, type SentResource } from '../json-api.ts';
import { HCP_ALIAS, readWorkspaceName, workspaceName } from '../layout.ts';
import { agentPoolProblem } from './agent-pools.ts';
import {
  emptyReply,
  includes,
  isError,
  pageOf,
  readOne,
  reply,
  type Answer,
  type DoorCall,
  type Rows,
} from './call.ts';
import { full, invalid, refused, type HcpError } from './errors.ts';
import { describeOutput } from './output-view.ts';
import { managedResources, readOutputs } from './state-content.ts';
import { matchesFilters, searchOf } from './workspace-filters.ts';
import { atWorkspace, findWorkspace } from './workspace-of.ts';
import { groupOf, readSettings, readTags } from './workspace-settings.ts';
import { describeWorkspace } from './workspace-view.ts';

const NAMED = 'organizations/:organization/workspaces/:name';
const BY_ID = 'workspaces/:workspace';

/** Workspaces are keys: each is there if it was made, or has a state, or is locked. */
export const WORKSPACE_ROWS: Rows = {
  'workspaces.list': { method: 'GET', path: 'organizations/:organization/workspaces', run: listWorkspaces },
  'workspaces.create': {
    method: 'POST',
    path: 'organizations/:organization/workspaces',
    run: createWorkspace,
  },
  'workspaces.read': { method: 'GET', path: NAMED, run: atWorkspace(readWorkspace) },
  'workspaces.read-by-id': { method: 'GET', path: BY_ID, run: atWorkspace(readWorkspace) },
  'workspaces.update': { method: 'PATCH', path: NAMED, run: atWorkspace(updateWorkspace) },
  'workspaces.update-by-id': { method: 'PATCH', path: BY_ID, run: atWorkspace(updateWorkspace) },
  'workspaces.delete': { method: 'DELETE', path: NAMED, run: atWorkspace(deleteWorkspace) },
  'workspaces.delete-by-id': { method: 'DELETE', path: BY_ID, run: atWorkspace(deleteWorkspace) },
  'workspaces.safe-delete': {
    method: 'POST',
    path: `${NAMED}/actions/safe-delete`,
    run: atWorkspace(safelyDelete),
  },
  'workspaces.safe-delete-by-id': {
    method: 'POST',
    path: `${BY_ID}/actions/safe-delete`,
    run: atWorkspace(safelyDelete),
  },
};

async function listWorkspaces(call: DoorCall): Promise<Answer> {
  const project = call.params['organization'] ?? '';
  const answer = await call.house.workspaces.kept.list(call.caller, project);
  if (answer.type !== 'workspaces') return refused(answer);
  const search = searchOf(call.query, project);
  if (isError(search)) return search;
  const found = answer.workspaces
    .filter((workspace) => matchesFilters(workspace, search))
    .map((workspace) => ({ workspace, name: workspaceName(workspace.address) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const paged = pageOf(call, call.query.get('sort') === '-name' ? found.toReversed() : found);
  if (isError(paged)) return paged;
  const data = paged.items.map(({ workspace }) => describeWorkspace(call, workspace));
  return reply(call, data, { page: paged.page });
}

async function readWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const found = await findWorkspace(call, address);
  if (isError(found)) return found;
  const line = await call.runs?.line(address);
  const described = describeWorkspace(call, found, line?.current?.id);
  const hasOutputs = includes(call, 'outputs') && liveHead(found.world.record) !== null;
  if (!hasOutputs) return reply(call, described);
  const read = await readOutputs(call, address, null);
  if (isError(read)) return read;
  const included = read.outputs.map((output): Resource => {
    const { id, attributes } = describeOutput(address, read.version, output, false);
    return {
      id,
      type: 'workspace-outputs',
      attributes: { ...attributes, 'output-type': attributes['type'] },
    };
  });
  const outputs = toMany(included.map(({ id, type }) => ({ id, type })));
  return reply(call, { ...described, relationships: { ...described.relationships, outputs } }, { included });
}

async function createWorkspace(call: DoorCall): Promise<Answer> {
  const { house, caller, params } = call;
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name } = sent.attributes;
  if (typeof name !== 'string') return invalid('expected a name');
  const address = readWorkspaceName(params['organization'] ?? '', name);
  if (!isAddress(address)) return invalid(`invalid workspace name "${name}": ${address.problem}`);
  const change = changeOf(call, sent, address.project, null);
  if (isError(change)) return change;
  const problem = await agentPoolProblem(call, address, change.settings);
  if (problem !== null) return problem;
  const answer = await house.workspaces.kept.make(caller, address, change);
  switch (answer.type) {
    case 'made':
      return reply(call, describeWorkspace(call, answer.workspace), { status: 201 });
    case 'made-before':
      return { status: 422, title: 'invalid attribute', detail: 'Name has already been taken' };
    case 'full':
      return full('workspaces', answer.limit);
    default:
      return refused(answer);
  }
}

async function updateWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller } = call;
  const refusal = await house.locks.refuse(caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name } = sent.attributes;
  if (typeof name === 'string' && name !== workspaceName(address)) {
    return invalid(
      `a workspace cannot be renamed here: make "${name}", and move the state by "terraform init -migrate-state" or "statehouse migrate"`,
    );
  }
  const checked = changeOf(call, sent, address.project, null);
  if (isError(checked)) return checked;
  const problem = await agentPoolProblem(call, address, checked.settings);
  if (problem !== null) return problem;
  const answer = await house.workspaces.kept.set(caller, address, (before) => {
    const change = changeOf(call, sent, address.project, before);
    return isError(change) ? {} : change;
  });
  return settledReply(call, answer);
}

function settledReply(
  call: DoorCall,
  answer: Awaited<ReturnType<DoorCall['house']['workspaces']['kept']['set']>>,
): Answer {
  switch (answer.type) {
    case 'set':
      return reply(call, describeWorkspace(call, answer.workspace));
    case 'full':
      return full('workspaces', answer.limit);
    default:
      return refused(answer);
  }
}

/** What a document sets; tags and group only where it speaks of them. */
function changeOf(
  call: DoorCall,
  sent: SentResource,
  organization: string,
  before: StoredWorkspace | null,
): WorkspaceChange | HcpError {
  const settings = readSettings(sent.attributes, call);
  if (isError(settings)) return settings;
  const bindings = related(sent, 'tag-bindings');
  const names = related(sent, 'tags');
  const tags = bindings === null && names === null ? null : readTags([...(bindings ?? []), ...(names ?? [])]);
  if (isError(tags)) return tags;
  const group = groupOf(sent, organization);
  if (isError(group)) return group;
  return {
    settings,
    ...(tags === null ? {} : { tags: bindings === null ? { ...before?.tags, ...tags } : tags }),
    ...(group === undefined ? {} : { group }),
  };
}

async function deleteWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const found = await findWorkspace(call, address);
  return isError(found) ? found : removeWorkspace(call, found);
}

/** Deletes a workspace whose state has no resources. */
async function safelyDelete(call: DoorCall, address: Address): Promise<Answer> {
  const found = await findWorkspace(call, address);
  if (isError(found)) return found;
  const { holders } = found.world;
  if (holders.length > 0) {
    const shown = call.house.lockInfos.ofHolders(address, holders);
    return refused({ type: 'held', holders: shown, position: null, waiting: 0, parkFor: null });
  }
  if (liveHead(found.world.record) !== null) {
    const managed = await managedResources(call, address);
    if (managed !== null && typeof managed !== 'number') return managed;
    if (managed !== 0) {
      return {
        status: 409,
        title: 'the workspace is still managing resources',
        detail: `its state has ${managed ?? 'some'}: destroy them first, or delete the workspace by force`,
      };
    }
  }
  return removeWorkspace(call, found);
}

/** The state goes as at every door: its versions stay until they are purged. What was set for the workspace is forgotten. */
async function removeWorkspace(call: DoorCall, { address, world }: Workspace): Promise<Answer> {
  const { house, caller, request, connections } = call;
  const own = connections.lockOf(caller.identity.subject, request, address);
  const isHeld = world.holders.some(({ lockId }) => lockId === own);
  const claim: Claim =
    own !== null && isHeld ? { kind: 'named', lockId: own } : { kind: 'unnamed', aliases: [HCP_ALIAS] };
  if (liveHead(world.record) !== null || world.holders.length > 0) {
    const answer = await house.states.delete(caller, address, claim);
    if (answer.type !== 'deleted' && answer.type !== 'absent') return refused(answer);
  }
  const dropped = await house.workspaces.variables.forget(caller, address);
  if (dropped.type !== 'forgotten') return refused(dropped);
  const left = await house.workspaces.sets.leave(caller, address);
  if (left.type !== 'left') return refused(left);
  const forgotten = await house.workspaces.kept.forget(caller, address);
  return forgotten.type === 'forgotten' ? emptyReply(call) : refused(forgotten);
}
