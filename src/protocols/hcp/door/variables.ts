import { z } from 'zod';
import type { Address } from '../../../core/address.ts';
import {
  VARIABLE_BYTES_MAX,
  VARIABLE_CATEGORIES,
  type SetVariableAnswer,
  type Variable,
  type VariableChange,
} from '../../../house/workspaces/variables.ts';
import { toOne, type Resource } from '../json-api.ts';
import { API_PREFIX, workspaceId } from '../layout.ts';
import { emptyReply, isError, readOne, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { full, invalid, notFound, refused, type HcpError } from './errors.ts';
import { atWorkspace, findWorkspace } from './workspace-of.ts';

const ALL = 'workspaces/:workspace/vars';
const ONE = `${ALL}/:variable`;

/** The variables of a workspace. The value of a sensitive one is written, and never told again. */
export const VARIABLE_ROWS: Rows = {
  'variables.list': { method: 'GET', path: ALL, run: ofWorkspace(listVariables) },
  'variables.list-all': {
    method: 'GET',
    path: 'workspaces/:workspace/all-vars',
    run: atWorkspace(listEffective),
  },
  'variables.create': { method: 'POST', path: ALL, run: ofWorkspace(createAtWorkspace) },
  'variables.read': { method: 'GET', path: ONE, run: ofWorkspace(readVariable) },
  'variables.update': { method: 'PATCH', path: ONE, run: ofWorkspace(updateVariable) },
  'variables.delete': { method: 'DELETE', path: ONE, run: ofWorkspace(deleteVariable) },
};

/** What variables are of, in a relationship of each. */
export interface VariableOwner {
  readonly id: string;
  readonly type: 'workspaces' | 'varsets';
}

type OfOwner = (call: DoorCall, place: Address, owner: VariableOwner) => Promise<Answer>;

function ofWorkspace(run: OfOwner): Rows[string]['run'] {
  return atWorkspace((call, address) => run(call, address, ownerAt(address)));
}

function ownerAt(address: Address): VariableOwner {
  return { id: workspaceId(address), type: 'workspaces' };
}

/** Larger than a value, whose characters may be escaped. */
const DOCUMENT_BYTES_MAX: number = 6 * VARIABLE_BYTES_MAX + 64 * 1024;

const ATTRIBUTES = z.object({
  key: z.string().optional(),
  value: z.string().nullish(),
  category: z.enum(VARIABLE_CATEGORIES).optional(),
  hcl: z.boolean().nullish(),
  sensitive: z.boolean().nullish(),
  description: z.string().nullish(),
});

async function listVariables(call: DoorCall, place: Address, owner: VariableOwner): Promise<Answer> {
  const answer = await call.house.workspaces.variables.list(call.caller, place);
  if (answer.type !== 'variables') return refused(answer);
  return reply(
    call,
    answer.variables.map((variable) => describeVariable(owner, variable)),
  );
}

/** What runs of a workspace get, those of sets too. */
async function listEffective(call: DoorCall, address: Address): Promise<Answer> {
  const answer = await call.house.workspaces.sets.effective(call.caller, address);
  if (answer.type !== 'effective') return refused(answer);
  const data = answer.variables.map(({ set, variable }) =>
    describeVariable(set === null ? ownerAt(address) : { id: set.id, type: 'varsets' }, variable),
  );
  return reply(call, data);
}

async function readVariable(call: DoorCall, place: Address, owner: VariableOwner): Promise<Answer> {
  const answer = await call.house.workspaces.variables.list(call.caller, place);
  if (answer.type !== 'variables') return refused(answer);
  const found = answer.variables.find(({ id }) => id === call.params['variable']);
  return found === undefined ? notFound('the variable') : reply(call, describeVariable(owner, found));
}

async function createAtWorkspace(call: DoorCall, address: Address, owner: VariableOwner): Promise<Answer> {
  const there = await findWorkspace(call, address);
  return isError(there) ? there : createVariable(call, address, owner);
}

async function createVariable(call: DoorCall, place: Address, owner: VariableOwner): Promise<Answer> {
  const change = await readChange(call, place);
  if (isError(change)) return change;
  const answer = await call.house.workspaces.variables.set(call.caller, place, null, change);
  return settled(call, owner, answer, 201);
}

async function updateVariable(call: DoorCall, place: Address, owner: VariableOwner): Promise<Answer> {
  const change = await readChange(call, place);
  if (isError(change)) return change;
  const id = call.params['variable'] ?? '';
  const answer = await call.house.workspaces.variables.set(call.caller, place, id, change);
  return settled(call, owner, answer, 200);
}

async function deleteVariable(call: DoorCall, place: Address): Promise<Answer> {
  const id = call.params['variable'] ?? '';
  const answer = await call.house.workspaces.variables.remove(call.caller, place, id);
  if (answer.type === 'removed') return emptyReply(call);
  return answer.type === 'absent' ? notFound('the variable') : refused(answer);
}

/** What a document sets. The body is read only of who may write. */
async function readChange(call: DoorCall, address: Address): Promise<VariableChange | HcpError> {
  const refusal = await call.house.locks.refuse(call.caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call, DOCUMENT_BYTES_MAX);
  if (isError(sent)) return sent;
  const parsed = ATTRIBUTES.safeParse(sent.attributes);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`invalid ${issue?.path.join('.') ?? 'attribute'}: ${issue?.message ?? ''}`);
  }
  const given = Object.entries(parsed.data).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given);
}

function settled(call: DoorCall, owner: VariableOwner, answer: SetVariableAnswer, status: number): Answer {
  switch (answer.type) {
    case 'set':
      return reply(call, describeVariable(owner, answer.variable), { status });
    case 'absent':
      return notFound('the variable');
    case 'full':
      return full('variables', answer.limit);
    case 'invalid':
      return invalid(answer.problem);
    default:
      return refused(answer);
  }
}

function describeVariable(owner: VariableOwner, variable: Variable): Resource {
  const { id, key, value, category, hcl, sensitive, description, createdAt, version } = variable;
  const isOfSet = owner.type === 'varsets';
  const path = isOfSet ? `varsets/${owner.id}/relationships/vars` : `workspaces/${owner.id}/vars`;
  return {
    id,
    type: 'vars',
    attributes: {
      key,
      value,
      category,
      hcl,
      sensitive,
      description,
      'created-at': new Date(createdAt).toISOString(),
      'version-id': version,
    },
    relationships: { [isOfSet ? 'varset' : 'configurable']: toOne(owner) },
    links: { self: `${API_PREFIX}${path}/${id}` },
  };
}

/** The same operations for whatever has variables. */
export const variablesAt: Readonly<Record<'list' | 'read' | 'create' | 'update' | 'remove', OfOwner>> = {
  list: listVariables,
  read: readVariable,
  create: createVariable,
  update: updateVariable,
  remove: deleteVariable,
};
