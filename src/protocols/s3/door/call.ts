import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { S3_NAMESPACE } from '../layout.ts';
import type { AuthenticatedRequest } from './auth.ts';
import type { DetectedRequest } from './detect.ts';
import type { S3Error } from './errors.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly locks: LockObjects;
  /** What is not done is refused. */
  readonly strict: boolean;
  /** Admins may delete single versions. */
  readonly deleteVersions: boolean;
  readonly caller: Caller;
  readonly authenticatedRequest: AuthenticatedRequest;
  readonly request: DoorRequest;
  readonly asked: DetectedRequest;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | S3Error;

/** The largest XML or JSON document that is read about a bucket. */
export const DOCUMENT_BYTES_MAX: number = 64 * 1024;

/** An answer with a document. */
export function documentReply(
  { asked: { operation }, request }: DoorCall,
  root: string,
  content: XmlElement,
): DoorReply {
  return {
    operation,
    status: 200,
    headers: { ...idHeaders(request), 'content-type': 'application/xml' },
    body: writeXml(root, content, S3_NAMESPACE),
  };
}

/** An answer without a body. */
export function emptyReply(
  { asked: { operation }, request }: DoorCall,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): DoorReply {
  return { operation, status, headers: { ...idHeaders(request), ...headers }, body: null };
}

export function idHeaders({ id }: Pick<DoorRequest, 'id'>): Record<string, string> {
  return { 'x-amz-request-id': id, 'x-amz-id-2': 'statehouse' };
}

/** A time as S3's documents write it. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
