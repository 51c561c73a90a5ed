import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { VersionShape } from '../../../../src/api/shapes/state.ts';
import { api } from '../../api.ts';
import { countText, sizeText } from '../../format.ts';
import { Chart } from '../../parts/chart.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { useLoad } from '../../use-load.ts';

/** The versions that the chart of sizes looks back on. */
const VERSIONS_MAX = 500;
/** The versions whose resources are counted: the server reads each of them. */
const COUNTED_MAX = 20;

/** How a state grew over its versions. @param newest its newest version, with which the charts are read anew */
export function Growth({ address, newest }: { address: string; newest: number }): JSX.Element {
  const [counts, setCounts] = useState(false);
  const read = async (): Promise<readonly VersionShape[]> => {
    const { items } = await api.list('list-versions', { address }, VERSIONS_MAX);
    return items.toReversed();
  };
  const [versions, again] = useLoad(read, `${address} ${newest}`);
  return (
    <Panel
      title={counts ? 'Instances over time' : 'Size over time'}
      aside={
        <button type="button" class="button small" onClick={() => setCounts(!counts)}>
          {counts ? 'Show the size' : 'Show instances'}
        </button>
      }
    >
      <Shown loaded={versions} what="the versions" again={again}>
        {(all) => {
          if (all.length < 2) return <p class="hint">A chart appears with the second version.</p>;
          return counts ? <Instances address={address} versions={all} /> : <Sizes versions={all} />;
        }}
      </Shown>
    </Panel>
  );
}

function Sizes({ versions }: { versions: readonly VersionShape[] }): JSX.Element {
  const [first, last] = [versions[0]?.size ?? 0, versions.at(-1)?.size ?? 0];
  return (
    <Chart
      at={versions.map((version) => Date.parse(version.at))}
      lines={[{ label: 'size', values: versions.map(({ size }) => size), text: sizeText }]}
      says={`Size of the last ${versions.length} versions, from ${sizeText(first)} to ${sizeText(last)}`}
    />
  );
}

function Instances({
  address,
  versions,
}: {
  address: string;
  versions: readonly VersionShape[];
}): JSX.Element {
  const read = async () => {
    const { changes } = await api.ask('list-changes', { query: { address, limit: COUNTED_MAX } });
    return new Map(changes.map(({ version, counts }) => [version, counts?.instances ?? null]));
  };
  const [found, again] = useLoad(read, `${address} ${versions.at(-1)?.version ?? 0}`);
  return (
    <Shown loaded={found} what="how many instances each version has" again={again}>
      {(counted) => {
        const known = versions.filter(({ version }) => counted.has(version));
        const values = known.map(({ version }) => counted.get(version) ?? null);
        return (
          <Chart
            at={known.map((version) => Date.parse(version.at))}
            lines={[{ label: 'instances', values, text: (value) => countText(Math.round(value)) }]}
            says={`Instances in the last ${known.length} versions, from ${values[0] ?? '?'} to ${values.at(-1) ?? '?'}`}
          />
        );
      }}
    </Shown>
  );
}
