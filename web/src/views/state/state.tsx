import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RunShape } from '../../../../src/api/shapes/run.ts';
import type { StateShape } from '../../../../src/api/shapes/state.ts';
import { addressOfPath, addressParts } from '../../address.ts';
import { api, asApiError } from '../../api.ts';
import { onEvent } from '../../live.ts';
import { Copy } from '../../parts/copy.tsx';
import { Panel, View } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { AddressText, Badge, Moment } from '../../parts/text.tsx';
import { place, withQuery } from '../../route.ts';
import { may } from '../../session.ts';
import { useLoad } from '../../use-load.ts';
import { visibleText } from '../../visible-text.ts';
import { Graph } from '../explore/graph.tsx';
import { History } from './history.tsx';
import { Overview } from './overview.tsx';
import { Outputs } from './outputs.tsx';
import { Resources } from './resources.tsx';
import { Connect } from './connect.tsx';
import { Runs } from './runs.tsx';

/** What one can look at of a state, by the name in the query. */
const TABS = [
  ['overview', 'Overview'],
  ['history', 'History'],
  ['resources', 'Resources'],
  ['outputs', 'Outputs'],
  ['readers', 'Who reads whom'],
  ['connect', 'Connect'],
  ['runs', 'Runs'],
] as const;

const RUNS_MAX = 50;

/** One state. */
export function StatePage(): JSX.Element {
  const address = addressOfPath(place.value.path.slice('/s/'.length));
  if (address === null) {
    return (
      <View title="Not a state">
        <Empty title="This path names no state">
          A state is at /s/PROJECT/KEY or /s/PROJECT/KEY@WORKSPACE.
        </Empty>
      </View>
    );
  }
  return <OneState key={address} address={address} />;
}

function OneState({ address }: { address: string }): JSX.Element {
  const { key } = addressParts(address);
  return (
    <View
      title={visibleText(key)}
      heading={
        <span class="state-title">
          <AddressText address={address} />
        </span>
      }
      aside={<Copy text={address} what="the address" />}
    >
      {may('read-outputs', address) && !may('read', address) ? (
        <>
          <p class="toolbar hint">
            Your credential may read the outputs of this state, and nothing else of it.
          </p>
          <Outputs address={address} newest={undefined} />
        </>
      ) : (
        <Parts address={address} />
      )}
    </View>
  );
}

/** All parts of a state, one at a time. */
function Parts({ address }: { address: string }): JSX.Element {
  const [state, again] = useLoad(() => api.ask('show-state', { query: { address } }), address);
  const [runs, runsAgain] = useLoad(() => readRuns(address), address);
  const executed = runs.kind === 'loaded' ? runs.value : null;
  useEffect(
    () =>
      onEvent((event) => {
        if (event.address !== address) return;
        again();
        runsAgain();
      }),
    [address],
  );
  const tab = place.value.query.get('tab') ?? 'overview';
  return (
    <>
      <nav class="tabs" aria-label="Parts of the state">
        {TABS.filter(([name]) => name !== 'runs' || executed !== null).map(([name, says]) => (
          <a
            key={name}
            href={withQuery({ tab: name === 'overview' ? '' : name, instance: '', version: '' })}
            aria-current={tab === name ? 'page' : undefined}
          >
            {says}
          </a>
        ))}
      </nav>
      <Shown loaded={state} what="the state" again={again}>
        {(found) => (
          <>
            {found.deletedAt !== null && <Deleted state={found} again={again} />}
            {tab === 'runs' && executed !== null ? (
              <Runs address={address} runs={executed} />
            ) : (
              <Part tab={tab} state={found} />
            )}
          </>
        )}
      </Shown>
    </>
  );
}

/** Whether the server executes runs, as far as is known: one that does not is asked no further. */
let executes = true;

/** What the server has executed; null where it executes nothing. */
async function readRuns(address: string): Promise<readonly RunShape[] | null> {
  if (!executes) return null;
  return api.ask('list-runs', { query: { address, limit: RUNS_MAX } }).then(
    ({ runs }) => runs,
    (fault: unknown) => {
      executes = asApiError(fault).status !== 404;
      return null;
    },
  );
}

function Part({ tab, state }: { tab: string; state: StateShape }): JSX.Element {
  switch (tab) {
    case 'history':
      return <History state={state} />;
    case 'resources':
      return <Resources state={state} />;
    case 'outputs':
      return <Outputs address={state.address} newest={state.newest?.version ?? null} />;
    case 'readers':
      return (
        <Panel title="Who reads whom">
          <Graph of={{ address: state.address }} />
        </Panel>
      );
    case 'connect':
      return <Connect address={state.address} />;
    default:
      return <Overview state={state} />;
  }
}

/** Says that a state is deleted, and brings it back. */
function Deleted({ state, again }: { state: StateShape; again: () => void }): JSX.Element {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const undelete = async (): Promise<void> => {
    setBusy(true);
    await api.ask('undelete-state', { query: { address: state.address } }).then(again, (fault: unknown) => {
      setProblem(asApiError(fault).message);
    });
    setBusy(false);
  };
  return (
    <div class="banner">
      <Badge tone="bad">deleted</Badge>
      <span>
        {state.deletedAt !== null && <Moment at={state.deletedAt} />}. Its versions are kept until they are
        purged.
      </span>
      {may('restore', state.address) && (
        <button type="button" class="button" disabled={busy} onClick={() => void undelete()}>
          Undelete
        </button>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
