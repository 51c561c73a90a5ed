import type { DoorReply } from '../../door.ts';
import { readConditions as readHttpConditions, sameRange } from '../../wire/conditions.ts';
import { cut, readRange } from '../../wire/ranges.ts';
import { conditionNotMet, type GcsError } from './errors.ts';
import { emptyReply, type DoorCall } from './call.ts';
import { etagOf, objectHeaders, type ObjectView } from './object-view.ts';

/** The bytes of an object, or the part of them that the request asks for. */
export function mediaReply(
  call: DoorCall,
  view: ObjectView,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
): DoorReply | GcsError {
  const { request, asked } = call;
  const header = (name: string): string | undefined => request.header(name);
  const standing = { etag: etagOf(view), modified: view.at };
  const headers = objectHeaders(view);
  const condition = readHttpConditions(header, standing);
  if (condition === 304) return emptyReply(call, 304, headers);
  if (condition !== null) return conditionNotMet(condition);
  const range = sameRange(header('if-range'), standing) ? readRange(header('range'), view.size) : null;
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      reason: 'requestedRangeNotSatisfiable',
      message: 'Request range not satisfiable',
      headers: { 'content-range': `bytes */${view.size}` },
    };
  }
  const [from, to] = range ?? [0, view.size];
  return {
    operation: asked.operation,
    status: range === null ? 200 : 206,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'accept-ranges': 'bytes',
      'content-length': String(to - from),
      ...(range === null ? {} : { 'content-range': `bytes ${from}-${to - 1}/${view.size}` }),
    },
    body: request.method === 'HEAD' ? null : cut(bytes, [from, to]),
  };
}
