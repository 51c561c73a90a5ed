import type { JSX } from 'preact';
import { ROLES, type Grant, type Role } from '../../../../src/core/grant.ts';

/** What each role may do, in words. */
export const ROLE_SAYS: Readonly<Record<Role, string>> = {
  outputs: 'reads outputs that are not sensitive',
  reader: 'reads states, versions and locks',
  writer: 'plans and applies: reads, locks and writes',
  operator: 'also breaks locks and freezes applies',
  admin: 'everything, also credentials and the audit log',
};
/** A credential has no more grants than these here; the command line takes more. */
const GRANTS_MAX = 10;

/** A grant that is being written. */
export interface GrantDraft extends Grant {
  /** Keeps it apart from the others, whatever its place. */
  readonly id: number;
}

/** What a credential may do and where: one line for each grant. */
export function Grants({
  grants,
  change,
}: {
  grants: readonly GrantDraft[];
  change: (grants: readonly GrantDraft[]) => void;
}): JSX.Element {
  const set = (index: number, grant: GrantDraft): void => change(grants.with(index, grant));
  const add = (): void => {
    const id = Math.max(0, ...grants.map((grant) => grant.id)) + 1;
    change([...grants, { id, role: 'reader', pattern: '' }]);
  };
  return (
    <fieldset>
      <legend>It may</legend>
      {grants.map(({ id, role, pattern }, index) => (
        <div class="grant-line" key={id}>
          <label class="field">
            Role
            <select
              value={role}
              aria-label={`Role ${index + 1}`}
              onChange={(event) => set(index, { id, role: event.currentTarget.value as Role, pattern })}
            >
              {ROLES.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            On
            <input
              value={pattern}
              aria-label={`On ${index + 1}`}
              onInput={(event) => set(index, { id, role, pattern: event.currentTarget.value })}
              placeholder="PROJECT/* or PROJECT/net/*@prod"
              spellcheck={false}
              required
            />
          </label>
          {grants.length > 1 && (
            <button
              type="button"
              class="icon-button"
              aria-label={`Remove grant ${index + 1}`}
              onClick={() => change(grants.toSpliced(index, 1))}
            >
              <span aria-hidden="true">✕</span>
            </button>
          )}
          <p class="hint">{ROLE_SAYS[role]}</p>
        </div>
      ))}
      {grants.length < GRANTS_MAX && (
        <button type="button" class="button small" onClick={add}>
          Add a grant
        </button>
      )}
    </fieldset>
  );
}
