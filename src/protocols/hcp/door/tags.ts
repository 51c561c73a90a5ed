import type { Address } from '../../../core/address.ts';
import type { DoorReply } from '../../door.ts';
import { toOne, type Resource, type SentResource } from '../json-api.ts';
import { readTagId, tagId } from '../layout.ts';
import {
  emptyReply,
  isError,
  pageOf,
  readMany,
  reply,
  type Answer,
  type DoorCall,
  type Rows,
} from './call.ts';
import { full, invalid, refused, type HcpError } from './errors.ts';
import { atWorkspace, findWorkspace } from './workspace-of.ts';
import { readTags, TAGS_MAX } from './workspace-settings.ts';

const BY_ID = 'workspaces/:workspace';

/** Tags: a key, and a value that may be empty. One without a value is what HCP calls a tag of a name. */
export const TAG_ROWS: Rows = {
  'workspaces.list-tag-bindings': {
    method: 'GET',
    path: `${BY_ID}/tag-bindings`,
    run: atWorkspace(listBindings),
  },
  'workspaces.list-effective-tag-bindings': {
    method: 'GET',
    path: `${BY_ID}/effective-tag-bindings`,
    run: atWorkspace(listBindings),
  },
  'workspaces.add-tag-bindings': {
    method: 'PATCH',
    path: `${BY_ID}/tag-bindings`,
    run: atWorkspace(addBindings),
  },
  'workspaces.list-tags': { method: 'GET', path: `${BY_ID}/relationships/tags`, run: atWorkspace(listTags) },
  'workspaces.add-tags': { method: 'POST', path: `${BY_ID}/relationships/tags`, run: atWorkspace(addTags) },
  'workspaces.remove-tags': {
    method: 'DELETE',
    path: `${BY_ID}/relationships/tags`,
    run: atWorkspace(removeTags),
  },
  'organization-tags.list': { method: 'GET', path: 'organizations/:organization/tags', run: listAllTags },
  'organization-tags.delete': {
    method: 'DELETE',
    path: 'organizations/:organization/tags',
    run: deleteTags,
  },
};

type Tags = Readonly<Record<string, string>>;

async function listBindings(call: DoorCall, address: Address): Promise<Answer> {
  const found = await findWorkspace(call, address);
  return isError(found)
    ? found
    : bindingReply(call, call.params['workspace'] ?? '', found.record?.tags ?? {});
}

async function addBindings(call: DoorCall, address: Address): Promise<Answer> {
  const tags = await changeTags(call, address, tagsAfter);
  return isError(tags) ? tags : bindingReply(call, call.params['workspace'] ?? '', tags);
}

async function listTags(call: DoorCall, address: Address): Promise<Answer> {
  const found = await findWorkspace(call, address);
  if (isError(found)) return found;
  const names = Object.entries(found.record?.tags ?? {}).filter(([, value]) => value === '');
  const paged = pageOf(call, names);
  if (isError(paged)) return paged;
  const data = paged.items.map(([name]) => describeTag(address.project, name, null));
  return reply(call, data, { page: paged.page });
}

async function addTags(call: DoorCall, address: Address): Promise<Answer> {
  const tags = await changeTags(call, address, (before, sent) =>
    tagsAfter(
      before,
      sent.map((tag) => named(address.project, tag)),
    ),
  );
  return isError(tags) ? tags : emptyReply(call);
}

/** A tag that is told by its ID alone, with its name. */
function named(organization: string, tag: SentResource): SentResource {
  const name = tag.attributes['name'] ?? readTagId(organization, tag.id ?? '');
  return { ...tag, attributes: { ...tag.attributes, name } };
}

/** Names are told by themselves, or as the IDs of tags. */
async function removeTags(call: DoorCall, address: Address): Promise<Answer> {
  const tags = await changeTags(call, address, (before, sent) => {
    const gone = new Set(
      sent.map(({ id, attributes: { name } }) => (typeof name === 'string' ? name : (id ?? ''))),
    );
    return Object.fromEntries(
      Object.entries(before).filter(([key]) => !gone.has(key) && !gone.has(tagId(address.project, key))),
    );
  });
  return isError(tags) ? tags : emptyReply(call);
}

