import type { JSX } from 'preact';
import { ACTIONS, type Action } from '../../../../src/core/action.ts';
import { isAddress, parseAddress } from '../../../../src/core/address.ts';
import { api } from '../../api.ts';
import { Panel } from '../../parts/frame.tsx';
import { Shown } from '../../parts/states.tsx';
import { Subject } from '../../parts/text.tsx';
import { place, setQuery } from '../../route.ts';
import { useLoad } from '../../use-load.ts';

/** What can be asked of a state, as people say it. */
export const ACTION_SAYS: Readonly<Record<Action, string>> = {
  'read-outputs': 'read outputs',
  read: 'read',
  'read-history': 'old versions',
  list: 'see it listed',
  write: 'write',
  lock: 'lock',
  unlock: 'unlock',
  delete: 'delete',
  restore: 'restore',
  'force-unlock': 'break locks',
  purge: 'purge',
  'read-audit': 'read audit',
  manage: 'manage',
};

/** What each credential may do with one state, as a matrix. */
export function Rights(): JSX.Element {
  const asked = place.value.query.get('on') ?? '';
  const address = parseAddress(asked);
  return (
    <Panel title="Who may do what with one state">
      <div class="body stack">
        <label class="field">
          State
          <input
            class="wide"
            value={asked}
            placeholder="PROJECT/KEY@WORKSPACE"
            spellcheck={false}
            onInput={(event) => setQuery({ on: event.currentTarget.value.trim() })}
          />
        </label>
        {isAddress(address) ? (
          <Matrix address={asked} />
        ) : (
          asked !== '' && <p class="hint">Not an address yet: {address.problem}.</p>
        )}
      </div>
    </Panel>
  );
}

function Matrix({ address }: { address: string }): JSX.Element {
  const read = () => api.ask('list-rights', { query: { address, all: true } });
  const [found, again] = useLoad(read, address);
  return (
    <Shown loaded={found} what="the rights" again={again}>
      {({ rights }) => (
        <div class="scroll" tabIndex={0} role="region" aria-label="Rights">
          <table class="data matrix">
            <thead>
              <tr>
                <th scope="col">who</th>
                {ACTIONS.map((action) => (
                  <th key={action} scope="col">
                    {ACTION_SAYS[action]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rights.map(({ credential, subject, actions, by }) => (
                <tr key={credential ?? subject}>
                  <th scope="row" title={by.map(({ role, pattern }) => `${role} on ${pattern}`).join(', ')}>
                    <Subject subject={subject} />
                  </th>
                  {ACTIONS.map((action) => (
                    <td key={action} class={actions.includes(action) ? 'good' : 'dim'}>
                      {actions.includes(action) ? 'yes' : '–'}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Shown>
  );
}
