import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asApiError } from '../api.ts';
import { signIn } from '../session.ts';

/** Where one signs in. @param ended whether a session was over by itself */
export function SignIn({ ended }: { ended: boolean }): JSX.Element {
  const [credential, setCredential] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Sign in · Statehouse';
    input.current?.focus();
  }, []);

  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(credential.trim());
    } catch (fault) {
      setProblem(asApiError(fault).message);
      setBusy(false);
      input.current?.focus();
    }
  };

  return (
    <main id="main" class="sign-in">
      <form onSubmit={(event) => void enter(event)}>
        <Mark />
        <h1>Sign in to Statehouse</h1>
        {ended && problem === null && (
          <p class="hint" role="status">
            Your session has ended. Sign in again to go on where you were.
          </p>
        )}
        <label class="field">
          Credential
          <input
            ref={input}
            name="credential"
            type="password"
            autocomplete="current-password"
            placeholder="ID.SECRET"
            value={credential}
            onInput={(event) => setCredential(event.currentTarget.value)}
            aria-describedby="credential-hint"
            spellcheck={false}
            required
          />
        </label>
        <p class="hint" id="credential-hint">
          The same one that opens the doors: its id and its secret with a dot between. The browser keeps a
          session, not the secret.
        </p>
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="button primary" disabled={busy || credential.trim() === ''}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}

/** The mark of the product. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 3 29 10.5V13H3v-2.5zM6 15h4v9H6zm8 0h4v9h-4zm8 0h4v9h-4zM3 26h26v3H3z" />
    </svg>
  );
}
