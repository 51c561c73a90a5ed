import { availableParallelism, loadavg } from 'node:os';

/** What other tests beside this one cost at least. */
const LEAST = process.env['CI'] === 'true' ? 10 : 4;

/** How many times slower something may be on this machine than on one that does nothing else. */
export function busyFactor(): number {
  return Math.max(LEAST, (loadavg()[0] ?? 0) / availableParallelism());
}
