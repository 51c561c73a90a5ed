import type { DoorRequest } from '../../door.ts';
import { TARGET_PREFIX } from '../layout.ts';

/** The operations of this door, by the names that AWS gives them. */
export const OPERATION_NAMES = [
  'GetItem',
  'PutItem',
  'DeleteItem',
  'UpdateItem',
  'Query',
  'Scan',
  'CreateTable',
  'DescribeTable',
  'ListTables',
  'UpdateTable',
  'DeleteTable',
  'DescribeTimeToLive',
  'DescribeContinuousBackups',
  'UpdateContinuousBackups',
  'ListTagsOfResource',
  'TagResource',
  'UntagResource',
] as const;
export type Operation = (typeof OPERATION_NAMES)[number];

/** The operation that a request names in `X-Amz-Target`; null where this door has none of that name. */
export function detect(request: DoorRequest): Operation | null {
  const target = request.header('x-amz-target') ?? '';
  if (request.method !== 'POST' || !target.startsWith(TARGET_PREFIX)) return null;
  const name = target.slice(TARGET_PREFIX.length);
  return OPERATION_NAMES.find((operation) => operation === name) ?? null;
}
