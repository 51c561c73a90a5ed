import { projectProblem } from '../../../core/address.ts';
import type { StoredGroup } from '../../../house/workspaces/records.ts';
import { related, toOne, type Resource, type SentResource } from '../json-api.ts';
import { API_PREFIX, projectId, readProjectId, readWorkspaceId } from '../layout.ts';
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
import { bindingReply, tagsAfter } from './tags.ts';
import { readTags } from './workspace-settings.ts';

const IN_ORGANIZATION = 'organizations/:organization/projects';
const BY_ID = 'projects/:project';

/** The project that every organization has, in which a workspace is that is in no other. */
const DEFAULT_NAME = 'Default Project';
const NAME_LENGTH_MAX = 40;
const NAME = /^[A-Za-z0-9][A-Za-z0-9 _-]*[A-Za-z0-9_-]$/;
const DESCRIPTION_LENGTH_MAX = 256;

/** Projects inside an organization: groups of workspaces. Who may what is said of the organization and its workspaces alone. */
export const PROJECT_ROWS: Rows = {
  'projects.list': { method: 'GET', path: IN_ORGANIZATION, run: listProjects },
  'projects.create': { method: 'POST', path: IN_ORGANIZATION, run: createProject },
  'projects.read': { method: 'GET', path: BY_ID, run: readProject },
  'projects.update': { method: 'PATCH', path: BY_ID, run: updateProject },
  'projects.delete': { method: 'DELETE', path: BY_ID, run: deleteProject },
  'projects.list-tag-bindings': { method: 'GET', path: `${BY_ID}/tag-bindings`, run: listBindings },
  'projects.list-effective-tag-bindings': {
    method: 'GET',
    path: `${BY_ID}/effective-tag-bindings`,
    run: listBindings,
  },
  'projects.add-tag-bindings': { method: 'PATCH', path: `${BY_ID}/tag-bindings`, run: addBindings },
  'projects.move-workspaces': {
    method: 'POST',
    path: `${BY_ID}/relationships/workspaces`,
    run: moveWorkspaces,
  },
};

interface Project {
  readonly organization: string;
  /** null for the default one. */
  readonly name: string | null;
  /** null for the default one. */
  readonly group: StoredGroup | null;
}

async function listProjects(call: DoorCall): Promise<Answer> {
  const organization = call.params['organization'] ?? '';
  const all = await projectsOf(call, organization);
  if (isError(all)) return all;
  const names = (call.query.get('filter[names]') ?? '').split(',').filter((name) => name !== '');
  const search = (call.query.get('q') ?? '').toLowerCase();
  const found = all.filter(
    (project) =>
      (names.length === 0 || names.includes(nameOf(project))) &&
      nameOf(project).toLowerCase().includes(search),
  );
  const paged = pageOf(call, found);
  return isError(paged) ? paged : reply(call, paged.items.map(describeProject(call)), { page: paged.page });
}

async function projectsOf(
  { house, caller }: DoorCall,
  organization: string,
): Promise<readonly Project[] | HcpError> {
  if (projectProblem(organization) !== null) return notFound(`organization "${organization}"`);
  const answer = await house.workspaces.kept.groups(caller, organization);
  if (answer.type !== 'groups') return refused(answer);
  return [
    { organization, name: null, group: null },
    ...answer.groups.map(({ name, record }) => ({ organization, name, group: record })),
  ];
}

async function findProject(call: DoorCall): Promise<Project | HcpError> {
  const id = call.params['project'] ?? '';
  const read = readProjectId(id);
  if (read === null) return notFound(`project "${id}"`);
  const all = await projectsOf(call, read.organization);
  if (isError(all)) return all;
  return all.find(({ name }) => name === read.name) ?? notFound(`project "${id}"`);
}

async function readProject(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  return isError(project) ? project : reply(call, describeProject(call)(project));
}

async function createProject(call: DoorCall): Promise<Answer> {
  const organization = call.params['organization'] ?? '';
  const refusal = call.house.projects.refuse(call.caller, 'write', organization);
  if (refusal !== null) return refused(refusal);
  if (projectProblem(organization) !== null) return notFound(`organization "${organization}"`);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name } = sent.attributes;
  if (typeof name !== 'string' || !NAME.test(name) || name.length > NAME_LENGTH_MAX) {
    return invalid(`a project's name has 2 to ${NAME_LENGTH_MAX} letters, digits, spaces, "-" and "_"`);
  }
  const all = await projectsOf(call, organization);
  if (isError(all)) return all;
  if (all.some((project) => nameOf(project) === name)) return invalid('Name has already been taken');
  const group = groupAfter(sent, null);
  if (isError(group)) return group;
  return stored(call, { organization, name, group: null }, group, 201);
}

async function updateProject(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  if (isError(project)) return project;
  const { organization, name, group: before } = project;
  const refusal = call.house.projects.refuse(call.caller, 'write', organization);
  if (refusal !== null) return refused(refusal);
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const wanted = sent.attributes['name'];
  if (name === null || before === null) return invalid(`${DEFAULT_NAME} cannot be changed`);
  if (wanted !== undefined && wanted !== name)
    return invalid('a project cannot be renamed here: make another one, and move its workspaces');
  const group = groupAfter(sent, before);
  return isError(group) ? group : stored(call, project, group, 200);
}

