import { z } from 'zod';
import { formatAddress, isAddress, parseAddress, type Address } from '../../../core/address.ts';
import {
  placeOfSet,
  type SetVariableSetAnswer,
  type VariableSet,
  type VariableSetChange,
} from '../../../house/workspaces/variable-sets.ts';
import { related, toMany, toOne, type Resource, type SentResource } from '../json-api.ts';
import { API_PREFIX, readWorkspaceId, workspaceId } from '../layout.ts';
import {
  emptyReply,
  isError,
  pageOf,
  readMany,
  readOne,
  reply,
  type Answer,
  type DoorCall,
  type Rows,
} from './call.ts';
import { full, invalid, notFound, refused, type HcpError } from './errors.ts';
import { variablesAt } from './variables.ts';
import { atWorkspace } from './workspace-of.ts';

const ONE = 'varsets/:varset';
const VARIABLES = `${ONE}/relationships/vars`;

/** Sets of variables that workspaces of an organization share. */
export const VARIABLE_SET_ROWS: Rows = {
  'variable-sets.list': { method: 'GET', path: 'organizations/:organization/varsets', run: listSets },
  'variable-sets.list-for-workspace': {
    method: 'GET',
    path: 'workspaces/:workspace/varsets',
    run: atWorkspace(listForWorkspace),
  },
  'variable-sets.create': { method: 'POST', path: 'organizations/:organization/varsets', run: createSet },
  'variable-sets.read': { method: 'GET', path: ONE, run: atSet((call, set) => setReply(call, set)) },
  'variable-sets.update': { method: 'PATCH', path: ONE, run: updateSet },
  'variable-sets.delete': { method: 'DELETE', path: ONE, run: deleteSet },
  'variable-sets.apply-to-workspaces': {
    method: 'POST',
    path: `${ONE}/relationships/workspaces`,
    run: changing((before, named) => [...new Set([...before, ...named])]),
  },
  'variable-sets.remove-from-workspaces': {
    method: 'DELETE',
    path: `${ONE}/relationships/workspaces`,
    run: changing((before, named) => before.filter((one) => !named.includes(one))),
  },
  'variable-set-variables.list': { method: 'GET', path: VARIABLES, run: atSet(at(variablesAt.list)) },
  'variable-set-variables.create': { method: 'POST', path: VARIABLES, run: atSet(at(variablesAt.create)) },
  'variable-set-variables.read': {
    method: 'GET',
    path: `${VARIABLES}/:variable`,
    run: atSet(at(variablesAt.read)),
  },
  'variable-set-variables.update': {
    method: 'PATCH',
    path: `${VARIABLES}/:variable`,
    run: atSet(at(variablesAt.update)),
  },
  'variable-set-variables.delete': {
    method: 'DELETE',
    path: `${VARIABLES}/:variable`,
    run: atSet(at(variablesAt.remove)),
  },
};

const ATTRIBUTES = z.object({
  name: z.string().optional(),
  description: z.string().nullish(),
  global: z.boolean().nullish(),
  priority: z.boolean().nullish(),
});

async function listSets(call: DoorCall): Promise<Answer> {
  const answer = await call.house.workspaces.sets.list(call.caller, call.params['organization'] ?? '');
  return answer.type === 'sets' ? listReply(call, answer.sets) : refused(answer);
}

async function listForWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const answer = await call.house.workspaces.sets.ofWorkspace(call.caller, address);
  return answer.type === 'sets' ? listReply(call, answer.sets, address) : refused(answer);
}

/** @param only whoever asks about one workspace is told of no other */
function listReply(call: DoorCall, sets: readonly VariableSet[], only: Address | null = null): Answer {
  const wanted = (call.query.get('q') ?? '').toLowerCase();
  const paged = pageOf(
    call,
    sets.filter(({ name }) => name.toLowerCase().includes(wanted)),
  );
  if (isError(paged)) return paged;
  const shown = paged.items.map((set) => ({
    ...set,
    workspaces: only === null ? set.workspaces : set.workspaces.filter((one) => one === formatAddress(only)),
  }));
  return reply(
    call,
    shown.map((set) => describeSet(set, null)),
    { page: paged.page },
  );
}

async function createSet(call: DoorCall): Promise<Answer> {
  const project = call.params['organization'] ?? '';
  const refusal = await call.house.locks.refuse(call.caller, 'write', placeOfSet({ id: '*', project }));
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const change = changeOf(sent, project);
  if (isError(change)) return change;
  return settled(call, await call.house.workspaces.sets.make(call.caller, project, change), 201);
}

async function updateSet(call: DoorCall): Promise<Answer> {
  const set = await findSet(call);
  if (isError(set)) return set;
  const refusal = await call.house.locks.refuse(call.caller, 'write', placeOfSet(set));
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const change = changeOf(sent, set.project);
  if (isError(change)) return change;
  return settled(call, await call.house.workspaces.sets.set(call.caller, set.id, () => change), 200);
}

