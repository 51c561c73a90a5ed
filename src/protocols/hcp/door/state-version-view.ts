import type { Address } from '../../../core/address.ts';
import type { Version } from '../../../core/world.ts';
import type { PendingState } from '../../../house/workspaces/pending-states.ts';
import { toMany, toOne, type Resource } from '../json-api.ts';
import { API_PREFIX, stateVersionId, userId, workspaceId } from '../layout.ts';
import { originOf, type DoorCall } from './call.ts';

/** A kept version of a state as HCP describes it. */
export function describeVersion({ request }: DoorCall, address: Address, version: Version): Resource {
  const id = stateVersionId({ address, ...version });
  const { serial, at, size, subject, terraformVersion, lineage, md5, number } = version;
  return {
    id,
    type: 'state-versions',
    attributes: {
      'created-at': new Date(at).toISOString(),
      serial,
      lineage,
      md5,
      size,
      status: 'finalized',
      intermediate: false,
      'state-version': 4,
      'terraform-version': terraformVersion === '' ? null : terraformVersion,
      'resources-processed': true,
      'hosted-state-download-url': `${originOf(request)}${API_PREFIX}state-versions/${id}/download`,
      'hosted-json-state-download-url': null,
      'vcs-commit-sha': null,
      'vcs-commit-url': null,
      'statehouse-version': number,
    },
    relationships: relationshipsOf(address, subject),
    links: { self: `${API_PREFIX}state-versions/${id}` },
  };
}

/** A state version that is still to be uploaded. @param ticket null where it is not told again */
export function describePending(
  { request }: Pick<DoorCall, 'request'>,
  md5: string,
  { address, serial, lineage, subject, createdAt }: PendingState,
  ticket: string | null,
): Resource {
  const id = stateVersionId({ address, serial: BigInt(serial), md5 });
  const upload = ticket === null ? null : `${originOf(request)}${API_PREFIX}uploads/states/${id}/${ticket}`;
  return {
    id,
    type: 'state-versions',
    attributes: {
      'created-at': new Date(createdAt).toISOString(),
      serial: BigInt(serial),
      lineage,
      md5,
      size: 0,
      status: 'pending',
      intermediate: false,
      'resources-processed': false,
      'hosted-state-download-url': null,
      'hosted-json-state-download-url': null,
      'hosted-state-upload-url': upload,
      'hosted-json-state-upload-url': upload === null ? null : `${upload}/json`,
      'vcs-commit-sha': null,
      'vcs-commit-url': null,
    },
    relationships: relationshipsOf(address, subject),
    links: { self: `${API_PREFIX}state-versions/${id}` },
  };
}

function relationshipsOf(address: Address, subject: string): Readonly<Record<string, unknown>> {
  return {
    run: toOne(null),
    outputs: toMany([]),
    workspace: toOne({ id: workspaceId(address), type: 'workspaces' }),
    'created-by': toOne({ id: userId(subject), type: 'users' }),
  };
}
