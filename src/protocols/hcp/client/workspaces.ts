import { DEFAULT_WORKSPACE } from '../../../core/address.ts';
import { parseLockInfo, type LockInfo } from '../../../core/lock-info.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { fieldOf, listOf, parseJson, textOf } from '../../wire/json-value.ts';
import type { HcpConfig } from './config.ts';
import { errorsIn, refusal, type HcpReply, type HcpRequests } from './request.ts';

/** A workspace of the service, as it was when it was asked. */
export interface FoundWorkspace {
  readonly id: string;
  readonly attributes: unknown;
  /** Whether the service is a Statehouse server. */
  readonly isHouse: boolean;
  readonly lock: FoundLock | null;
}

/** Who has a workspace's lock. */
export interface FoundLock {
  /** What the holder said of itself; null where it said nothing that can be read. */
  readonly info: LockInfo | null;
  /** The name of the user, as the service tells it; empty where it does not. */
  readonly user: string;
  /** `users`, `teams` or `runs`. */
  readonly kind: string;
  readonly reason: string;
}

/** The workspaces of a folder, and how each is named by the service. */
export class Workspaces {
  readonly #config: HcpConfig;
  readonly #requests: HcpRequests;

  constructor(config: HcpConfig, requests: HcpRequests) {
    this.#config = config;
    this.#requests = requests;
  }

  /** The name that the service has for a workspace. @throws BackendFault where the block has no such workspace */
  nameOf(workspace: string): string {
    const { block, workspaces } = this.#config;
    if (workspaces.by === 'name') {
      if (workspace === DEFAULT_WORKSPACE || workspace === workspaces.name) return workspaces.name;
      throw new BackendFault(
        'configuration',
        `the ${block} block names the workspace "${workspaces.name}", so there is no workspace "${workspace}"`,
        block === 'cloud' ? 'Workspaces with tags allow several.' : 'Workspaces with a prefix allow several.',
      );
    }
    if (workspace !== DEFAULT_WORKSPACE)
      return workspaces.by === 'prefix' ? workspaces.prefix + workspace : workspace;
    throw new BackendFault(
      'configuration',
      `the ${block} block chooses workspaces by ${workspaces.by}: expected a name other than "default"`,
      'Select a workspace: statehouse workspace select NAME, or --workspace NAME.',
    );
  }

  async list(): Promise<readonly string[]> {
    const { organization, workspaces } = this.#config;
    if (workspaces.by === 'name') return [DEFAULT_WORKSPACE];
    const filters = await this.#filters();
    if (filters === null) return [];
    const path = `organizations/${encodeURIComponent(organization)}/workspaces`;
    const prefix = workspaces.by === 'prefix' ? workspaces.prefix : '';
    const found: string[] = [];
    for await (const item of this.#requests.list(path, filters, `list the workspaces of ${organization}`)) {
      const name = textOf(fieldOf(item, 'attributes'), 'name') ?? '';
      if (name.startsWith(prefix) && name !== prefix) found.push(name.slice(prefix.length));
    }
    return found.sort();
  }

  /** A workspace as it is now; null where there is none. @throws BackendFault where its organization is not there */
  async find(workspace: string): Promise<FoundWorkspace | null> {
    const { organization } = this.#config;
    const path = this.#pathOf(workspace);
    const reply = await this.#requests.send({ method: 'GET', path, query: [['include', 'locked_by']] });
    if (reply.status === 200) return readWorkspace(reply);
    if (reply.status !== 404) throw refusal(reply, `find the workspace ${this.nameOf(workspace)}`);
    // The service says of what may not be seen that it is absent: "no state" must not be concluded from that.
    const organizations = `organizations/${encodeURIComponent(organization)}/entitlement-set`;
    const there = await this.#requests.send({ method: 'GET', path: organizations });
    if (there.status === 200) return null;
    if (there.status !== 404) throw refusal(there, `find the organization ${organization}`);
    throw new BackendFault(
      'missing',
      `there is no organization ${organization} at ${this.#config.hostname}, or the token may not see it`,
      'Check the organization, and the token: terraform login makes one.',
    );
  }

