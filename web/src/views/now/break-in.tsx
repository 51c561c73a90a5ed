import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { HolderShape } from '../../../../src/api/shapes/lock.ts';
import { addressParts } from '../../address.ts';
import { api, asApiError } from '../../api.ts';
import { counted, operationText } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Facts } from '../../parts/frame.tsx';
import { AddressText, Foreign, Moment, Running, Subject } from '../../parts/text.tsx';

/** Whose lock is to be broken. */
export interface BreakTarget {
  readonly address: string;
  readonly holder: HolderShape;
  readonly readAt: number;
  readonly waiting: number;
}

/** What came of it. */
type Outcome = { readonly done: boolean; readonly says: string } | null;

/** Breaks a lock, after it was shown whose it is and what that means, and its key was typed. */
export function BreakIn({ target, close }: { target: BreakTarget; close: () => void }): JSX.Element {
  const { address, holder, readAt, waiting } = target;
  const { key } = addressParts(address);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>(null);

  const breakIt = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.ask('force-unlock', { query: { address }, body: { lockId: holder.lockId } });
      const next = waiting > 0 ? 'The first in line gets it.' : 'The lock is free.';
      setOutcome({ done: true, says: `The lock is broken. ${next}` });
    } catch (fault) {
      setOutcome({ done: false, says: asApiError(fault).message });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title="Break this lock?" close={close}>
      <p class="dialog-address">
        <AddressText address={address} />
      </p>
      <Facts
        of={[
          ['held by', <Subject key="s" subject={holder.subject} />],
          ['who', holder.info === null ? 'not told' : <Foreign key="w" text={holder.info.Who} />],
          ['operation', operationText(holder.operation)],
          ['held', <Running key="r" ms={holder.heldMs} readAt={readAt} />],
          ['since', <Moment key="m" at={holder.since} exact />],
          ['in line', counted(waiting, 'waiter')],
          ['lock ID', <Foreign key="i" text={holder.lockId} />],
        ]}
      />
      {outcome === null || !outcome.done ? (
        <form onSubmit={(event) => void breakIt(event)}>
          <p>
            Whoever holds it loses it at once. If that run still goes on, the server refuses what it writes,
            and keeps those bytes for its owner to rescue. What it has changed outside stays changed. Break it
            only when you know that the run has ended, or must end.
          </p>
          <label class="field">
            Type the key to confirm: <code class="key">{<Foreign text={key} />}</code>
            <input
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
              autocomplete="off"
              spellcheck={false}
            />
          </label>
          {outcome !== null && (
            <p class="problem" role="alert">
              Not broken: {outcome.says}
            </p>
          )}
          <footer>
            <button type="button" class="button" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="button danger" disabled={typed !== key || busy}>
              {busy ? 'Breaking…' : 'Break the lock'}
            </button>
          </footer>
        </form>
      ) : (
        <>
          <p class="success" role="status">
            {outcome.says}
          </p>
          <footer>
            <button type="button" class="button primary" onClick={close}>
              Done
            </button>
          </footer>
        </>
      )}
    </Dialog>
  );
}
