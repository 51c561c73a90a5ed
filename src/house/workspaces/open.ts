import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Audit } from '../audit.ts';
import type { Freezes } from '../freezes.ts';
import type { Gate } from '../gate.ts';
import type { RecordOwner } from '../records/records.ts';
import { WATCHED } from '../watches.ts';
import { watched } from '../watched.ts';
import { LOGIN_CODES, LoginCodes } from './login-codes.ts';
import { PENDING_STATES, PendingStates } from './pending-states.ts';
import { WORKSPACE_GROUPS, WORKSPACES } from './records.ts';
import { VARIABLE_SETS, VariableSets } from './variable-sets.ts';
import { VARIABLES, Variables } from './variables.ts';
import { Workspaces } from './workspaces.ts';

/** What the house keeps for clients to whom a state is a workspace. */
export interface WorkspaceParts {
  readonly kept: Workspaces;
  readonly pending: PendingStates;
  readonly variables: Variables;
  readonly sets: VariableSets;
  readonly logins: LoginCodes;
}

export function openWorkspaces(options: {
  engine: Engine;
  entropy: Entropy;
  sealer: Sealer;
  gate: Gate;
  freezes: Freezes;
  audit: Audit;
  records: RecordOwner;
}): WorkspaceParts {
  const { records: owner, audit } = options;
  const workspaces = new Workspaces({
    ...options,
    records: WORKSPACES.of(owner),
    groups: WORKSPACE_GROUPS.of(owner),
  });
  const pendingStates = new PendingStates({ ...options, records: PENDING_STATES.of(owner) });
  const variables = new Variables({ ...options, records: VARIABLES.of(owner) });
  const sets = new VariableSets({ ...options, records: VARIABLE_SETS.of(owner), variables });
  return {
    kept: watched(workspaces, audit, WATCHED.workspaces),
    pending: watched(pendingStates, audit, WATCHED.pendingStates),
    variables: watched(variables, audit, WATCHED.variables),
    sets: watched(sets, audit, WATCHED.variableSets),
    logins: new LoginCodes({ ...options, records: LOGIN_CODES.of(owner) }),
  };
}
