import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ProjectSettings, ProjectShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { countText, sizeText } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Panel, View } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { mayOnServer } from '../../session.ts';
import { useLoad } from '../../use-load.ts';

/** How much each project keeps, and may keep. */
export function Projects(): JSX.Element {
  const [found, again] = useLoad(async () => (await api.ask('list-projects', {})).projects, 'all');
  const [open, setOpen] = useState<ProjectShape | null>(null);
  return (
    <View title="Projects">
      <Shown loaded={found} what="the projects" again={again}>
        {(projects) => (
          <Panel title="Projects with settings of their own">
            {projects.length === 0 ? (
              <Empty title="No project has settings of its own">
                Every project keeps what the server says. A project exists with its first state.
              </Empty>
            ) : (
              <Table projects={projects} change={setOpen} />
            )}
          </Panel>
        )}
      </Shown>
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

function Table({
  projects,
  change,
}: {
  projects: readonly ProjectShape[];
  change: (project: ProjectShape) => void;
}): JSX.Element {
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
            <th scope="col">keeps</th>
            <th scope="col">
              <span class="hidden">what can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {projects.map((one) => (
            <tr key={one.project}>
              <th scope="row">
                <a href={`/explore?q=${encodeURIComponent(`${one.project}/`)}`}>{one.project}</a>
              </th>
              <td class="num">{usedOf(one.quota.used.states, one.quota.effective.quotaStates, countText)}</td>
              <td class="num">{countText(one.quota.used.versions)}</td>
              <td class="num">
                {usedOf(one.quota.used.bytes, inBytes(one.quota.effective.quotaSize), sizeText)}
              </td>
              <td>{keptText(one)}</td>
              <td class="num">
                {mayOnServer('manage') && (
                  <button type="button" class="button small" onClick={() => change(one)}>
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

function usedOf(used: number, most: number | null, text: (value: number) => string): string {
  return most === null ? text(used) : `${text(used)} of ${text(most)}`;
}

/** A quota of size is set in MiB. */
function inBytes(mib: number | null): number | null {
  return mib === null ? null : mib * 1_024 * 1_024;
}

function keptText({ effective: { keepVersions, keepDays } }: ProjectShape): string {
  const parts = [
    ...(keepVersions === null ? [] : [`the last ${countText(keepVersions)} versions`]),
    ...(keepDays === null ? [] : [`versions of ${countText(keepDays)} days`]),
  ];
  return parts.length === 0 ? 'every version' : parts.join(', ');
}

/** Sets how much a project keeps. */
function Change({ project, close }: { project: ProjectShape; close: () => void }): JSX.Element {
  const [versions, setVersions] = useState(project.set.keepVersions?.toString() ?? '');
  const [days, setDays] = useState(project.set.keepDays?.toString() ?? '');
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body: ProjectSettings = { keepVersions: numberOrNull(versions), keepDays: numberOrNull(days) };
    await api
      .ask('set-project', { path: { project: project.project }, body })
      .then(close, (fault: unknown) => setProblem(asApiError(fault).message));
  };
  return (
    <Dialog title={`History of ${project.project}`} close={close}>
      <form onSubmit={(event) => void save(event)}>
        <p class="hint">
          Older versions are removed for good. The newest one always stays. Empty: as the server says.
        </p>
        <label class="field">
          Versions to keep
          <input
            type="number"
            min={1}
            value={versions}
            onInput={(event) => setVersions(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          Days to keep
          <input type="number" min={1} value={days} onInput={(event) => setDays(event.currentTarget.value)} />
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <footer>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary">
            Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function numberOrNull(text: string): number | null {
  return text === '' ? null : Number(text);
}
