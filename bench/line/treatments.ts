import { clientSleep, LINE_RULE } from '../../src/core/rules/estimate.ts';
import type { Treatment } from './lock-server.ts';

const HOUR = 60 * 60 * 1_000;

/** The rule of the server, and what it was chosen from. */
export const TREATMENTS: readonly Treatment[] = [
  { name: 'the rule', parks: true, ...LINE_RULE },
  // A tenth of the usual hold, as was first thought of.
  { name: 'kept for less', parks: true, ...LINE_RULE, keepFor: (typicalHold) => typicalHold / 10 },
  { name: 'not kept', parks: true, ...LINE_RULE, keepFor: () => -1 },
  // As it was before: a client is held open about as long as it would sleep.
  { name: 'one sleep', parks: true, parkFor: clientSleep, keepFor: () => -1 },
  { name: 'endless', parks: true, parkFor: () => HOUR, keepFor: () => -1 },
  // As on S3: the client asks again and again, and whoever comes first after a release has the lock.
  { name: 'polling', parks: false, parkFor: clientSleep, keepFor: () => -1 },
];
