import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { QUOTAS, type Quota } from '../../../../src/core/quota.ts';
import type { ProjectShape } from '../../../../src/api/shapes/house.ts';
import type { StorageShape } from '../../../../src/api/shapes/numbers.ts';
import { api } from '../../api.ts';
import { countText, sizeText } from '../../format.ts';
import { Panel, View } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { Badge } from '../../parts/text.tsx';
import { mayOnServer, maySomewhere } from '../../session.ts';
import { useLoad } from '../../use-load.ts';
import { ChangeProject } from './change-project.tsx';
import { Freezes } from './freezes.tsx';

/** A project: what it keeps, and what was set for it, where something was. */
interface Row extends StorageShape {
  readonly own: ProjectShape | null;
}

/** How much each project keeps and may keep, and where applies are frozen. */
export function Projects(): JSX.Element {
  const [found, again] = useLoad(readRows, 'all');
  const [open, setOpen] = useState<string | null>(null);
  return (
    <View title="Projects">
      <Shown loaded={found} what="the projects" again={again}>
        {(rows) => (
          <Panel title="Projects">
            {rows.length === 0 ? (
              <Empty title="There is no project yet">A project exists with its first state.</Empty>
            ) : (
              <Table rows={rows} change={setOpen} />
            )}
          </Panel>
        )}
      </Shown>
      <Freezes />
      {open !== null && (
        <Change
          project={open}
          close={() => {
            setOpen(null);
            again();
          }}
        />
      )}
    </View>
  );
}

/** Those that keep something, and those that have settings of their own. */
async function readRows(): Promise<readonly Row[]> {
  const [{ projects }, storage] = await Promise.all([api.ask('list-projects', {}), readStorage()]);
  const own = new Map(projects.map((project) => [project.project, project]));
  const kept = storage.filter(({ project }) => !own.has(project)).map((one) => ({ ...one, own: null }));
  const set = projects.map((one) => ({ project: one.project, ...one.quota.used, own: one }));
  return [...set, ...kept].toSorted((one, other) => (one.project < other.project ? -1 : 1));
}

/** What projects keep; nothing for who may read no state. */
async function readStorage(): Promise<readonly StorageShape[]> {
  if (!maySomewhere('read')) return [];
  return (await api.ask('show-numbers', { query: { since: new Date().toISOString() } })).storage;
}

function Table({ rows, change }: { rows: readonly Row[]; change: (project: string) => void }): JSX.Element {
  return (
    <div class="scroll">
      <table class="data">
        <thead>
          <tr>
            <th scope="col">project</th>
            <th scope="col" class="num">
              states
            </th>
            <th scope="col" class="num">
              versions
            </th>
            <th scope="col" class="num">
              stored
            </th>
            <th scope="col">settings of its own</th>
            <th scope="col">
              <span class="hidden">what can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ project, own, states, versions, bytes }) => (
            <tr key={project}>
              <th scope="row">
                <a href={`/explore?q=${encodeURIComponent(`${project}/`)}`}>{project}</a>
              </th>
              <td class="num">{usedOf(states, own, 'quotaStates', countText)}</td>
              <td class="num">{usedOf(versions, own, 'quotaVersions', countText)}</td>
              <td class="num">{usedOf(bytes, own, 'quotaSize', sizeText)}</td>
              <td class="value">
                {own === null ? <span class="dim">none</span> : settingsOf(own)}
                {own?.announceFirst === true && (
                  <>
                    {' '}
                    <Badge tone="accent">new states are announced</Badge>
                  </>
                )}
              </td>
              <td class="num">
                {mayOnServer('manage') && (
                  <button
                    type="button"
                    class="button small"
                    onClick={() => change(project)}
                    aria-label={`Change ${project}`}
                  >
                    Change…
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How much is used, and of how much where the project has a quota of its own. */
function usedOf(
  used: number,
  own: ProjectShape | null,
  quota: Quota,
  text: (value: number) => string,
): string {
  const most = own?.quota.set[quota] ?? null;
  return most === null ? text(used) : `${text(used)} of ${text(most * QUOTAS[quota].unit)}`;
}

function settingsOf({ set, quota, retainMode }: ProjectShape): string {
  const { keepVersions, keepDays, minKeepDays, retainAtLeast } = set;
  const parts = [
    ...(keepVersions === null ? [] : [`keeps the last ${countText(keepVersions)} versions`]),
    ...(keepDays === null ? [] : [`keeps versions of ${countText(keepDays)} days`]),
    ...(minKeepDays === null ? [] : [`drops none younger than ${countText(minKeepDays)} days`]),
    ...(retainAtLeast === null ? [] : [`retains each for ${countText(retainAtLeast)} days (${retainMode})`]),
    ...(Object.values(quota.set).every((one) => one === null) ? [] : ['quotas']),
  ];
  return parts.join(', ');
}

/** Reads the settings of a project anew, and has them changed. */
function Change({ project, close }: { project: string; close: () => void }): JSX.Element | null {
  const [found] = useLoad(() => api.ask('show-project', { path: { project } }), project);
  return found.kind === 'loaded' ? <ChangeProject project={found.value} close={close} /> : null;
}