async function deleteSet(call: DoorCall): Promise<Answer> {
  const id = call.params['varset'] ?? '';
  const answer = await call.house.workspaces.sets.remove(call.caller, id);
  if (answer.type === 'removed') return emptyReply(call);
  return answer.type === 'absent' ? notFound('the variable set') : refused(answer);
}

/** Changes which workspaces a set is for. */
function changing(
  after: (before: readonly string[], named: readonly string[]) => readonly string[],
): Rows[string]['run'] {
  return async (call) => {
    const set = await findSet(call);
    if (isError(set)) return set;
    const refusal = await call.house.locks.refuse(call.caller, 'write', placeOfSet(set));
    if (refusal !== null) return refused(refusal);
    const sent = await readMany(call);
    if (isError(sent)) return sent;
    const named = placesOf(sent, set.project);
    if (isError(named)) return named;
    const answer = await call.house.workspaces.sets.set(call.caller, set.id, ({ workspaces }) => ({
      workspaces: after(workspaces, named),
    }));
    const done = settled(call, answer, 200);
    return isError(done) ? done : emptyReply(call);
  };
}

function at(run: (typeof variablesAt)['list']): (call: DoorCall, set: VariableSet) => Promise<Answer> {
  return (call, set) => run(call, placeOfSet(set), { id: set.id, type: 'varsets' });
}

function atSet(run: (call: DoorCall, set: VariableSet) => Promise<Answer>): Rows[string]['run'] {
  return async (call) => {
    const set = await findSet(call);
    return isError(set) ? set : run(call, set);
  };
}

async function findSet({ house, caller, params }: DoorCall): Promise<VariableSet | HcpError> {
  const answer = await house.workspaces.sets.find(caller, params['varset'] ?? '');
  if (answer.type === 'found') return answer.set;
  return answer.type === 'absent' ? notFound('the variable set') : refused(answer);
}

async function setReply(call: DoorCall, set: VariableSet): Promise<Answer> {
  const answer = await call.house.workspaces.variables.list(call.caller, placeOfSet(set));
  if (answer.type !== 'variables') return refused(answer);
  return reply(
    call,
    describeSet(
      set,
      answer.variables.map(({ id }) => id),
    ),
  );
}

function settled(call: DoorCall, answer: SetVariableSetAnswer, status: number): Answer {
  switch (answer.type) {
    case 'set':
      return reply(call, describeSet(answer.set, null), { status });
    case 'absent':
      return notFound('the variable set');
    case 'full':
      return full('variable sets', answer.limit);
    case 'invalid':
      return invalid(answer.problem);
    default:
      return refused(answer);
  }
}

/** What a document sets. */
function changeOf(sent: SentResource, project: string): VariableSetChange | HcpError {
  const parsed = ATTRIBUTES.safeParse(sent.attributes);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`invalid ${issue?.path.join('.') ?? 'attribute'}: ${issue?.message ?? ''}`);
  }
  if ((related(sent, 'projects') ?? []).length > 0)
    return invalid('a variable set is for workspaces, or for all of an organization: not for projects');
  const { name, description, global, priority } = parsed.data;
  const named = related(sent, 'workspaces');
  const workspaces = named === null ? null : placesOf(named, project);
  if (isError(workspaces)) return workspaces;
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description: description ?? '' }),
    ...(global === undefined || global === null ? {} : { global }),
    ...(priority === undefined || priority === null ? {} : { priority }),
    ...(workspaces === null ? {} : { workspaces }),
  };
}

/** Workspaces by their IDs, as the set keeps them: all of its own organization. */
function placesOf(named: readonly SentResource[], project: string): readonly string[] | HcpError {
  const addresses = named.map(({ id = '' }) => readWorkspaceId(id));
  const isStrange = addresses.some((address) => address === null || address.project !== project);
  if (isStrange) return notFound('a workspace');
  return addresses.flatMap((address) => (address === null ? [] : [formatAddress(address)]));
}

/** @param variables the IDs of its variables; null where they are not told */
function describeSet(set: VariableSet, variables: readonly string[] | null): Resource {
  const { id, project, name, description, global, priority, workspaces, createdAt } = set;
  const addresses = workspaces.map(parseAddress).filter(isAddress);
  const at = new Date(createdAt).toISOString();
  return {
    id,
    type: 'varsets',
    attributes: {
      name,
      description,
      global,
      priority,
      'created-at': at,
      'updated-at': at,
      'var-count': variables?.length ?? 0,
      'workspace-count': addresses.length,
      'project-count': 0,
    },
    relationships: {
      organization: toOne({ id: project, type: 'organizations' }),
      parent: toOne({ id: project, type: 'organizations' }),
      workspaces: toMany(addresses.map((address) => ({ id: workspaceId(address), type: 'workspaces' }))),
      projects: toMany([]),
      ...(variables === null ? {} : { vars: toMany(variables.map((one) => ({ id: one, type: 'vars' }))) }),
    },
    links: { self: `${API_PREFIX}varsets/${id}` },
  };
}
