import { randomBytes } from 'node:crypto';

/** What AWS's clients print when something went wrong, so that it can be found again. */
export function newRequestId(): string {
  return randomBytes(8).toString('hex').toUpperCase();
}
