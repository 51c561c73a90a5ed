import { nameOfSubject } from '../../../core/subject.ts';
import { userId } from '../layout.ts';
import { emptyReply, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { refused } from './errors.ts';

/** What asks who one is, and what the server can do: its headers say that, beside every answer. */
export const ACCOUNT_ROWS: Rows = {
  ping: { method: 'GET', path: 'ping', run: ping },
  'account.details': { method: 'GET', path: 'account/details', run: readAccount },
};

async function ping(call: DoorCall): Promise<Answer> {
  return shut(call) ?? emptyReply(call);
}

/** Why a credential is good for nothing here; null for one that is good for something. */
function shut({ house, caller }: DoorCall): Answer | null {
  const refusal = house.refuseEverywhere(caller, 'read-outputs');
  return refusal === null ? null : refused(refusal);
}

async function readAccount(call: DoorCall): Promise<Answer> {
  const refusal = shut(call);
  if (refusal !== null) return refusal;
  const { subject } = call.caller.identity;
  return reply(call, {
    id: userId(subject),
    type: 'users',
    attributes: {
      username: nameOfSubject(subject),
      email: null,
      'unconfirmed-email': null,
      'is-service-account': true,
      'is-sudo': false,
      'is-site-admin': false,
      'avatar-url': null,
      'auth-method': 'token',
      'v2-only': true,
      'two-factor': { enabled: false, verified: false },
      permissions: {
        'can-create-organizations': true,
        'can-change-email': false,
        'can-change-username': false,
        'can-manage-user-tokens': false,
        'can-view2fa-settings': false,
      },
    },
  });
}
