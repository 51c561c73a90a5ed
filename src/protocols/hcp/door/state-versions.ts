import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import { liveHead, type Version } from '../../../core/world.ts';
import { stateReply } from '../../wire/state-reply.ts';
import { related, toMany } from '../json-api.ts';
import {
  HCP_ALIAS,
  readStateVersionId,
  readWorkspaceName,
  stateVersionId,
  type StateVersionName,
} from '../layout.ts';
import { includes, isError, pageOf, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { invalid, notFound, refused, type HcpError } from './errors.ts';
import { describeOutput } from './output-view.ts';
import { readOutputs } from './state-content.ts';
import { describePending, describeVersion } from './state-version-view.ts';
import { createStateVersion, tellClaim } from './state-version-create.ts';
import { atWorkspace } from './workspace-of.ts';
import { isAddress } from '../../../core/address.ts';
import { readOne } from './call.ts';

/** Versions that are looked through for one, and counted for a list. */
const VERSIONS_MAX = 10_000;

export const STATE_VERSION_ROWS: Rows = {
  'state-versions.create': {
    method: 'POST',
    path: 'workspaces/:workspace/state-versions',
    run: atWorkspace(createStateVersion),
  },
  'state-versions.rollback': {
    method: 'PATCH',
    path: 'workspaces/:workspace/state-versions',
    run: atWorkspace(rollBack),
  },
  'state-versions.read-current': {
    method: 'GET',
    path: 'workspaces/:workspace/current-state-version',
    run: atWorkspace(readCurrent),
  },
  'state-versions.list': { method: 'GET', path: 'state-versions', run: listVersions },
  'state-versions.read': { method: 'GET', path: 'state-versions/:version', run: readVersion },
  'state-versions.download': { method: 'GET', path: 'state-versions/:version/download', run: download },
};

async function readCurrent(call: DoorCall, address: Address): Promise<Answer> {
  const described = await call.house.states.describe(call.caller, address);
  if (described.type !== 'described') return refused(described);
  const { head } = described;
  return head === null ? notFound('a state') : versionReply(call, address, head, null);
}

async function readVersion(call: DoorCall): Promise<Answer> {
  const name = readStateVersionId(call.params['version'] ?? '');
  if (name === null) return notFound('the state version');
  const found = await findVersion(call, name);
  if (isError(found)) {
    if (found.status !== 404) return found;
    const pending = await call.house.workspaces.pending.find(call.caller, name.address, name.serial);
    if (pending.type === 'absent') return found;
    return pending.type === 'pending'
      ? reply(call, describePending(call, name.md5, pending.pending, null))
      : refused(pending);
  }
  const head = await newest(call, name.address);
  return versionReply(call, name.address, found, head?.number === found.number ? null : found.number);
}

/** A version, and its outputs where they are asked for. @param number null for the newest */
async function versionReply(
  call: DoorCall,
  address: Address,
  version: Version,
  number: number | null,
): Promise<Answer> {
  const described = describeVersion(call, address, version);
  if (!includes(call, 'outputs')) return reply(call, described);
  const read = await readOutputs(call, address, number);
  if (isError(read)) return read;
  const included = read.outputs.map((output) => describeOutput(address, read.version, output, false));
  const outputs = toMany(included.map(({ id, type }) => ({ id, type })));
  const relationships = { ...described.relationships, outputs };
  return reply(call, { ...described, relationships }, { included });
}

/** The bytes of a version, to whoever shows a credential that may read it. */
async function download(call: DoorCall): Promise<Answer> {
  const { house, caller, operation, request, params } = call;
  const name = readStateVersionId(params['version'] ?? '');
  if (name === null) return notFound('the state version');
  const version = await findVersion(call, name);
  if (isError(version)) return version;
  const head = await newest(call, name.address);
  const number = head?.number === version.number ? null : version.number;
  const found = await house.states.read(caller, name.address, number);
  if (found.type !== 'found') return refused(found);
  return stateReply(operation, found, request);
}

/**
 * The newest version that an ID names: the newest of all needs less of a right than an old one. Its digest says all; the serial
 * in an ID may be what a client said of it.
 */
export async function findVersion(call: DoorCall, name: StateVersionName): Promise<Version | HcpError> {
  const isIt = ({ md5 }: Version): boolean => md5 === name.md5;
  const head = await newest(call, name.address);
  if (head !== null && isIt(head)) return head;
  const { house, caller } = call;
  const answer = await house.history.versions(caller, name.address, { limit: VERSIONS_MAX });
  if (answer.type !== 'versions') return refused(answer);
  return answer.versions.find(isIt) ?? notFound('the state version');
}

async function newest({ house, caller }: DoorCall, address: Address): Promise<Version | null> {
  const described = await house.states.describe(caller, address);
  return described.type === 'described' ? liveHead(described.world.record) : null;
}

async function listVersions(call: DoorCall): Promise<Answer> {
  const { house, caller, query } = call;
  const [organization, workspace] = [
    query.get('filter[organization][name]') ?? '',
    query.get('filter[workspace][name]') ?? '',
  ];
  if (organization === '' || workspace === '')
    return invalid('expected filter[organization][name] and filter[workspace][name]');
  const address = readWorkspaceName(organization, workspace);
  if (!isAddress(address)) return notFound(`workspace "${workspace}"`);
  const answer = await house.history.versions(caller, address, { limit: VERSIONS_MAX });
  if (answer.type !== 'versions') return refused(answer);
  const paged = pageOf(call, answer.versions);
  if (isError(paged)) return paged;
  const data = paged.items.map((version) => describeVersion(call, address, version));
  return reply(call, data, { page: paged.page });
}

/** Brings an old version back: as the newest one, under the next serial. */
async function rollBack(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller } = call;
  const refusal = await house.locks.refuse(caller, 'restore', address);
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const [wanted] = related(sent, 'rollback-state-version') ?? [];
  const name = readStateVersionId(wanted?.id ?? '');
  if (name === null || stateVersionId({ ...name, address }) !== wanted?.id)
    return invalid('expected the relationship rollback-state-version, to a state version of this workspace');
  const version = await findVersion(call, name);
  if (isError(version)) return version;
  const claim: Claim = tellClaim(call, address) ?? { kind: 'unnamed', aliases: [HCP_ALIAS] };
  const answer = await house.history.restore(caller, address, version.number, claim);
  return answer.type === 'stored'
    ? reply(call, describeVersion(call, address, answer.version))
    : refused(answer);
}
