import type { JSX } from 'preact';
import { place, setQuery } from '../../route.ts';
import { Panel, View } from '../../parts/frame.tsx';
import { Graph } from './graph.tsx';
import { FoundList, type Asked } from './found-list.tsx';
import { StatesList } from './states-list.tsx';

/** What a text is looked for in, by its name in the query; "" for the names of states. */
const KINDS = [
  ['', 'states by name', 'project, key or workspace'],
  ['text', 'anything in states', 'a type, name, address, provider, module or value'],
  ['type', 'resource type', 'aws_instance'],
  ['name', 'resource name', 'web'],
  ['address', 'resource address', 'module.net.aws_subnet.this[0]'],
  ['provider', 'provider', 'aws or hashicorp/aws'],
  ['module', 'module', 'net'],
  ['value', 'value or ID', 'i-0abc1234def567890'],
  ['graph', 'who reads whom', 'of a project; of all for none'],
] as const;

type Kind = (typeof KINDS)[number][0];

/** Finds states, by their names and by what is in them. */
export function Explore(): JSX.Element {
  const { query } = place.value;
  const [kind, , example] = KINDS.find(([name]) => name === query.get('by')) ?? KINDS[0];
  const search = query.get('q') ?? '';
  const deleted = query.has('deleted');
  const asked = askedBy(kind, query);
  return (
    <View title="Explore">
      <div class="toolbar">
        <select
          aria-label="Find"
          value={kind}
          onChange={(event) => setQuery({ by: event.currentTarget.value, deleted: '' })}
        >
          {KINDS.map(([name, says]) => (
            <option key={name} value={name}>
              {says}
            </option>
          ))}
        </select>
        <input
          type="search"
          class="grow"
          placeholder={example}
          aria-label={kind === '' ? 'Find states' : 'What to find'}
          value={search}
          spellcheck={false}
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
        />
        {kind === '' && (
          <label class="check">
            <input
              type="checkbox"
              checked={deleted}
              onChange={(event) => setQuery({ deleted: event.currentTarget.checked ? '1' : '' })}
            />
            Deleted ones
          </label>
        )}
      </div>
      {asked !== null && <Filters />}
      {asked !== null ? (
        <FoundList asked={asked} />
      ) : kind === 'graph' ? (
        <Panel title="Who reads whom">
          <Graph of={search === '' ? {} : { project: search }} />
        </Panel>
      ) : (
        <StatesList search={search} deleted={deleted} />
      )}
    </View>
  );
}

/** What the query asks of the contents of states; null where it asks for names alone. */
function askedBy(kind: Kind, query: URLSearchParams): Asked | null {
  if (kind === '' || kind === 'graph') return null;
  const asked: Record<string, string> = {};
  const text = query.get('q')?.trim() ?? '';
  if (text !== '') asked[kind] = text;
  for (const name of ['terraformVersion', 'writer', 'project'] as const) {
    const value = query.get(name);
    if (value !== null) asked[name] = value;
  }
  for (const name of ['since', 'until'] as const) {
    const at = Date.parse(query.get(name) ?? '');
    if (!Number.isNaN(at)) asked[name] = new Date(at).toISOString();
  }
  return asked;
}

/** What is asked of the newest version of a state. */
function Filters(): JSX.Element {
  const { query } = place.value;
  const field = (name: string) => ({
    value: query.get(name) ?? '',
    onChange: (event: Event & { currentTarget: HTMLInputElement }) =>
      setQuery({ [name]: event.currentTarget.value.trim() }),
  });
  return (
    <div class="toolbar filters">
      <label class="field">
        Project
        <input {...field('project')} placeholder="any" />
      </label>
      <label class="field">
        Written by
        <input {...field('writer')} placeholder="token:ci" />
      </label>
      <label class="field">
        Terraform
        <input {...field('terraformVersion')} placeholder="1.11.4" />
      </label>
      <label class="field">
        Written since
        <input type="date" {...field('since')} />
      </label>
      <label class="field">
        Not since
        <input type="date" {...field('until')} />
      </label>
    </div>
  );
}
