import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { CredentialShape } from '../../../../src/api/shapes/house.ts';
import { api, asApiError } from '../../api.ts';
import { counted } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Panel, View } from '../../parts/frame.tsx';
import { Empty, Shown } from '../../parts/states.tsx';
import { AddressLink, Ago, Badge, Foreign, Moment } from '../../parts/text.tsx';
import { useLoad } from '../../use-load.ts';
import { ChangeCredential } from './change-credential.tsx';
import { ROLE_SAYS } from './grants.tsx';
import { NewCredential } from './new-credential.tsx';
import { Rights } from './rights.tsx';
import { standingOf } from './standing.ts';

/** What is being done over the list. */
type Opened =
  | { readonly what: 'new' }
  | { readonly what: 'change' | 'revoke'; readonly credential: CredentialShape };

/** Who may enter, and what each may do. */
export function Credentials(): JSX.Element {
  const [found, again] = useLoad(async () => (await api.ask('list-credentials', {})).credentials, 'all');
  const [open, setOpen] = useState<Opened | null>(null);
  const close = (): void => {
    setOpen(null);
    again();
  };
  const [ended, setEnded] = useState(false);
  return (
    <View
      title="Credentials"
      aside={
        <button type="button" class="button primary" onClick={() => setOpen({ what: 'new' })}>
          New credential
        </button>
      }
    >
      <Rights />
      <Shown loaded={found} what="the credentials" again={again}>
        {(all) => {
          const shown = all.filter((one) => ended || standingOf(one, Date.now()) !== 'revoked');
          return (
            <>
              <Panel
                title={counted(shown.length, 'credential')}
                aside={
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={ended}
                      onChange={(event) => setEnded(event.currentTarget.checked)}
                    />
                    Revoked ones, too
                  </label>
                }
              >
                {shown.length === 0 ? (
                  <Empty title="No credential" />
                ) : (
                  <Table credentials={shown} open={setOpen} />
                )}
              </Panel>
            </>
          );
        }}
      </Shown>
      {open?.what === 'new' && <NewCredential close={close} />}
      {open?.what === 'change' && <ChangeCredential credential={open.credential} close={close} />}
      {open?.what === 'revoke' && <Revoke credential={open.credential} close={close} />}
    </View>
  );
}

function Table({
  credentials,
  open,
}: {
  credentials: readonly CredentialShape[];
  open: (opened: Opened) => void;
}): JSX.Element {
  return (
    <div class="scroll">
      <table class="data">
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">id</th>
            <th scope="col">may</th>
            <th scope="col">created</th>
            <th scope="col">last used</th>
            <th scope="col">ends</th>
            <th scope="col">holds</th>
            <th scope="col">
              <span class="hidden">what can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {credentials.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                <Foreign text={one.name} most={80} /> <Standing credential={one} />
              </th>
              <td>
                <code>{one.id}</code>
              </td>
              <td>
                {one.grants.map(({ role, pattern }) => (
                  <div key={`${role} ${pattern}`}>
                    <span title={ROLE_SAYS[role]}>
                      <Badge>{role}</Badge>
                    </span>{' '}
                    on{' '}
                    <code>
                      <Foreign text={pattern} most={120} />
                    </code>
                  </div>
                ))}
              </td>
              <td class="dim">
                <Ago at={one.createdAt} />
              </td>
              <td class="dim">{one.lastUsed === null ? 'never' : <Ago at={one.lastUsed.at} />}</td>
              <td class="dim">{one.expiresAt === null ? 'never' : <Moment at={one.expiresAt} />}</td>
              <td>
                {one.locks.map(({ address, lockId }) => (
                  <div key={lockId}>
                    <AddressLink address={address} />
                  </div>
                ))}
              </td>
              <td class="num">
                {one.revokedAt === null && (
                  <>
                    <button
                      type="button"
                      class="button small"
                      onClick={() => open({ what: 'change', credential: one })}
                      aria-label={`Change ${one.name}`}
                    >
                      Change…
                    </button>{' '}
                    <button
                      type="button"
                      class="button small"
                      onClick={() => open({ what: 'revoke', credential: one })}
                      aria-label={`Revoke ${one.name}`}
                    >
                      Revoke…
                    </button>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Standing({ credential }: { credential: CredentialShape }): JSX.Element | null {
  const standing = standingOf(credential, Date.now());
  switch (standing) {
    case 'good':
      return null;
    case 'ending':
      return <Badge tone="warn">ends soon</Badge>;
    default:
      return <Badge tone="bad">{standing}</Badge>;
  }
}

function Revoke({ credential, close }: { credential: CredentialShape; close: () => void }): JSX.Element {
  const [breakLocks, setBreakLocks] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const revoke = async (): Promise<void> => {
    setBusy(true);
    await api
      .ask('revoke-credential', { path: { id: credential.id }, query: { breakLocks } })
      .then(close, (fault: unknown) => setProblem(asApiError(fault).message));
    setBusy(false);
  };
  return (
    <Dialog title="Revoke this credential?" close={close}>
      <p>
        <strong>
          <Foreign text={credential.name} />
        </strong>{' '}
        <code>{credential.id}</code> is refused at every door at once, and for good. Its sessions at this page
        end, too.
      </p>
      {credential.locks.length > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={breakLocks}
            onChange={(event) => setBreakLocks(event.currentTarget.checked)}
          />
          Break the {counted(credential.locks.length, 'lock')} that it holds
        </label>
      )}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <footer>
        <button type="button" class="button" onClick={close}>
          Cancel
        </button>
        <button type="button" class="button danger" disabled={busy} onClick={() => void revoke()}>
          Revoke it
        </button>
      </footer>
    </Dialog>
  );
}
