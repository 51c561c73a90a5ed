import type { JSX } from 'preact';
import type { StateShape } from '../../../../src/api/shapes/state.ts';
import { api } from '../../api.ts';
import { sizeText } from '../../format.ts';
import { View } from '../../parts/frame.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { AddressLink, Ago, Badge, Subject } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { place, setQuery } from '../../route.ts';
import { narrow } from '../../screen.ts';
import { usePages } from '../../use-pages.ts';

const PAGE = 200;

/** All states that one may read. */
export function Explore(): JSX.Element {
  const { query } = place.value;
  const search = query.get('q') ?? '';
  const deleted = query.has('deleted');
  const pages = usePages(async (cursor) => {
    const asked = {
      limit: PAGE,
      cursor,
      ...(search === '' ? {} : { search }),
      ...(deleted ? { deleted: true } : {}),
    };
    const { states, next } = await api.ask('list-states', { query: asked });
    return { items: states, next };
  }, `${search} ${deleted}`);
  return (
    <View title="Explore">
      <div class="toolbar">
        <input
          type="search"
          class="grow"
          placeholder="Find states by project, key or workspace"
          aria-label="Find states"
          value={search}
          onInput={(event) => setQuery({ q: event.currentTarget.value })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={deleted}
            onChange={(event) => setQuery({ deleted: event.currentTarget.checked ? '1' : '' })}
          />
          Deleted ones
        </label>
      </div>
      {pages.loading && pages.items.length === 0 ? (
        <Loading what="the states" />
      ) : pages.error !== null && pages.items.length === 0 ? (
        <Failure error={pages.error} what="the states" again={pages.again} />
      ) : pages.items.length === 0 ? (
        <Empty
          title={search === '' ? 'There is no state that you may read' : 'No state has this in its name'}
        >
          A state appears here with its first write.
        </Empty>
      ) : (
        <div class="panel">
          <Windowed
            rows={pages.items}
            keyOf={({ address }) => address}
            heightOf={narrow.value ? narrowHeight : wideHeight}
            label="States"
            nearEnd={pages.next}
            render={(state) => <StateRow state={state} />}
          />
        </div>
      )}
    </View>
  );
}

function wideHeight(): number {
  return 38;
}

function narrowHeight(): number {
  return 58;
}

function StateRow({ state }: { state: StateShape }): JSX.Element {
  const { newest, lock } = state;
  return (
    <div class="state-row">
      <AddressLink address={state.address} />
      <span class="marks">
        {lock !== null && (
          <Badge tone="accent">{lock.waiting > 0 ? `locked, ${lock.waiting} wait` : 'locked'}</Badge>
        )}
        {state.deletedAt !== null && <Badge tone="bad">deleted</Badge>}
      </span>
      {newest === null ? (
        <span class="dim">no version yet</span>
      ) : (
        <>
          <span class="who">
            <Subject subject={newest.subject} />
          </span>
          <span class="when dim">
            <Ago at={newest.at} />
          </span>
          <span class="num version">v{newest.version}</span>
          <span class="num size dim">{sizeText(newest.size)}</span>
        </>
      )}
    </div>
  );
}
