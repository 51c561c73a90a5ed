import { ACCOUNT_ROWS } from './account.ts';
import { AGENT_POOL_ROWS } from './agent-pools.ts';
import type { Rows } from './call.ts';
import { CONFIGURATION_ROWS } from './configuration-versions.ts';
import { LOCK_ROWS } from './locks.ts';
import { NOTIFICATION_ROWS } from './notifications.ts';
import { ORGANIZATION_ROWS } from './organizations.ts';
import { OUTPUT_ROWS } from './outputs.ts';
import { PROJECT_ROWS } from './projects.ts';
import { PHASE_ROWS } from './run-phases.ts';
import { RUN_ROWS } from './runs.ts';
import { RUN_TRIGGER_ROWS } from './run-triggers.ts';
import { STATE_VERSION_ROWS } from './state-versions.ts';
import { TAG_ROWS } from './tags.ts';
import { VARIABLE_SET_ROWS } from './variable-sets.ts';
import { VARIABLE_ROWS } from './variables.ts';
import { WORKSPACE_ROWS } from './workspaces.ts';

/** The one table of this door: what needs a credential, by the names of go-tfe's methods. */
export const OPERATIONS: Rows = {
  ...ACCOUNT_ROWS,
  ...ORGANIZATION_ROWS,
  ...PROJECT_ROWS,
  ...WORKSPACE_ROWS,
  ...TAG_ROWS,
  ...LOCK_ROWS,
  ...STATE_VERSION_ROWS,
  ...OUTPUT_ROWS,
  ...CONFIGURATION_ROWS,
  ...RUN_ROWS,
  ...RUN_TRIGGER_ROWS,
  ...NOTIFICATION_ROWS,
  ...PHASE_ROWS,
  ...VARIABLE_ROWS,
  ...AGENT_POOL_ROWS,
  ...VARIABLE_SET_ROWS,
};
