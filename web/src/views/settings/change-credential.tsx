import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CredentialShape } from '../../../../src/api/shapes/house.ts';
import { mayActOn } from '../../../../src/core/access.ts';
import { ACTIONS } from '../../../../src/core/action.ts';
import { isAddress, parseAddress } from '../../../../src/core/address.ts';
import type { Grant } from '../../../../src/core/grant.ts';
import { api, asApiError } from '../../api.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Foreign, Moment } from '../../parts/text.tsx';
import { endIn, ENDS } from './ends.ts';
import { Grants, type GrantDraft } from './grants.tsx';
import { ACTION_SAYS } from './rights.tsx';

/** Changes what a credential may do and until when, after showing what that means for one state. */
export function ChangeCredential({
  credential,
  close,
}: {
  credential: CredentialShape;
  close: () => void;
}): JSX.Element {
  const [grants, setGrants] = useState<readonly GrantDraft[]>(
    credential.grants.map((grant, id) => ({ id, ...grant })),
  );
  const [end, setEnd] = useState('same');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const wanted = grants.map(({ role, pattern }) => ({ role, pattern: pattern.trim() }));
  const isOther = textOf(wanted) !== textOf(credential.grants);
  const change = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const body = {
      ...(isOther ? { grants: wanted } : {}),
      ...(end === 'same' ? {} : { expiresAt: endIn(Number(end)) }),
    };
    await api
      .ask('change-credential', { path: { id: credential.id }, body })
      .then(close, (fault: unknown) => setProblem(asApiError(fault).message));
    setBusy(false);
  };
  return (
    <Dialog title="Change this credential" close={close} wide>
      <form onSubmit={(event) => void change(event)}>
        <p>
          <strong>
            <Foreign text={credential.name} />
          </strong>{' '}
          <code>{credential.id}</code> keeps its secret and its locks. What it has under way and may not do
          any more ends at once.
        </p>
        <Grants grants={grants} change={setGrants} />
        <label class="field">
          Ends
          <select value={end} onChange={(event) => setEnd(event.currentTarget.value)}>
            <option value="same">as it is now</option>
            {ENDS.map(([days, says]) => (
              <option key={days} value={String(days)}>
                {says}
              </option>
            ))}
          </select>
        </label>
        <p class="hint">
          Now it ends: {credential.expiresAt === null ? 'never' : <Moment at={credential.expiresAt} />}.
        </p>
        <Preview before={credential.grants} after={wanted} begin={credential.locks[0]?.address ?? ''} />
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
            disabled={busy || wanted.some(({ pattern }) => pattern === '') || (!isOther && end === 'same')}
          >
            {busy ? 'Changing it…' : 'Change it'}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** What may be done with one state by the grants before and by those after. @param begin the address that is shown first */
function Preview({
  before,
  after,
  begin,
}: {
  before: readonly Grant[];
  after: readonly Grant[];
  begin: string;
}): JSX.Element {
  const [asked, setAsked] = useState(begin);
  const address = parseAddress(asked);
  return (
    <fieldset>
      <legend>What may it do?</legend>
      <label class="field">
        With the state
        <input
          value={asked}
          placeholder="PROJECT/KEY@WORKSPACE"
          spellcheck={false}
          onInput={(event) => setAsked(event.currentTarget.value.trim())}
        />
      </label>
      {isAddress(address) ? (
        <div class="scroll" tabIndex={0} role="region" aria-label="What may it do">
          <table class="data matrix">
            <thead>
              <tr>
                <th scope="col">what</th>
                <th scope="col">now</th>
                <th scope="col">then</th>
              </tr>
            </thead>
            <tbody>
              {ACTIONS.map((action) => {
                const [now, then] = [mayActOn(before, action, address), mayActOn(after, action, address)];
                return (
                  <tr key={action}>
                    <th scope="row">{ACTION_SAYS[action]}</th>
                    <td class={now ? 'good' : 'dim'}>{now ? 'yes' : '–'}</td>
                    <td class={then ? 'good' : 'dim'}>
                      {then ? 'yes' : '–'}
                      {now !== then && <strong> {then ? 'new' : 'no more'}</strong>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      ) : (
        asked !== '' && <p class="hint">Not an address yet: {address.problem}.</p>
      )}
    </fieldset>
  );
}

function textOf(grants: readonly Grant[]): string {
  return JSON.stringify(grants.map(({ role, pattern }) => [role, pattern]));
}
