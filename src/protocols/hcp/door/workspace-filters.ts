import type { Workspace } from '../../../house/workspaces/workspaces.ts';
import { readProjectId, workspaceName } from '../layout.ts';
import { invalid, type HcpError } from './errors.ts';

/** What a list of workspaces is narrowed by. */
export interface WorkspaceSearch {
  /** Text that the name has in it. */
  readonly name: string;
  /** The name with stars for any text. */
  readonly wildcard: RegExp | null;
  /** Tags that it has, each by key or by key and value. */
  readonly tags: readonly (readonly [key: string, value: string | null])[];
  readonly withoutTags: readonly string[];
  /** The group; undefined for any. */
  readonly group: string | null | undefined;
}

const FILTERS_MAX = 50;

/** Reads the filters of a query, as go-tfe writes them. */
export function searchOf(
  query: ReadonlyMap<string, string>,
  organization: string,
): WorkspaceSearch | HcpError {
  const project = query.get('filter[project][id]');
  const read = project === undefined || project === '' ? undefined : readProjectId(project);
  const isElsewhere = read === null || (read !== undefined && read.organization !== organization);
  const tagged = taggedIn(query);
  if (tagged.length > FILTERS_MAX) return invalid(`expected at most ${FILTERS_MAX} filters`);
  const wildcard = query.get('search[wildcard-name]') ?? '';
  return {
    name: (query.get('search[name]') ?? query.get('search[fuzzy-name]') ?? '').toLowerCase(),
    wildcard: wildcard === '' ? null : wildcardOf(wildcard),
    tags: [...listIn(query.get('search[tags]')).map((key) => [key, null] as const), ...tagged],
    withoutTags: listIn(query.get('search[exclude-tags]')),
    // A project of another organization has no workspace here.
    group: isElsewhere ? '' : read === undefined ? undefined : (read?.name ?? null),
  };
}

export function matchesFilters({ address, record }: Workspace, search: WorkspaceSearch): boolean {
  const name = workspaceName(address).toLowerCase();
  const tags = record?.tags ?? {};
  return (
    name.includes(search.name) &&
    (search.wildcard === null || search.wildcard.test(name)) &&
    search.tags.every(
      ([key, value]) => Object.hasOwn(tags, key) && (value === null || tags[key] === value),
    ) &&
    !search.withoutTags.some((key) => Object.hasOwn(tags, key)) &&
    (search.group === undefined || (record?.group ?? null) === search.group)
  );
}

/** `filter[tagged][0][key]=…&filter[tagged][0][value]=…` */
function taggedIn(query: ReadonlyMap<string, string>): readonly (readonly [string, string | null])[] {
  return [...query].flatMap(([name, key]) => {
    const [, index] = /^filter\[tagged\]\[(\d{1,4})\]\[key\]$/.exec(name) ?? [];
    if (index === undefined) return [];
    const value = query.get(`filter[tagged][${index}][value]`) ?? '';
    return [[key, value === '' ? null : value] as const];
  });
}

function listIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').filter((word) => word !== '');
}

/** A star at the beginning or the end, as HCP takes them. */
function wildcardOf(pattern: string): RegExp {
  const [, before = '', middle = '', after = ''] = /^(\**)(.*?)(\**)$/s.exec(pattern.toLowerCase()) ?? [];
  const plain = middle.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`${before === '' ? '^' : ''}${plain}${after === '' ? '$' : ''}`, 's');
}
