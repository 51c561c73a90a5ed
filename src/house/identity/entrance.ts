import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Audit } from '../audit.ts';
import type { Gate } from '../gate.ts';
import type { RecordOwner } from '../records/records.ts';
import { Authenticators } from './authenticators.ts';
import type { KnownCredentials } from './known-credentials.ts';
import { LAST_USES, LastUses } from './last-uses.ts';
import { PAGE_SESSIONS, PageSessionTokens } from './page-session-tokens.ts';
import { PageSessions, type PageSessionSettings } from './page-sessions.ts';
import { SessionTokens } from './session-tokens.ts';
import { Sessions } from './sessions.ts';

/** All by which somebody may come in. */
export interface Entrance {
  readonly identity: Authenticators;
  readonly sessions: Sessions;
  readonly pageSessions: PageSessions;
  readonly uses: LastUses;
}

/** Puts together what says who comes in: by a credential, or by a session of one. */
export function openEntrance(options: {
  owner: RecordOwner;
  sealer: Sealer;
  clock: Clock;
  entropy: Entropy;
  credentials: KnownCredentials;
  gate: Gate;
  audit: Audit;
  settings: PageSessionSettings;
  log: Log;
}): Entrance {
  const { owner, sealer, clock, entropy, credentials, gate, audit, settings, log } = options;
  const tokens = new SessionTokens({ sealer, credentials });
  const records = PAGE_SESSIONS.of(owner);
  const idle = settings.pageSessionIdle;
  const pageTokens = new PageSessionTokens({ records, sealer, clock, credentials, idle });
  const uses = new LastUses({ records: LAST_USES.of(owner), clock, log });
  return {
    uses,
    identity: new Authenticators({ credentials, tokens, pageTokens, audit, uses }),
    sessions: new Sessions({ tokens, clock, entropy, gate, audit }),
    pageSessions: new PageSessions({ records, tokens: pageTokens, clock, entropy, gate, audit, settings }),
  };
}
