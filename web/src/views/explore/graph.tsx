import type { JSX } from 'preact';
import type { EdgeShape, GraphShape } from '../../../../src/api/shapes/explore.ts';
import { addressParts, statePath } from '../../address.ts';
import { api } from '../../api.ts';
import { counted } from '../../format.ts';
import { Empty, Shown } from '../../parts/states.tsx';
import { AddressLink, Ago, Badge } from '../../parts/text.tsx';
import { useLoad } from '../../use-load.ts';
import { visibleText } from '../../visible-text.ts';
import { layoutOf, type Spot } from './graph-layout.ts';

/** With more states than these a picture says nothing; the list says it. */
const PICTURE_MAX = 80;
const LIST_MAX = 500;
const WIDTH = 230;
const HEIGHT = 34;
const GAP = { x: 70, y: 14 } as const;
const LABEL_LENGTH_MAX = 27;

/** Which states read which. @param of one state's surroundings, or a project's; all for neither */
export function Graph({ of }: { of: { readonly address?: string; readonly project?: string } }): JSX.Element {
  const [graph, again] = useLoad(() => api.ask('show-graph', { query: of }), JSON.stringify(of));
  return (
    <Shown loaded={graph} what="who reads whom" again={again}>
      {(found) => <Edges graph={found} focus={of.address ?? null} />}
    </Shown>
  );
}

function Edges({ graph, focus }: { graph: GraphShape; focus: string | null }): JSX.Element {
  const { edges, cut, complete } = graph;
  if (edges.length === 0) {
    return (
      <Empty title={focus === null ? 'No state reads another' : 'It reads no state, and none reads it'}>
        {complete
          ? 'A state reads another by a terraform_remote_state, or by reading it while it holds its own lock.'
          : 'The index is being made: there may be some all the same.'}
      </Empty>
    );
  }
  return (
    <>
      <Picture edges={edges} focus={focus} />
      <p class="hint graph-note">
        {counted(edges.length, 'reading')}
        {cut && ', and more than are shown'}
        {!complete && '; the index is being made'}. Who reads stands right of what it reads.
      </p>
      <div class="scroll">
        <table class="data">
          <thead>
            <tr>
              <th scope="col">state</th>
              <th scope="col">reads</th>
              <th scope="col">known from</th>
            </tr>
          </thead>
          <tbody>
            {edges.slice(0, LIST_MAX).map((edge) => (
              <tr key={`${edge.from} ${edge.to}`}>
                <td>
                  <AddressLink address={edge.from} />
                </td>
                <td>
                  <AddressLink address={edge.to} />
                </td>
                <td>
                  <From edge={edge} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function From({ edge: { declared, seen } }: { edge: EdgeShape }): JSX.Element {
  return (
    <>
      {declared && <Badge tone="accent">terraform_remote_state</Badge>}{' '}
      {seen !== null && (
        <span class="dim">
          read {counted(seen.count, 'time')} under its lock, last <Ago at={seen.at} />
        </span>
      )}
    </>
  );
}

function Picture({
  edges,
  focus,
}: {
  edges: readonly EdgeShape[];
  focus: string | null;
}): JSX.Element | null {
  if (new Set(edges.flatMap(({ from, to }) => [from, to])).size > PICTURE_MAX) return null;
  const { spots, columns, rows } = layoutOf(edges);
  const byAddress = new Map(spots.map((spot) => [spot.address, spot]));
  const width = columns * (WIDTH + GAP.x) - GAP.x + 2;
  const height = rows * (HEIGHT + GAP.y) - GAP.y + 2;
  return (
    <div
      class="scroll picture"
      tabIndex={0}
      role="region"
      aria-label="Picture of who reads whom; the table says the same"
    >
      <svg width={width} height={height} viewBox={`-1 -1 ${width} ${height}`} aria-hidden="true">
        {edges.map(({ from, to }) => {
          const [one, other] = [byAddress.get(from), byAddress.get(to)];
          return one === undefined || other === undefined ? null : (
            <path key={`${from} ${to}`} d={curve(one, other)} class="edge" />
          );
        })}
        {spots.map((spot) => (
          <Box key={spot.address} spot={spot} focused={spot.address === focus} />
        ))}
      </svg>
    </div>
  );
}

function Box({ spot, focused }: { spot: Spot; focused: boolean }): JSX.Element {
  const { x, y } = cornerOf(spot);
  const { key, workspace } = addressParts(spot.address);
  const text = visibleText(workspace === 'default' ? key : `${key}@${workspace}`);
  const label = text.length > LABEL_LENGTH_MAX ? `…${text.slice(1 - LABEL_LENGTH_MAX)}` : text;
  return (
    <a href={statePath(spot.address, { tab: 'readers' })} tabIndex={-1}>
      <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx={6} class={focused ? 'box focused' : 'box'} />
      <text x={x + 12} y={y + HEIGHT / 2 + 4}>
        {label}
      </text>
    </a>
  );
}

function cornerOf({ column, row }: Spot): { x: number; y: number } {
  return { x: column * (WIDTH + GAP.x), y: row * (HEIGHT + GAP.y) };
}

/** From the right side of what is read to the left side of who reads it. */
function curve(reader: Spot, read: Spot): string {
  const [a, b] = [cornerOf(read), cornerOf(reader)];
  const [x1, y1, x2, y2] = [a.x + WIDTH, a.y + HEIGHT / 2, b.x, b.y + HEIGHT / 2];
  const bend = GAP.x / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