/** The tags of all workspaces of an organization that one may list. */
async function listAllTags(call: DoorCall): Promise<Answer> {
  const organization = call.params['organization'] ?? '';
  const answer = await call.house.workspaces.kept.list(call.caller, organization);
  if (answer.type !== 'workspaces') return refused(answer);
  const counts = new Map<string, number>();
  for (const { record } of answer.workspaces) {
    for (const [key, value] of Object.entries(record?.tags ?? {})) {
      if (value === '') counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const search = (call.query.get('q') ?? '').toLowerCase();
  const found = [...counts]
    .filter(([name]) => name.toLowerCase().includes(search))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const paged = pageOf(call, found);
  if (isError(paged)) return paged;
  const data = paged.items.map(([name, count]) => describeTag(organization, name, count));
  return reply(call, data, { page: paged.page });
}

/** Takes tags off all workspaces of an organization, for whoever may write all of them. */
async function deleteTags(call: DoorCall): Promise<Answer> {
  const { house, caller, params } = call;
  const organization = params['organization'] ?? '';
  const all = { project: organization, key: '*', workspace: '*' };
  const refusal = await house.locks.refuse(caller, 'write', all);
  if (refusal !== null) return refused(refusal);
  const answer = await house.workspaces.kept.list(caller, organization);
  if (answer.type !== 'workspaces') return refused(answer);
  const sent = await readMany(call);
  if (isError(sent)) return sent;
  const names = new Set(sent.map(({ id }) => readTagId(organization, id ?? '')));
  const kept = (tags: Tags): Tags =>
    Object.fromEntries(Object.entries(tags).filter(([key, value]) => value !== '' || !names.has(key)));
  const having = answer.workspaces.filter(({ record }) => {
    const tags = record?.tags ?? {};
    return Object.keys(kept(tags)).length < Object.keys(tags).length;
  });
  for (const { address } of having) {
    const set = await house.workspaces.kept.set(caller, address, (before) => ({
      tags: kept(before?.tags ?? {}),
    }));
    if (set.type === 'full') return full('workspaces', set.limit);
    if (set.type !== 'set') return refused(set);
  }
  return emptyReply(call);
}

async function changeTags(
  call: DoorCall,
  address: Address,
  change: (before: Tags, sent: readonly SentResource[]) => Tags | HcpError,
): Promise<Tags | HcpError> {
  const refusal = await call.house.locks.refuse(call.caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const sent = await readMany(call);
  if (isError(sent)) return sent;
  let problem: HcpError | null = null;
  const answer = await call.house.workspaces.kept.set(call.caller, address, (before) => {
    const after = change(before?.tags ?? {}, sent);
    problem = isError(after) ? after : null;
    return isError(after) ? {} : { tags: after };
  });
  if (problem !== null) return problem;
  if (answer.type === 'full') return full('workspaces', answer.limit);
  return answer.type === 'set' ? (answer.workspace.record?.tags ?? {}) : refused(answer);
}

/** The tags once others were added to them. */
export function tagsAfter(before: Tags, sent: readonly SentResource[]): Tags | HcpError {
  const added = readTags(sent);
  if (isError(added)) return added;
  const after = { ...before, ...added };
  return Object.keys(after).length > TAGS_MAX ? invalid(`expected at most ${TAGS_MAX} tags`) : after;
}

/** Tags as bindings. @param owner the ID of what they are bound to */
export function bindingReply(call: DoorCall, owner: string, tags: Tags): DoorReply {
  const data = Object.entries(tags).map(([key, value]): Resource => ({
    id: `tb-${owner}-${Buffer.from(key).toString('base64url')}`,
    type: call.operation.includes('effective') ? 'effective-tag-bindings' : 'tag-bindings',
    attributes: { key, value },
  }));
  return reply(call, data);
}

function describeTag(organization: string, name: string, count: number | null): Resource {
  return {
    id: tagId(organization, name),
    type: 'tags',
    attributes: { name, ...(count === null ? {} : { 'instance-count': count }) },
    relationships: { organization: toOne({ id: organization, type: 'organizations' }) },
  };
}
