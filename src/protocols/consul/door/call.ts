import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import type { ChangeWatch } from './change-watch.ts';
import type { DetectedRequest } from './detect.ts';
import type { ConsulError } from './errors.ts';
import type { Processes } from './processes.ts';
import type { ShownRefusals } from './shown-refusals.ts';
import type { Sessions } from './sessions.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly sessions: Sessions;
  readonly processes: Processes;
  readonly refusals: ShownRefusals;
  readonly changes: ChangeWatch;
  readonly caller: Caller;
  readonly request: DoorRequest;
  readonly asked: DetectedRequest;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | ConsulError;

/** An answer that is JSON; one to a read tells its index, which a blocking query goes on from. */
export function jsonReply({ asked: { operation } }: DoorCall, value: unknown, index?: number): DoorReply {
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'application/json', ...readHeaders(index) },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** That nothing is under a key: an answer, not an error. */
export function absentReply({ asked: { operation } }: DoorCall, index: number): DoorReply {
  return { operation, status: 404, headers: readHeaders(index), body: null };
}

/** What Consul tells beside every read: here there is one copy of everything, and it is the newest. */
export function readHeaders(index?: number): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    ...(index === undefined
      ? {}
      : {
          'x-consul-index': String(index),
          'x-consul-knownleader': 'true',
          'x-consul-lastcontact': '0',
          'x-consul-effective-consistency': 'consistent',
        }),
  };
}
