import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ROLES, type Role } from '../../../../src/core/grant.ts';
import type { NewCredentialShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { Copy } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';

/** What each role may do, in words. */
const SAYS: Readonly<Record<Role, string>> = {
  outputs: 'reads outputs that are not sensitive',
  reader: 'reads states, versions and locks',
  writer: 'plans and applies: reads, locks and writes',
  operator: 'also breaks locks and freezes applies',
  admin: 'everything, also credentials and the audit log',
};
const DAY_MS = 24 * 60 * 60 * 1_000;
const ENDS: readonly (readonly [days: number, says: string])[] = [
  [30, 'in 30 days'],
  [90, 'in 90 days'],
  [365, 'in a year'],
  [0, 'never'],
];

/** Makes a credential, and shows its secret this once. */
export function NewCredential({ close }: { close: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('writer');
  const [pattern, setPattern] = useState('');
  const [days, setDays] = useState(90);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [made, setMade] = useState<NewCredentialShape | null>(null);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const expiresAt = days === 0 ? null : new Date(Date.now() + days * DAY_MS).toISOString();
    try {
      const body = { name: name.trim(), grants: [{ role, pattern: pattern.trim() }], expiresAt };
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
    <Dialog title="New credential" close={close}>
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
        <label class="field">
          Role
          <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {one}: {SAYS[one]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          On
          <input
            value={pattern}
            onInput={(event) => setPattern(event.currentTarget.value)}
            placeholder="PROJECT/* or PROJECT/net/*@prod"
            spellcheck={false}
            required
          />
        </label>
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
            disabled={busy || name.trim() === '' || pattern.trim() === ''}
          >
            {busy ? 'Making it…' : 'Create'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
