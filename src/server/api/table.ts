import { AGENT_POOL_ROUTES } from './routes/agent-pools.ts';
import { CHANGE_ROUTES } from './routes/changes.ts';
import { CONTENT_ROUTES } from './routes/content.ts';
import { CREDENTIAL_ROUTES } from './routes/credentials.ts';
import { DRIFT_ROUTES } from './routes/drift.ts';
import { EVENT_ROUTES } from './routes/events.ts';
import { EXPLORE_ROUTES } from './routes/explore.ts';
import { FREEZE_ROUTES } from './routes/freezes.ts';
import { HOUSE_ROUTES } from './routes/house.ts';
import { LOCK_ROUTES } from './routes/locks.ts';
import { LOOK_ROUTES } from './routes/look.ts';
import { NUMBER_ROUTES } from './routes/numbers.ts';
import { PROJECT_ROUTES } from './routes/projects.ts';
import { REFUSED_ROUTES } from './routes/refused.ts';
import { RUN_TRIGGER_ROUTES } from './routes/run-triggers.ts';
import { SESSION_ROUTES } from './routes/session.ts';
import { RUN_ROUTES } from './routes/runs.ts';
import { STATE_ROUTES } from './routes/states.ts';
import { VERSION_ROUTES } from './routes/versions.ts';
import { WEBHOOK_ROUTES } from './routes/webhooks.ts';
import type { Route } from './route.ts';

/** Every route of the API, in the order of the document. */
export const ROUTES: readonly Route[] = [
  ...STATE_ROUTES,
  ...VERSION_ROUTES,
  ...CHANGE_ROUTES,
  ...CONTENT_ROUTES,
  ...REFUSED_ROUTES,
  ...LOCK_ROUTES,
  ...FREEZE_ROUTES,
  ...EXPLORE_ROUTES,
  ...NUMBER_ROUTES,
  ...RUN_ROUTES,
  ...DRIFT_ROUTES,
  ...RUN_TRIGGER_ROUTES,
  ...AGENT_POOL_ROUTES,
  ...EVENT_ROUTES,
  ...PROJECT_ROUTES,
  ...CREDENTIAL_ROUTES,
  ...WEBHOOK_ROUTES,
  ...SESSION_ROUTES,
  ...LOOK_ROUTES,
  ...HOUSE_ROUTES,
];
