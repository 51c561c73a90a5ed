import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Gate } from '../gate.ts';
import type { RecordOwner } from '../records/records.ts';
import { NUMBERS } from './counts.ts';
import { Numbers } from './numbers.ts';
import { Tally } from './tally.ts';

/** Puts together what counts and what tells. */
export function openNumbers(options: {
  engine: Engine;
  owner: RecordOwner;
  clock: Clock;
  log: Log;
  gate: Gate;
  node: string;
}): { readonly numbers: Numbers; readonly tally: Tally } {
  const records = NUMBERS.of(options.owner);
  const tally = new Tally({ ...options, records });
  return { tally, numbers: new Numbers({ ...options, records, tally }) };
}
