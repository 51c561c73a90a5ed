import type { JSX } from 'preact';
import type { VersionShape } from '../../../../src/api/shapes/state.ts';
import { api } from '../../api.ts';
import { sizeText } from '../../format.ts';
import { Chart } from '../../parts/chart.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { useLoad } from '../../use-load.ts';

/** The versions that the chart looks back on. */
const VERSIONS_MAX = 500;

/** How large a state was over its versions. @param newest its newest version, with which the chart is read anew */
export function Growth({ address, newest }: { address: string; newest: number }): JSX.Element | null {
  const read = async (): Promise<readonly VersionShape[]> => {
    const { items } = await api.list('list-versions', { address }, VERSIONS_MAX);
    return items.toReversed();
  };
  const [versions, again] = useLoad(read, `${address} ${newest}`);
  return (
    <Panel title="Size over time">
      <Shown loaded={versions} what="the versions" again={again}>
        {(all) =>
          all.length < 2 ? (
            <p class="hint">A chart appears with the second version.</p>
          ) : (
            <Chart
              at={all.map((version) => Date.parse(version.at))}
              lines={[{ label: 'size', values: all.map(({ size }) => size), text: sizeText }]}
              says={`Size of the last ${all.length} versions, from ${sizeText(all[0]?.size ?? 0)} to ${sizeText(all.at(-1)?.size ?? 0)}`}
            />
          )
        }
      </Shown>
    </Panel>
  );
}
