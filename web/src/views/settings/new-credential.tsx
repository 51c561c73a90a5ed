import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NewCredentialShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { Copy } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { endIn, ENDS } from './ends.ts';
import { Grants, type GrantDraft } from './grants.tsx';

/** Makes a credential, and shows its secret this once. */
export function NewCredential({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [grants, setGrants] = useState<readonly GrantDraft[]>([{ id: 1, role: 'writer', pattern: '' }]);
  const [days, setDays] = useState(90);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [made, setMade] = useState<NewCredentialShape | null>(null);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const asked = grants.map(({ role, pattern }) => ({ role, pattern: pattern.trim() }));
      const body = { name: name.trim(), grants: asked, expiresAt: endIn(days) };
      setMade(await api.ask('create-credential', { body }));
    } catch (fault) {
      setProblem(asApiError(fault).message);
    } finally {
      setBusy(false);
    }
  };
  if (made !== null) {
    const whole = `${made.id}.${made.secret}`;
    return (
      <Dialog title="The credential is made" close={close}>
        <p>Its secret is shown this once. Copy it to where it is used.</p>
        <pre class="secret" tabIndex={0}>
          {whole}
        </pre>
        <footer>
          <Copy text={whole} what="the credential" />
          <button type="button" class="button primary" onClick={close}>
            I have it
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <Dialog title="New credential" close={close} wide>
      <form onSubmit={(event) => void create(event)}>
        <label class="field">
          Name
          <input
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            placeholder="ci-prod"
            required
          />
        </label>
        <Grants grants={grants} change={setGrants} />
        <label class="field">
          Ends
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {ENDS.map(([value, says]) => (
              <option key={value} value={value}>
                {says}
              </option>
            ))}
          </select>
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
          <button
            type="submit"
            class="button primary"
            disabled={busy || name.trim() === '' || grants.some(({ pattern }) => pattern.trim() === '')}
          >
            {busy ? 'Making it…' : 'Create'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
