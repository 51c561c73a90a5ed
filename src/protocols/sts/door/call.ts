import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { Authenticated } from '../../aws/authenticate.ts';
import type { DoorReply, DoorRequest, S3Settings } from '../../door.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import type { Operation } from './detect.ts';
import type { QueryError } from './errors.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly caller: Caller;
  readonly authenticated: Authenticated;
  readonly request: Pick<DoorRequest, 'id'>;
  readonly parameters: ReadonlyMap<string, string>;
  readonly settings: Pick<S3Settings, 'account' | 'strict'>;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | QueryError;

/** An answer in the form of AWS's query protocol. */
export function reply(
  { request: { id } }: DoorCall,
  operation: Operation,
  namespace: string,
  result: XmlElement,
): DoorReply {
  const content = { [`${operation}Result`]: result, ResponseMetadata: { RequestId: id } };
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': id },
    body: writeXml(`${operation}Response`, content, namespace),
  };
}
