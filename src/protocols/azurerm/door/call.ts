import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import type { Blocks } from './blocks.ts';
import type { DetectedRequest } from './detect.ts';
import type { AzureError } from './errors.ts';
import type { FirstBlobs } from './first-blobs.ts';
import type { LeaseTerms } from './lease-terms.ts';
import type { ShownRefusals } from './shown-refusals.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly refusals: ShownRefusals;
  readonly leases: LeaseTerms;
  readonly blocks: Blocks;
  readonly firstBlobs: FirstBlobs;
  readonly caller: Caller;
  readonly request: DoorRequest;
  readonly asked: DetectedRequest;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | AzureError;

/** The body of a write is not what it was said to be: nothing of it is kept. */
export class BodyProblem extends Error {
  readonly error: AzureError;

  constructor(error: AzureError) {
    super(error.message);
    this.name = 'BodyProblem';
    this.error = error;
  }
}

/** An answer without a body. */
export function emptyReply(
  { asked: { operation } }: Pick<DoorCall, 'asked'>,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): DoorReply {
  return { operation, status, headers, body: null };
}

/** An answer that is an XML document. */
export function documentReply(
  { asked: { operation }, request }: DoorCall,
  root: string,
  content: XmlElement,
  attributes: Readonly<Record<string, string>> = {},
): DoorReply {
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'application/xml', 'cache-control': 'no-cache' },
    body: request.method === 'HEAD' ? null : writeXml(root, content, attributes),
  };
}

/** An answer that is JSON. */
export function jsonReply(operation: string, value: object, status = 200): DoorReply {
  return {
    operation,
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}
