import type { JSX } from 'preact';
import { offeredPlaces } from '../places.ts';
import { Dialog } from './dialog.tsx';

const KEYS: readonly (readonly [keys: readonly string[], says: string])[] = [
  [['/'], 'search states and views'],
  [['?'], 'this help'],
  [['Esc'], 'close what is open'],
  [['Tab'], 'the next link, button or field'],
];

/** The keys of the page. */
export function Help({ close }: { close: () => void }): JSX.Element {
  const all = [
    ...KEYS,
    ...offeredPlaces().map(({ key, name, says }) => [['g', key], `${name}: ${says}`] as const),
  ];
  return (
    <Dialog title="Keys" close={close}>
      <table class="keys">
        <tbody>
          {all.map(([keys, says]) => (
            <tr key={says}>
              <th scope="row">
                {keys.map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </th>
              <td>{says}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">
        Times are your own; point at one for UTC. Everything here can be done by the API and the command line,
        too.
      </p>
    </Dialog>
  );
}
