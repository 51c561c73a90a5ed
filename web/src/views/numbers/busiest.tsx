import type { JSX } from 'preact';
import type { BusyStateShape } from '../../../../src/api/shapes/numbers.ts';
import { countText } from '../../format.ts';
import { Panel } from '../../parts/frame.tsx';
import { Empty } from '../../parts/states.tsx';
import { AddressLink } from '../../parts/text.tsx';
import { durationOf } from './hours.ts';

/** The states where most happened. */
export function Busiest({ states }: { states: readonly BusyStateShape[] }): JSX.Element {
  return (
    <Panel title="The busiest states">
      {states.length === 0 ? (
        <Empty title="Nothing happened">An apply or a plan of this time appears here.</Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="The busiest states, as a table">
          <table class="data">
            <thead>
              <tr>
                <th scope="col">state</th>
                {['applies', 'plans', 'refused', 'usual wait', 'usual hold'].map((name) => (
                  <th key={name} scope="col" class="num">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {states.map(({ address, applies, plans, refused, waits, holds }) => (
                <tr key={address}>
                  <td>
                    <AddressLink address={address} />
                  </td>
                  <td class="num">{countText(applies)}</td>
                  <td class="num">{countText(plans)}</td>
                  <td class="num">{countText(refused)}</td>
                  <td class="num">{durationOf(waits, 'p50Ms')}</td>
                  <td class="num">{durationOf(holds, 'p50Ms')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
