import { formatAddress } from '../../core/address.ts';
import type { Log } from '../../ports/log.ts';
import type { ResultListener } from '../executor.ts';

/** Says in the log that a lock was too young to be broken by a request that does not name it: its client shows no reason. */
export function guardWarning(log: Log): ResultListener {
  return ({ address, actor: { subject } }, { outcome }) => {
    if (outcome.type !== 'too-young') return;
    const facts = { address: formatAddress(address), subject, lock: outcome.holders[0]?.lockId };
    log.warn(
      'a lock was not broken by a request that does not name it: use "statehouse force-unlock"',
      facts,
    );
  };
}