async function deleteProject(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  if (isError(project)) return project;
  const { organization, name } = project;
  if (name === null) return invalid(`${DEFAULT_NAME} cannot be deleted`);
  const answer = await call.house.workspaces.kept.dropGroup(call.caller, { project: organization, name });
  if (answer.type === 'dropped') return emptyReply(call);
  if (answer.type === 'in-use')
    return { status: 422, title: 'the project has workspaces', detail: 'move them to another one first' };
  return refused(answer);
}

async function listBindings(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  return isError(project)
    ? project
    : bindingReply(call, call.params['project'] ?? '', project.group?.tags ?? {});
}

async function addBindings(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  if (isError(project)) return project;
  const { organization, group } = project;
  const refusal = call.house.projects.refuse(call.caller, 'write', organization);
  if (refusal !== null) return refused(refusal);
  const sent = await readMany(call);
  if (isError(sent)) return sent;
  if (group === null) return invalid(`${DEFAULT_NAME} has no tags`);
  const tags = tagsAfter(group.tags, sent);
  if (isError(tags)) return tags;
  const answer = await store(call, project, { ...group, tags });
  return isError(answer) ? answer : bindingReply(call, call.params['project'] ?? '', tags);
}

/** Each workspace is moved by whoever may write it. */
async function moveWorkspaces(call: DoorCall): Promise<Answer> {
  const project = await findProject(call);
  if (isError(project)) return project;
  const sent = await readMany(call);
  if (isError(sent)) return sent;
  for (const { id = '' } of sent) {
    const address = readWorkspaceId(id);
    if (address === null || address.project !== project.organization) return notFound(`workspace "${id}"`);
    const answer = await call.house.workspaces.kept.set(call.caller, address, () => ({
      group: project.name,
    }));
    if (answer.type === 'full') return full('workspaces', answer.limit);
    if (answer.type !== 'set') return refused(answer);
  }
  return emptyReply(call);
}

function groupAfter(
  sent: SentResource,
  before: StoredGroup | null,
): Omit<StoredGroup, 'createdAt'> | HcpError {
  const { description = before?.description ?? '' } = sent.attributes;
  if (
    description !== null &&
    (typeof description !== 'string' || description.length > DESCRIPTION_LENGTH_MAX)
  )
    return invalid(`a description is a text of at most ${DESCRIPTION_LENGTH_MAX} characters`);
  const bindings = related(sent, 'tag-bindings');
  const tags = bindings === null ? (before?.tags ?? {}) : readTags(bindings);
  return isError(tags) ? tags : { description: description ?? '', tags };
}

async function stored(
  call: DoorCall,
  project: Project,
  group: Omit<StoredGroup, 'createdAt'>,
  status: number,
): Promise<Answer> {
  const answer = await store(call, project, group);
  return isError(answer)
    ? answer
    : reply(call, describeProject(call)({ ...project, group: answer }), { status });
}

async function store(
  { house, caller }: DoorCall,
  { organization, name }: Project,
  group: Omit<StoredGroup, 'createdAt'>,
): Promise<StoredGroup | null | HcpError> {
  const place = { project: organization, name: name ?? '' };
  const answer = await house.workspaces.kept.setGroup(caller, place, () => group);
  if (answer.type === 'full') return full('projects', answer.limit);
  return answer.type === 'set' ? answer.group : refused(answer);
}

function nameOf({ name }: Project): string {
  return name ?? DEFAULT_NAME;
}

function describeProject({ house, caller }: DoorCall): (project: Project) => Resource {
  return (project) => {
    const { organization, name, group } = project;
    const mayWrite = house.gate.showsProject(caller.identity, 'write', organization);
    const id = projectId(organization, name);
    return {
      id,
      type: 'projects',
      attributes: {
        name: nameOf(project),
        description: group?.description ?? '',
        'created-at': new Date(group?.createdAt ?? 0).toISOString(),
        'auto-destroy-activity-duration': null,
        'default-execution-mode': 'local',
        'setting-overwrites': { 'default-execution-mode': false, 'default-agent-pool': false },
        permissions: {
          'can-read': true,
          'can-update': mayWrite && name !== null,
          'can-destroy': mayWrite && name !== null,
          'can-create-workspace': mayWrite,
          'can-move-workspace': mayWrite,
        },
      },
      relationships: {
        organization: toOne({ id: organization, type: 'organizations' }),
        'default-agent-pool': toOne(null),
        'tag-bindings': { links: { related: `${API_PREFIX}projects/${id}/tag-bindings` } },
        'effective-tag-bindings': {
          links: { related: `${API_PREFIX}projects/${id}/effective-tag-bindings` },
        },
      },
      links: { self: `${API_PREFIX}projects/${id}` },
    };
  };
}
