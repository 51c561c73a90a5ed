import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { StateShape, VersionShape } from '../../../../src/api/shapes/state.ts';
import { api, pathOf } from '../../api.ts';
import { countText, operationText, sizeText } from '../../format.ts';
import { Panel } from '../../parts/frame.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Badge, Moment, Subject } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { place, setQuery, withQuery } from '../../route.ts';
import { narrow } from '../../screen.ts';
import { may } from '../../session.ts';
import { usePages } from '../../use-pages.ts';
import { ChangesOf } from './changes.ts';
import { Diff } from './diff.tsx';
import { Restore } from './restore.tsx';

const PAGE = 100;

/** The versions of a state, two of which can be compared, and any of which can be brought back. */
export function History({ state }: { state: StateShape }): JSX.Element {
  const { address, newest } = state;
  const pages = usePages(
    async (cursor) => {
      const { versions, next } = await api.ask('list-versions', { query: { address, limit: PAGE, cursor } });
      return { items: versions, next };
    },
    `${address} ${newest?.version ?? 0}`,
  );
  const changes = useMemo(() => new ChangesOf(address), [address, newest?.version]);
  const [restoring, setRestoring] = useState<VersionShape | null>(null);
  const { query } = place.value;
  const [from, to] = [numberIn(query.get('from')), numberIn(query.get('to'))];
  return (
    <>
      {from !== null && to !== null && (
        <Panel
          title={`What changed from version ${from} to ${to}`}
          aside={
            <a class="button small" href={withQuery({ from: '', to: '' })}>
              Close
            </a>
          }
        >
          <Diff address={address} from={from} to={to} />
        </Panel>
      )}
      <Panel
        title="Versions"
        aside={
          <span class="hint">
            {from !== null && to === null ? 'Choose a second one to compare' : 'Choose two to compare'}
          </span>
        }
      >
        {pages.loading && pages.items.length === 0 ? (
          <Loading what="the versions" />
        ) : pages.error !== null && pages.items.length === 0 ? (
          <Failure error={pages.error} what="the versions" again={pages.again} />
        ) : pages.items.length === 0 ? (
          <Empty title="No version is kept" />
        ) : (
          <>
            <div class="version-row head" aria-hidden="true">
              <span />
              <span>version</span>
              <span>written</span>
              <span>by</span>
              <span>operation</span>
              <span>door</span>
              <span class="num">serial</span>
              <span class="num">size</span>
              <span>changes</span>
              <span />
            </div>
            <Windowed
              rows={pages.items}
              keyOf={({ version }) => String(version)}
              heightOf={narrow.value ? narrowHeight : wideHeight}
              label="Versions, the newest first"
              nearEnd={pages.next}
              render={(version) => (
                <VersionRow
                  address={address}
                  version={version}
                  changes={changes}
                  chosen={version.version === from || version.version === to}
                  choose={() => choose(version.version, from, to)}
                  restore={
                    version.version !== newest?.version && may('restore', address)
                      ? () => setRestoring(version)
                      : null
                  }
                />
              )}
            />
          </>
        )}
      </Panel>
      {restoring !== null && newest !== null && (
        <Restore
          address={address}
          version={restoring}
          newest={newest.version}
          close={() => setRestoring(null)}
        />
      )}
    </>
  );
}

function wideHeight(): number {
  return 38;
}

function narrowHeight(): number {
  return 66;
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Chooses a version to compare, or no longer; the older one is compared with the newer one. */
function choose(version: number, from: number | null, to: number | null): void {
  const former = [from, to].filter((one): one is number => one !== null);
  const chosen = former.includes(version)
    ? former.filter((one) => one !== version)
    : [...former.slice(-1), version];
  const [older, newer] = chosen.toSorted((one, other) => one - other);
  setQuery({ from: older === undefined ? '' : String(older), to: newer === undefined ? '' : String(newer) });
}

function VersionRow({
  address,
  version,
  changes,
  chosen,
  choose,
  restore,
}: {
  address: string;
  version: VersionShape;
  changes: ChangesOf;
  chosen: boolean;
  choose: () => void;
  restore: (() => void) | null;
}): JSX.Element {
  const number = version.version;
  return (
    <div class={chosen ? 'version-row chosen' : 'version-row'}>
      <input type="checkbox" checked={chosen} onChange={choose} aria-label={`Compare version ${number}`} />
      <span class="version">
        <a href={withQuery({ tab: 'resources', version: String(number), from: '', to: '' })}>
          {countText(number)}
        </a>
      </span>
      <span class="when">
        <Moment at={version.at} />
      </span>
      <span class="who">
        <Subject subject={version.subject} />
      </span>
      <span class="operation">
        {version.operation === null ? <span class="dim">no lock</span> : operationText(version.operation)}
        {version.restoredFrom !== null && <Badge tone="accent">{`restores ${version.restoredFrom}`}</Badge>}
        {version.forced && <Badge tone="warn">forced</Badge>}
      </span>
      <span class="door dim">{version.door}</span>
      <span class="num serial">{version.serial}</span>
      <span class="num size">{sizeText(version.size)}</span>
      <span class="changes">
        <ChangeCounts changes={changes} version={number} />
      </span>
      <span class="act">
        <a
          class="button small"
          href={pathOf('download-version', { address, version: number })}
          download={`${address.replaceAll('/', '-')}.v${number}.tfstate`}
          aria-label={`Download version ${number}`}
        >
          <span aria-hidden="true">↓</span>
        </a>
        {restore !== null && (
          <button
            type="button"
            class="button small"
            onClick={restore}
            aria-label={`Restore version ${number}`}
          >
            Restore…
          </button>
        )}
      </span>
    </div>
  );
}

/** How many instances were added, changed and removed, as a link to which. */
function ChangeCounts({ changes, version }: { changes: ChangesOf; version: number }): JSX.Element {
  const known = changes.of(version).value;
  if (known === null) return <span class="dim">…</span>;
  if (known === 'unknown' || known.counts === null) {
    return (
      <span class="dim">{known === 'unknown' || known.problem === null ? 'not known' : known.problem}</span>
    );
  }
  const { added, changed, removed } = known.counts;
  const counts = (
    <>
      <Count tone="good" sign="+" count={added} says="added" />
      <Count tone="warn" sign="~" count={changed} says="changed" />
      <Count tone="bad" sign="−" count={removed} says="removed" />
      {added + changed + removed === 0 && <span class="dim">none</span>}
    </>
  );
  return known.before === null ? (
    <span class="counts">{counts}</span>
  ) : (
    <a href={withQuery({ tab: 'history', from: String(known.before), to: String(version) })} class="counts">
      {counts}
    </a>
  );
}

function Count({
  tone,
  sign,
  count,
  says,
}: {
  tone: string;
  sign: string;
  count: number;
  says: string;
}): JSX.Element | null {
  return count === 0 ? null : (
    <span class={tone}>
      {sign}
      {countText(count)}
      <span class="hidden"> {says}</span>
    </span>
  );
}
