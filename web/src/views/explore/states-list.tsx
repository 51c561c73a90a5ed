import type { JSX } from 'preact';
import type { StateShape } from '../../../../src/api/shapes/state.ts';
import { api } from '../../api.ts';
import { sizeText } from '../../format.ts';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { AddressLink, Ago, Badge, Subject } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { narrow } from '../../screen.ts';
import { usePages } from '../../use-pages.ts';

const PAGE = 200;

/** The states whose address has a text in it; all of them for none. */
export function StatesList({ search, deleted }: { search: string; deleted: boolean }): JSX.Element {
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
  if (pages.items.length > 0) {
    return (
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
    );
  }
  if (pages.loading) return <Loading what="the states" />;
  if (pages.error !== null) return <Failure error={pages.error} what="the states" again={pages.again} />;
  return (
    <Empty title={search === '' ? 'There is no state that you may read' : 'No state has this in its name'}>
      A state appears here with its first write.
    </Empty>
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
