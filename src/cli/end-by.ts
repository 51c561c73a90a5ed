import type { Milliseconds } from '../core/instant.ts';
import { FAILED } from './exit-codes.ts';

/** Ends the process after a while, whatever is left hanging then; nothing if it has ended before. */
export function endBy(delay: Milliseconds): void {
  setTimeout(() => process.exit(FAILED), delay).unref();
}
