import type { MeasuredHouse } from '../../src/server/metrics.ts';

/** What is measured of a house where nothing happens. */
export function quietHouse(): MeasuredHouse {
  return {
    parked: 0,
    inFlightBytes: 0,
    seals: 0,
    lockIdle: 0,
    lag: null,
    listen: () => () => undefined,
    lockFigures: () => Promise.resolve({ held: 0, oldest: 0, parked: 0, away: 0 }),
    storedFigures: () => Promise.resolve({ states: 0, versions: 0, bytes: 0 }),
    webhooks: { counts: { sent: 0, failed: 0, givenUp: 0, dropped: 0 } },
    backups: { last: () => Promise.resolve(null) },
  };
}
