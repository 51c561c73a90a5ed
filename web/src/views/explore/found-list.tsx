import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { QueryOf } from '../../../../src/api/operations.ts';
import type { FoundResourceShape, FoundStateShape } from '../../../../src/api/shapes/explore.ts';
import { statePath } from '../../address.ts';
import { api, pathOf } from '../../api.ts';
import { counted, countText } from '../../format.ts';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { AddressLink, Ago, Badge, Foreign, Subject } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { narrow } from '../../screen.ts';
import { usePages } from '../../use-pages.ts';

const PAGE = 100;
const VALUE_LENGTH_MAX = 120;

/** What is asked of the contents of states. */
export type Asked = Omit<QueryOf<'explore'>, 'limit' | 'cursor'>;

/** One line: a state, or a resource in it. */
type Row =
  | { readonly state: FoundStateShape; readonly resource: null }
  | { readonly state: FoundStateShape; readonly resource: FoundResourceShape };

/** The states in which something was found, and the resources that fit. */
export function FoundList({ asked }: { asked: Asked }): JSX.Element {
  const [complete, setComplete] = useState(true);
  const pages = usePages(async (cursor) => {
    const answer = await api.ask('explore', { query: { ...asked, limit: PAGE, cursor } });
    setComplete(answer.complete);
    return { items: answer.states, next: answer.next };
  }, JSON.stringify(asked));
  const rows = useMemo(() => pages.items.flatMap(rowsOf), [pages.items]);
  if (rows.length === 0) {
    if (pages.loading) return <Loading what="what is found" />;
    if (pages.error !== null) {
      return <Failure error={pages.error} what="what is found" again={pages.again} />;
    }
    return (
      <Empty title={complete ? 'Nothing is found' : 'Nothing is found yet'}>
        {complete
          ? 'Words are compared whole: a type, a name or a part of one, an ID. A state is found some moments after it was written.'
          : 'The index is being made: what is not found may be there.'}
      </Empty>
    );
  }
  return (
    <>
      <div class="toolbar">
        <p class="summary" role="status">
          {counted(pages.items.length, 'state')}
          {pages.more && ' and more'}
          {!complete && '; the index is being made, and there may be others'}
        </p>
        <a class="button" href={pathOf('export-explored', asked)} download>
          Export CSV
        </a>
      </div>
      <div class="panel">
        <Windowed
          rows={rows}
          keyOf={({ state, resource }) => `${state.address} ${resource?.address ?? ''}`}
          heightOf={narrow.value ? narrowHeight : wideHeight}
          label="States and the resources that fit"
          nearEnd={pages.next}
          render={(row) =>
            row.resource === null ? <StateRow state={row.state} /> : <ResourceRow {...row} />
          }
        />
      </div>
    </>
  );
}

function rowsOf(state: FoundStateShape): readonly Row[] {
  return [{ state, resource: null }, ...state.resources.map((resource) => ({ state, resource }))];
}

function wideHeight({ resource }: Row): number {
  return resource === null ? 38 : 30;
}

function narrowHeight({ resource }: Row): number {
  return resource === null ? 58 : 48;
}

function StateRow({ state }: { state: FoundStateShape }): JSX.Element {
  const rest = state.matches - state.resources.length;
  return (
    <div class="state-row">
      <AddressLink address={state.address} />
      <span class="marks">
        {state.unread !== null && <Badge tone="warn">{state.unread}</Badge>}
        {rest > 0 && <Badge>{`${countText(rest)} more`}</Badge>}
      </span>
      <span class="who">
        <Subject subject={state.writer} />
      </span>
      <span class="when dim">
        <Ago at={state.at} />
      </span>
      <span class="num version">v{state.version}</span>
      <span class="num size dim">
        <Foreign text={state.terraformVersion} most={20} />
      </span>
    </div>
  );
}

function ResourceRow({
  state,
  resource,
}: {
  state: FoundStateShape;
  resource: FoundResourceShape;
}): JSX.Element {
  return (
    <div class="found-row">
      <a class="mono" href={statePath(state.address, { tab: 'resources', instance: resource.address })}>
        <Foreign text={resource.address} />
      </a>
      <span class="values dim mono">
        {resource.values.map(({ path, value }) => (
          <span key={path}>
            <Foreign text={path} most={60} /> = <Foreign text={value} most={VALUE_LENGTH_MAX} />
          </span>
        ))}
      </span>
    </div>
  );
}
