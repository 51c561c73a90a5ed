import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { InstanceShape, SnapshotShape } from '../../../../src/api/shapes/content.ts';
import type { StateShape } from '../../../../src/api/shapes/state.ts';
import { api, pathOf } from '../../api.ts';
import { valueText } from '../../exact-numbers.ts';
import { counted, countText } from '../../format.ts';
import { Copy } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Panel } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { Badge, Foreign } from '../../parts/text.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { place, setQuery, withQuery } from '../../route.ts';
import { useLoad } from '../../use-load.ts';
import { nameOfNode, treeOf, type Node } from './tree.ts';

const VALUE_LENGTH_MAX = 20_000;
const ROW = 30;

/** What is in a version: module, type, instance; the attributes of one when they are asked for. */
export function Resources({ state: { address, newest } }: { state: StateShape }): JSX.Element {
  const asked = Number(place.value.query.get('version') ?? 'NaN');
  const version = Number.isSafeInteger(asked) && asked > 0 ? asked : newest?.version;
  const read = () => api.ask('show-snapshot', { query: { address, version } });
  const [snapshot, again] = useLoad(read, `${address} ${version ?? 0}`);
  const old = version !== undefined && version !== newest?.version;
  return (
    <Panel
      title={old ? `Resources of version ${version}` : 'Resources'}
      aside={
        <>
          {old && (
            <a class="button small" href={withQuery({ version: '' })}>
              Newest version
            </a>
          )}
          {version !== undefined && (
            <a class="button small" href={pathOf('download-version', { address, version })} download>
              Download the whole text
            </a>
          )}
        </>
      }
    >
      {version === undefined ? (
        <Empty title="No version yet" />
      ) : (
        <Shown loaded={snapshot} what="the resources" again={again}>
          {(found) => <Tree address={address} snapshot={found} />}
        </Shown>
      )}
    </Panel>
  );
}

function Tree({ address, snapshot }: { address: string; snapshot: SnapshotShape }): JSX.Element {
  const search = place.value.query.get('find') ?? '';
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const nodes = useMemo(() => treeOf(snapshot.instances, search, turned), [snapshot, search, turned]);
  const shown = place.value.query.get('instance');
  const turn = (name: string): void => {
    const next = new Set(turned);
    if (!next.delete(name)) next.add(name);
    setTurned(next);
  };
  return (
    <>
      <div class="toolbar inset">
        <input
          type="search"
          class="grow"
          placeholder="Find by address, type or provider"
          aria-label="Find resources"
          value={search}
          onInput={(event) => setQuery({ find: event.currentTarget.value })}
        />
        <span class="hint">{counted(snapshot.instances.length, 'instance')}</span>
      </div>
      {nodes.length === 0 ? (
        <Empty
          title={
            search === '' ? 'It has no resources' : 'No resource has this in its address, type or provider'
          }
        />
      ) : (
        <Windowed
          rows={nodes}
          keyOf={nameOfNode}
          heightOf={rowHeight}
          label="Resources by module and type"
          render={(node) => <TreeRow node={node} turn={turn} />}
        />
      )}
      {shown !== null && (
        <Attributes
          address={address}
          version={snapshot.version}
          instance={shown}
          close={() => setQuery({ instance: '' })}
        />
      )}
    </>
  );
}

function rowHeight(): number {
  return ROW;
}

function TreeRow({ node, turn }: { node: Node; turn: (name: string) => void }): JSX.Element {
  if (node.kind === 'instance') return <InstanceRow instance={node.instance} />;
  const label = node.kind === 'module' && node.name === '' ? 'root module' : node.name;
  return (
    <div class={`tree-row ${node.kind}`}>
      <button type="button" aria-expanded={node.open} onClick={() => turn(nameOfNode(node))}>
        <span class="arrow" aria-hidden="true">
          {node.open ? '▾' : '▸'}
        </span>
        <span class="mono">
          <Foreign text={label} />
        </span>
        <span class="dim num">{countText(node.count)}</span>
      </button>
    </div>
  );
}

function InstanceRow({ instance }: { instance: InstanceShape }): JSX.Element {
  return (
    <div class="tree-row instance">
      <a href={withQuery({ instance: instance.address })} class="mono">
        <Foreign text={instance.address} />
      </a>
      {instance.tainted && <Badge tone="warn">tainted</Badge>}
      {instance.deposed !== null && <Badge tone="warn">deposed</Badge>}
    </div>
  );
}

/** The attributes of one instance, masked by the server where they are secrets. */
function Attributes({
  address,
  version,
  instance,
  close,
}: {
  address: string;
  version: number;
  instance: string;
  close: () => void;
}): JSX.Element {
  const read = () => api.ask('show-snapshot', { query: { address, version, instance } });
  const [snapshot, again] = useLoad(read, `${address} ${version} ${instance}`);
  return (
    <Dialog title="Attributes" close={close} wide>
      <p class="dialog-address">
        <Foreign text={instance} /> <Copy text={instance} what="the resource address" />
      </p>
      <Shown loaded={snapshot} what="the attributes" again={again}>
        {({ instances }) => (
          <>
            {instances.map((one) => (
              <div key={one.deposed ?? ''} class="preview" tabIndex={0} aria-label="Attributes">
                <p class="hint">
                  <Foreign text={one.provider} />
                  {one.dependencies.length > 0 && `, depends on ${one.dependencies.length}`}
                </p>
                <table class="data values">
                  <tbody>
                    {Object.entries(one.attributes ?? {}).map(([name, value]) => (
                      <tr key={name}>
                        <th scope="row">
                          <code>
                            <Foreign text={name} />
                          </code>
                        </th>
                        <td class="value">
                          <code>
                            <Foreign text={valueText(value, 2)} most={VALUE_LENGTH_MAX} />
                          </code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            ))}
          </>
        )}
      </Shown>
    </Dialog>
  );
}
