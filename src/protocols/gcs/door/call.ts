import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import type { DetectedRequest } from './detect.ts';
import type { GcsError } from './errors.ts';
import type { Checksums } from './checksums.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly locks: LockObjects;
  readonly checksums: Checksums;
  readonly caller: Caller;
  readonly request: DoorRequest;
  readonly asked: DetectedRequest;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | GcsError;

/** The body of an upload is not what it should be: what follows is not read, and nothing is kept. */
export class UploadProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UploadProblem';
  }
}

/** An answer that is a JSON document. */
export function jsonReply({ asked: { operation } }: DoorCall, value: object): DoorReply {
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'application/json; charset=UTF-8', 'cache-control': 'no-store' },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}

/** An answer without a body. */
export function emptyReply(
  { asked: { operation } }: DoorCall,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): DoorReply {
  return { operation, status, headers, body: null };
}
