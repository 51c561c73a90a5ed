import type { Action } from '../../core/action.ts';
import type { Address } from '../../core/address.ts';
import type { Grant } from '../../core/grant.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { KnownCredentials } from './known-credentials.ts';

/** What somebody may do at an address, and by which of its grants. */
export interface Rights {
  /** The id of the credential; null for a caller that has none. */
  readonly credential: string | null;
  readonly subject: string;
  readonly actions: readonly Action[];
  readonly by: readonly Grant[];
}

export type RightsAnswer =
  | { readonly type: 'rights'; readonly rights: readonly Rights[] }
  | { readonly type: 'absent' }
  | Shut;

/** Says what may be done where, and by whom. */
export class RightsView {
  readonly #gate: Gate;
  readonly #known: KnownCredentials;

  constructor(options: { gate: Gate; known: KnownCredentials }) {
    this.#gate = options.gate;
    this.#known = options.known;
  }

  /**
   * @param whose `self`; `all` for every credential that is good for something, or the id of one, for who manages the house
   */
  async at(caller: Caller, address: Address, whose: 'self' | 'all' | { id: string }): Promise<RightsAnswer> {
    const { identity } = caller;
    if (whose === 'self') {
      const shut = this.#gate.known(identity);
      if (shut !== null) return shut;
      const { credentialId = null, subject, grants } = identity;
      return {
        type: 'rights',
        rights: [{ credential: credentialId, subject, ...this.#gate.may(grants, address) }],
      };
    }
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#known.look();
    const wanted = this.#known
      .all()
      .filter(({ id, revokedAt }) => (whose === 'all' ? revokedAt === null : id === whose.id));
    if (whose !== 'all' && wanted.length === 0) return { type: 'absent' };
    const rights = wanted.map(({ id, name, grants, revokedAt, expiresAt }): Rights => {
      const isDead = revokedAt !== null || this.#gate.isOver(expiresAt);
      const may = isDead ? { actions: [], by: [] } : this.#gate.may(grants, address);
      return { credential: id, subject: subjectOf('token', name), ...may };
    });
    return { type: 'rights', rights };
  }
}
