import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { NumbersShape } from '../../../../src/api/shapes/numbers.ts';
import { api } from '../../api.ts';
import { countText, sizeText } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Chart } from '../../parts/chart.tsx';
import { Facts, Panel, View } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { place, setQuery } from '../../route.ts';
import { useLoad } from '../../use-load.ts';
import { Busiest } from './busiest.tsx';
import { durationOf, spansOf, totalOf } from './hours.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const PERIODS = [
  [1, 'a day'],
  [7, 'a week'],
  [30, 'a month'],
] as const;
const BARS_MAX = 12;

/** How much happened: applies, waits, holds, refusals, the busiest states, and what is stored. */
export function Numbers(): JSX.Element {
  const { query } = place.value;
  const [days] = PERIODS.find(([number]) => String(number) === query.get('days')) ?? PERIODS[1];
  const project = query.get('project') ?? '';
  const read = async (): Promise<NumbersShape> => {
    const since = new Date(Date.now() - days * DAY_MS).toISOString();
    return api.ask('show-numbers', { query: { since, ...(project === '' ? {} : { project }) } });
  };
  const [numbers, again] = useLoad(read, `${days} ${project}`);
  return (
    <View title="Numbers">
      <div class="toolbar">
        <label class="field inline">
          Of
          <select value={days} onChange={(event) => setQuery({ days: event.currentTarget.value })}>
            {PERIODS.map(([number, says]) => (
              <option key={number} value={number}>
                {says}
              </option>
            ))}
          </select>
        </label>
        <label class="field inline">
          Project
          <input
            value={project}
            placeholder="all"
            onChange={(event) => setQuery({ project: event.currentTarget.value.trim() })}
          />
        </label>
      </div>
      <Shown loaded={numbers} what="the numbers" again={again}>
        {(found) => <Found numbers={found} />}
      </Shown>
    </View>
  );
}

function Found({ numbers }: { numbers: NumbersShape }): JSX.Element {
  const { hours, waits, holds, refusals, storage, busiest } = numbers;
  const total = totalOf(hours);
  return (
    <div class="panels">
      <div>
        <Panel title="Applies and plans">
          <div class="body stack">
            <Facts
              of={[
                ['applies', countText(total.applies)],
                ['plans', countText(total.plans)],
                ['versions written', countText(total.writes)],
                ['refused', countText(total.refused)],
              ]}
            />
            <Facts
              of={[
                ['half waited at most', durationOf(waits, 'p50Ms')],
                ['99 of 100', durationOf(waits, 'p99Ms')],
                ['half held at most', durationOf(holds, 'p50Ms')],
                ['99 of 100 ', durationOf(holds, 'p99Ms')],
              ]}
            />
          </div>
          {hours.length > 0 && <OverTime numbers={numbers} />}
        </Panel>
        <Busiest states={busiest} />
      </div>
      <div>
        <Panel title="Refused, and why">
          {refusals.length === 0 ? (
            <Empty title="Nothing was refused" />
          ) : (
            <div class="body">
              <Bars
                label="Refusals by cause"
                of={refusals.slice(0, BARS_MAX).map(({ cause, count }) => ({ name: cause, value: count }))}
                text={countText}
              />
            </div>
          )}
        </Panel>
        <Panel title="Stored">
          {storage.length === 0 ? (
            <Empty title="Nothing is stored" />
          ) : (
            <div class="body">
              <Bars
                label="Stored bytes by project"
                of={storage.slice(0, BARS_MAX).map(({ project, bytes }) => ({ name: project, value: bytes }))}
                text={sizeText}
              />
            </div>
          )}
        </Panel>
      </div>
    </div>
  );
}

function OverTime({ numbers: { hours, since } }: { numbers: NumbersShape }): JSX.Element {
  const { at, lines } = useMemo(() => {
    const spans = spansOf(hours, Date.parse(since), Date.now());
    const line = (label: 'applies' | 'refused' | 'plans') => ({
      label,
      values: spans.map((span) => span[label]),
      text: countText,
    });
    return { at: spans.map(({ from }) => from), lines: [line('applies'), line('refused'), line('plans')] };
  }, [hours, since]);
  return <Chart at={at} lines={lines} says="Applies, plans and refusals over time; the sums are above" />;
}