  /** A workspace, which is made where it is not there, as terraform does it. */
  async ensure(workspace: string): Promise<FoundWorkspace> {
    return (await this.find(workspace)) ?? (await this.#make(workspace));
  }

  /** @returns null where there was none */
  async delete({ id }: FoundWorkspace): Promise<HcpReply> {
    return this.#requests.send({ method: 'DELETE', path: `workspaces/${id}` });
  }

  async #make(workspace: string): Promise<FoundWorkspace> {
    const { organization, workspaces } = this.#config;
    const project = this.#projectName();
    const projectId = project === null ? null : await this.#projectId(project);
    if (project !== null && projectId === null) {
      throw new BackendFault(
        'missing',
        `there is no project "${project}" in ${organization}`,
        'Make it first.',
      );
    }
    const tags = workspaces.by === 'tags' ? workspaces.tags : [];
    const named = tags.filter(([, value]) => value === '');
    const bound = tags.filter(([, value]) => value !== '');
    const document = JSON.stringify({
      data: {
        type: 'workspaces',
        attributes: { name: this.nameOf(workspace) },
        relationships: {
          ...(named.length === 0
            ? {}
            : { tags: { data: named.map(([name]) => ({ type: 'tags', attributes: { name } })) } }),
          ...(bound.length === 0
            ? {}
            : {
                'tag-bindings': {
                  data: bound.map(([key, value]) => ({ type: 'tag-bindings', attributes: { key, value } })),
                },
              }),
          ...(projectId === null ? {} : { project: { data: { type: 'projects', id: projectId } } }),
        },
      },
    });
    const path = `organizations/${encodeURIComponent(organization)}/workspaces`;
    const reply = await this.#requests.send({ method: 'POST', path, document });
    if (reply.status === 201 || reply.status === 200) return readWorkspace(reply);
    // Another has made it at the same moment, or our own request came twice.
    const there = reply.status === 422 ? await this.find(workspace) : null;
    if (there !== null) return there;
    throw refusal(reply, `make the workspace ${this.nameOf(workspace)}`);
  }

  #pathOf(workspace: string): string {
    const { organization } = this.#config;
    return `organizations/${encodeURIComponent(organization)}/workspaces/${encodeURIComponent(this.nameOf(workspace))}`;
  }

  #projectName(): string | null {
    const { workspaces, project } = this.#config;
    return workspaces.by === 'tags' ? workspaces.project : project;
  }

  /** What a list is narrowed by; null where nothing can be in it. */
  async #filters(): Promise<readonly (readonly [string, string])[] | null> {
    const { workspaces } = this.#config;
    if (workspaces.by === 'name') return [];
    if (workspaces.by === 'prefix') return [['search[name]', workspaces.prefix]];
    const names = workspaces.tags.filter(([, value]) => value === '').map(([key]) => key);
    const filters: (readonly [string, string])[] =
      names.length === 0 ? [] : [['search[tags]', names.join(',')]];
    for (const [index, [key, value]] of workspaces.tags.filter(([, text]) => text !== '').entries()) {
      filters.push([`filter[tagged][${index}][key]`, key], [`filter[tagged][${index}][value]`, value]);
    }
    if (workspaces.project === null) return filters;
    const project = await this.#projectId(workspaces.project);
    return project === null ? null : [...filters, ['filter[project][id]', project]];
  }

  async #projectId(name: string): Promise<string | null> {
    const { organization } = this.#config;
    const path = `organizations/${encodeURIComponent(organization)}/projects`;
    for await (const item of this.#requests.list(path, [['filter[names]', name]], 'list the projects')) {
      if (textOf(fieldOf(item, 'attributes'), 'name') === name) return textOf(item, 'id');
    }
    return null;
  }
}

function readWorkspace(reply: HcpReply): FoundWorkspace {
  const document = parseJson(reply.body);
  const data = fieldOf(document, 'data');
  const attributes = fieldOf(data, 'attributes');
  const id = textOf(data, 'id');
  // What is no ID is not sent where it would be a part of the path.
  if (id === null || !/^[\w-]+$/.test(id) || attributes === null) {
    const message = `invalid answer about a workspace: ${errorsIn(reply).title}`;
    throw new BackendFault('corrupt', message);
  }
  // A Statehouse server tells of a lock more than HCP does.
  const isHouse = typeof attributes === 'object' && 'lock-info' in attributes;
  const isLocked = fieldOf(attributes, 'locked') === true;
  return { id, attributes, isHouse, lock: isLocked ? readLock(document, data, attributes) : null };
}

function readLock(document: unknown, data: unknown, attributes: unknown): FoundLock {
  const reason = textOf(attributes, 'locked-reason') ?? '';
  const said = textOf(attributes, 'lock-info') ?? reason;
  const parsed = said.startsWith('{') ? parseLockInfo(Buffer.from(said)) : null;
  const holder = fieldOf(fieldOf(fieldOf(data, 'relationships'), 'locked-by'), 'data');
  const id = textOf(holder, 'id');
  const included = listOf(document, 'included').find((item) => textOf(item, 'id') === id);
  const told = fieldOf(included, 'attributes');
  return {
    info: parsed !== null && 'info' in parsed ? parsed.info : null,
    user: textOf(told, 'username') ?? textOf(told, 'name') ?? id ?? '',
    kind: textOf(holder, 'type') ?? '',
    reason,
  };
}
