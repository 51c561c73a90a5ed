import { PIECES_MAX } from '../../../house/states/uploads.ts';
import { sameRange, type Representation } from '../../wire/conditions.ts';
import { readRange, type Span } from '../../wire/ranges.ts';
import type { DoorCall } from './call.ts';
import { invalid, invalidArgument, invalidRange, type S3Error } from './errors.ts';

/** The part of an object that is asked for, and whether it may have been asked for as all of it. */
export interface AskedSpan {
  /** null where the whole is asked for without more words. */
  readonly span: Span | null;
  readonly isWhole: boolean;
}

/** Reads `Range`, `If-Range` and `partNumber` of a GET or HEAD. An object is one part, however it came. */
export function readSpan(
  { request, asked }: DoorCall,
  size: number,
  representation: Representation,
): AskedSpan | S3Error {
  const [number, range] = [asked.query.get('partNumber'), request.header('range')];
  if (number === undefined) {
    const span = sameRange(request.header('if-range'), representation) ? readRange(range, size) : null;
    return span === 'unsatisfiable' ? invalidRange(size) : { span, isWhole: span === null };
  }
  if (range !== undefined) return invalid('Cannot specify both Range header and partNumber query parameter');
  if (!/^[1-9]\d{0,4}$/.test(number) || Number(number) > PIECES_MAX) {
    const message = `Part number must be an integer between 1 and ${PIECES_MAX}, inclusive`;
    return invalidArgument('partNumber', number, message);
  }
  if (number === '1') return { span: [0, size], isWhole: true };
  return { status: 416, code: 'InvalidPartNumber', message: 'The requested partnumber is not satisfiable' };
}
