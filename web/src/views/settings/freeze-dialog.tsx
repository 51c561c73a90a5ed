import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, asApiError } from '../../api.ts';
import { Dialog } from '../../parts/dialog.tsx';

const HOUR_MS = 60 * 60 * 1_000;
const LENGTHS: readonly (readonly [hours: number, says: string])[] = [
  [1, 'for an hour'],
  [4, 'for 4 hours'],
  [24, 'for a day'],
  [72, 'for 3 days'],
  [168, 'for a week'],
];

/** Has applies refused for a time. @param pattern what it begins with */
export function FreezeDialog({ pattern, close }: { pattern: string; close: () => void }): JSX.Element {
  const [what, setWhat] = useState(pattern);
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState(4);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const freeze = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const until = new Date(Date.now() + hours * HOUR_MS).toISOString();
    const body = { pattern: what.trim(), reason: reason.trim(), until };
    await api.ask('freeze', { body }).then(close, (fault: unknown) => setProblem(asApiError(fault).message));
    setBusy(false);
  };
  return (
    <Dialog title="Freeze applies" close={close}>
      <form onSubmit={(event) => void freeze(event)}>
        <p>
          Whoever asks for the lock of an apply is refused and told the reason. Plans go on, and an apply that
          holds its lock already ends in peace.
        </p>
        <label class="field">
          What
          <input
            value={what}
            onInput={(event) => setWhat(event.currentTarget.value)}
            placeholder="PROJECT/* or PROJECT/net/*@prod"
            spellcheck={false}
            required
          />
        </label>
        <label class="field">
          Why
          <input
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
            placeholder="Release of version 7"
            required
          />
        </label>
        <label class="field">
          How long
          <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
            {LENGTHS.map(([value, says]) => (
              <option key={value} value={value}>
                {says}
              </option>
            ))}
          </select>
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            Not frozen: {problem}
          </p>
        )}
        <footer>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button
            type="submit"
            class="button primary"
            disabled={busy || what.trim() === '' || reason.trim() === ''}
          >
            {busy ? 'Freezing…' : 'Freeze'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
