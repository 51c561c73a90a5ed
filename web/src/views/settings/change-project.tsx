import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { QUOTAS, type Quota } from '../../../../src/core/quota.ts';
import { RETENTION_MODES, type RetentionMode } from '../../../../src/core/retained.ts';
import type { RetentionLimit } from '../../../../src/core/retention.ts';
import type { ProjectSettings, ProjectShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { counted, countText } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';

type Field = RetentionLimit | Quota;

/** What can be set as a number, and where 0 says something. */
const HISTORY: readonly (readonly [name: RetentionLimit, says: string, min: number])[] = [
  ['keepVersions', 'Versions to keep', 1],
  ['keepDays', 'Days to keep', 1],
  ['minKeepDays', 'Days kept in any case', 0],
  ['retainAtLeast', 'Days retained', 1],
];
const ROOM: readonly (readonly [name: Quota, says: string, min: number])[] = [
  ['quotaStates', 'States', 1],
  ['quotaVersions', 'Versions', 1],
  ['quotaSize', 'MiB of states', 1],
];
const MODES: Readonly<Record<RetentionMode, string>> = {
  governance: 'an admin may lift it (governance)',
  compliance: 'nobody may lift it (compliance)',
};

/** Sets what a project keeps, how much it may keep, and how its states begin. */
export function ChangeProject({ project, close }: { project: ProjectShape; close: () => void }): JSX.Element {
  const set: Readonly<Record<Field, number | null>> = { ...project.set, ...project.quota.set };
  const [texts, setTexts] = useState<Readonly<Partial<Record<Field, string>>>>({});
  const [mode, setMode] = useState(project.retainMode);
  const [announce, setAnnounce] = useState(project.announceFirst);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    // What was not touched is left as it is.
    const numbers = Object.entries(texts).map(([name, text]) => [name, text === '' ? null : Number(text)]);
    const body: ProjectSettings = {
      ...(Object.fromEntries(numbers) as Partial<Record<Field, number | null>>),
      ...(mode === project.retainMode ? {} : { retainMode: mode }),
      ...(announce === project.announceFirst ? {} : { announceFirst: announce }),
    };
    await api
      .ask('set-project', { path: { project: project.project }, body })
      .then(close, (fault: unknown) => setProblem(asApiError(fault).message));
    setBusy(false);
  };
  const number = ([name, says, min]: readonly [Field, string, number]): JSX.Element => (
    <label class="field" key={name}>
      {says}
      <input
        type="number"
        min={min}
        {...(isQuota(name) ? { max: QUOTAS[name].max } : {})}
        value={texts[name] ?? set[name]?.toString() ?? ''}
        placeholder={placeholderOf(project, name)}
        onInput={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <Dialog title={`Settings of ${project.project}`} close={close} wide>
      <form onSubmit={(event) => void save(event)}>
        <div class="halves">
          <fieldset>
            <legend>History</legend>
            <p class="hint">Older versions are removed for good. The newest one always stays.</p>
            <div class="pairs">{HISTORY.map(number)}</div>
            <label class="field">
              Until those days are over
              <select value={mode} onChange={(event) => setMode(event.currentTarget.value as RetentionMode)}>
                {RETENTION_MODES.map((one) => (
                  <option key={one} value={one}>
                    {MODES[one]}
                  </option>
                ))}
              </select>
            </label>
          </fieldset>
          <fieldset>
            <legend>At most</legend>
            <p class="hint">
              What it keeps now: {counted(project.quota.used.states, 'state')},{' '}
              {counted(project.quota.used.versions, 'version')}. An apply that would go beyond is refused
              before it begins.
            </p>
            <div class="pairs">{ROOM.map(number)}</div>
          </fieldset>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={announce}
            onChange={(event) => setAnnounce(event.currentTarget.checked)}
          />
          A new state must be announced: a run with a wrong key or workspace is refused
        </label>
        <p class="hint">An empty field: as the server says.</p>
        {problem !== null && (
          <p class="problem" role="alert">
            Not saved: {problem}
          </p>
        )}
        <footer>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            {busy ? 'Saving…' : 'Save'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** What holds where nothing is set for the project. */
function placeholderOf({ effective, quota, set }: ProjectShape, name: Field): string {
  if (isQuota(name)) return quota.set[name] === null ? limitText(quota.effective[name]) : '';
  return set[name] === null ? limitText(effective[name]) : '';
}

function limitText(limit: number | null): string {
  return limit === null ? 'no limit' : countText(limit);
}

function isQuota(name: Field): name is Quota {
  return name in QUOTAS;
}
