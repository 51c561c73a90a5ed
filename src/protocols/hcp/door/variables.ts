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
  'variables.list': { method: 'GET', path: ALL, run: atWorkspace(listVariables) },
  'variables.list-all': {
    method: 'GET',
    path: 'workspaces/:workspace/all-vars',
    run: atWorkspace(listVariables),
  },
  'variables.create': { method: 'POST', path: ALL, run: atWorkspace(createVariable) },
  'variables.read': { method: 'GET', path: ONE, run: atWorkspace(readVariable) },
  'variables.update': { method: 'PATCH', path: ONE, run: atWorkspace(updateVariable) },
  'variables.delete': { method: 'DELETE', path: ONE, run: atWorkspace(deleteVariable) },
};

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

async function listVariables(call: DoorCall, address: Address): Promise<Answer> {
  const answer = await call.house.workspaces.variables.list(call.caller, address);
  if (answer.type !== 'variables') return refused(answer);
  return reply(
    call,
    answer.variables.map((variable) => describeVariable(address, variable)),
  );
}

async function readVariable(call: DoorCall, address: Address): Promise<Answer> {
  const answer = await call.house.workspaces.variables.list(call.caller, address);
  if (answer.type !== 'variables') return refused(answer);
  const found = answer.variables.find(({ id }) => id === call.params['variable']);
  return found === undefined ? notFound('the variable') : reply(call, describeVariable(address, found));
}

async function createVariable(call: DoorCall, address: Address): Promise<Answer> {
  const change = await readChange(call, address);
  if (isError(change)) return change;
  const there = await findWorkspace(call, address);
  if (isError(there)) return there;
  const answer = await call.house.workspaces.variables.set(call.caller, address, null, change);
  return settled(call, address, answer, 201);
}

async function updateVariable(call: DoorCall, address: Address): Promise<Answer> {
  const change = await readChange(call, address);
  if (isError(change)) return change;
  const id = call.params['variable'] ?? '';
  const answer = await call.house.workspaces.variables.set(call.caller, address, id, change);
  return settled(call, address, answer, 200);
}

async function deleteVariable(call: DoorCall, address: Address): Promise<Answer> {
  const id = call.params['variable'] ?? '';
  const answer = await call.house.workspaces.variables.remove(call.caller, address, id);
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

function settled(call: DoorCall, address: Address, answer: SetVariableAnswer, status: number): Answer {
  switch (answer.type) {
    case 'set':
      return reply(call, describeVariable(address, answer.variable), { status });
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

function describeVariable(address: Address, variable: Variable): Resource {
  const { id, key, value, category, hcl, sensitive, description, createdAt, version } = variable;
  const workspace = workspaceId(address);
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
    relationships: { configurable: toOne({ id: workspace, type: 'workspaces' }) },
    links: { self: `${API_PREFIX}workspaces/${workspace}/vars/${id}` },
  };
}
