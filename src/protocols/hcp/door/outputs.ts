import type { Address } from '../../../core/address.ts';
import { stateVersionId, readOutputId, readStateVersionId, type StateVersionName } from '../layout.ts';
import { isError, pageOf, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { notFound, type HcpError } from './errors.ts';
import { describeOutput } from './output-view.ts';
import { readOutputs } from './state-content.ts';
import { findVersion } from './state-versions.ts';
import { atWorkspace } from './workspace-of.ts';

/** The outputs of a state: those that are sensitive are shown one at a time, to whoever may read the state. */
export const OUTPUT_ROWS: Rows = {
  'state-version-outputs.read-current': {
    method: 'GET',
    path: 'workspaces/:workspace/current-state-version-outputs',
    run: atWorkspace(listCurrent),
  },
  'state-versions.list-outputs': {
    method: 'GET',
    path: 'state-versions/:version/outputs',
    run: listOfVersion,
  },
  'state-version-outputs.read': { method: 'GET', path: 'state-version-outputs/:output', run: readOne },
};

async function listCurrent(call: DoorCall, address: Address): Promise<Answer> {
  return list(call, address, { number: null, told: false });
}

async function listOfVersion(call: DoorCall): Promise<Answer> {
  const name = readStateVersionId(call.params['version'] ?? '');
  if (name === null) return notFound('the state version');
  const number = await numberOf(call, name);
  return isError(number) ? number : list(call, name.address, { number, told: true });
}

/** @param told whether sensitive values are told to who may read them: HCP hides those of the newest state in its list */
async function list(
  call: DoorCall,
  address: Address,
  { number, told }: { readonly number: number | null; readonly told: boolean },
): Promise<Answer> {
  const read = await readOutputs(call, address, number);
  if (isError(read)) return read;
  const paged = pageOf(call, read.outputs);
  if (isError(paged)) return paged;
  const data = paged.items.map((output) =>
    describeOutput(address, read.version, output, told && read.reveal),
  );
  return reply(call, data, { page: paged.page });
}

async function readOne(call: DoorCall): Promise<Answer> {
  const name = readOutputId(call.params['output'] ?? '');
  if (name === null) return notFound('the output');
  const number = await numberOf(call, name.version);
  if (isError(number)) return number;
  const { address } = name.version;
  const read = await readOutputs(call, address, number);
  if (isError(read)) return read;
  const output = read.outputs.find((one) => one.name === name.name);
  if (output === undefined) return notFound('the output');
  return reply(call, describeOutput(address, read.version, output, read.reveal));
}

/** The number of a version that is named; null for the newest one, which needs less of a right. */
async function numberOf(call: DoorCall, name: StateVersionName): Promise<number | null | HcpError> {
  const newest = await readOutputs(call, name.address, null);
  if (
    !isError(newest) &&
    stateVersionId({ address: name.address, ...newest.version }) === stateVersionId(name)
  )
    return null;
  const version = await findVersion(call, name);
  return isError(version) ? version : version.number;
}
