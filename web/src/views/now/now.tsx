import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { liveness, type Liveness } from '../../live.ts';
import { addressParts } from '../../address.ts';
import { counted } from '../../format.ts';
import { View } from '../../parts/frame.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Windowed } from '../../parts/windowed.tsx';
import { place, setQuery } from '../../route.ts';
import { session } from '../../session.ts';
import { narrow } from '../../screen.ts';
import { BreakIn, type BreakTarget } from './break-in.tsx';
import { LockRow } from './lock-row.tsx';
import { LockWatch, type SeenLock } from './locks.ts';
import { keyOfRow, locksOf, rowsOf, type Row } from './rows.ts';

/** Every lock that is held and every line, as they change. */
export function Now(): JSX.Element {
  const project = place.value.query.get('project') ?? '';
  const mine = place.value.query.has('mine');
  const [watch, setWatch] = useState<LockWatch | null>(null);
  const [breaking, setBreaking] = useState<BreakTarget | null>(null);
  useEffect(() => {
    const made = new LockWatch(project);
    setWatch(made);
    return () => made.close();
  }, [project]);
  const locks = watch?.locks.value;
  const subject = session.value.kind === 'in' ? session.value.who.subject : '';
  const all = useMemo(() => [...(locks?.byAddress.values() ?? [])], [locks?.byAddress]);
  const shown = mine ? locksOf(all, subject) : all;
  const rows = useMemo(() => rowsOf(shown), [locks?.byAddress, mine, subject]);
  const projects = projectsOf(all, project);
  const waiting = shown.reduce((sum, { lock }) => sum + lock.waiting, 0);

  return (
    <View title="Now" aside={<LiveMark state={liveness.value} />}>
      <div class="toolbar">
        <p class="summary" aria-live="polite">
          {locks?.known === true &&
            `${counted(shown.length, 'lock')} held, ${counted(waiting, 'waiter')} in line`}
        </p>
        <label class="field inline">
          Project
          <select value={project} onChange={(event) => setQuery({ project: event.currentTarget.value })}>
            <option value="">all</option>
            {projects.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={mine}
            onChange={(event) => setQuery({ mine: event.currentTarget.checked ? '1' : '' })}
          />
          Only mine
        </label>
      </div>
      {locks === undefined || !locks.known ? (
        <Loading what="the locks" />
      ) : locks.error !== null && rows.length === 0 ? (
        <Failure error={locks.error} what="the locks" again={() => watch?.again()} />
      ) : rows.length === 0 ? (
        <Empty title={mine ? 'You hold no lock, and wait for none' : 'No lock is held'}>
          {project === ''
            ? 'A plan or apply that takes a lock appears here at once.'
            : `In the project ${project}.`}
        </Empty>
      ) : (
        <Windowed
          rows={rows}
          keyOf={keyOfRow}
          heightOf={narrow.value ? narrowHeight : wideHeight}
          label="Locks and who waits for them"
          render={(row) => <LockRow row={row} me={subject} breakIn={setBreaking} />}
        />
      )}
      {locks !== undefined && locks.error !== null && rows.length > 0 && (
        <p class="problem" role="alert">
          This is not up to date: {locks.error.message}
        </p>
      )}
      {locks?.more === true && <p class="hint">More locks are held than are shown: choose a project.</p>}
      {breaking !== null && <BreakIn target={breaking} close={() => setBreaking(null)} />}
    </View>
  );
}

function wideHeight(row: Row): number {
  return row.kind === 'lock' ? 48 : 36;
}

function narrowHeight(row: Row): number {
  return row.kind === 'lock' ? 64 : row.kind === 'rest' ? 36 : 60;
}

function projectsOf(locks: readonly SeenLock[], chosen: string): readonly string[] {
  const names = new Set(locks.map(({ lock }) => addressParts(lock.address).project));
  if (chosen !== '') names.add(chosen);
  return [...names].toSorted();
}

const LIVE_WORDS: Record<Liveness, string> = {
  off: 'not live',
  connecting: 'connecting…',
  live: 'live',
  reconnecting: 'reconnecting…',
};

/** Says whether what is seen is what is so now. */
function LiveMark({ state }: { state: Liveness }): JSX.Element {
  return (
    <span class={`live ${state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {LIVE_WORDS[state]}
    </span>
  );
}
