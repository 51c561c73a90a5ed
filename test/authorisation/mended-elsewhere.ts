import type { Asker } from './callers.ts';
import type { Verdict } from './verdict.ts';

/** What is known to be wrong today: which row, for which credentials, and what comes of it instead. */
export interface KnownWrong {
  readonly row: string;
  readonly kinds: readonly Asker['kind'][];
  readonly verdict: Verdict;
}

/** Each entry must still be wrong: one that is mended fails the test until it is taken off. */
export const MENDED_ELSEWHERE: readonly KnownWrong[] = [
  // Who may not read the lock is answered as if there were none to release.
  silent("s3: DeleteObject, one's own lock"),
  silent("s3: DeleteObject, another's lock"),
  silent("s3: DeleteObjects, one's own lock"),
  silent("s3: DeleteObjects, another's lock"),
  silent("dynamodb: DeleteItem, one's own lock"),
  silent("dynamodb: DeleteItem, another's lock"),
  // An expired credential is let in here.
  expired('s3: DeleteObject, a deletion mark'),
  expired("s3: AbortMultipartUpload, one's own upload"),
  expired("s3: ListParts, one's own upload"),
  expired('dynamodb: DescribeTable, a table'),
  expired('dynamodb: ListTables, all tables'),
  expired('dynamodb: DescribeTimeToLive, a table'),
  expired('dynamodb: DescribeContinuousBackups, a table'),
  expired('dynamodb: ListTagsOfResource, a table'),
];

function silent(row: string): KnownWrong {
  return { row, kinds: ['valid', 'expired'], verdict: 'silent' };
}

function expired(row: string): KnownWrong {
  return { row, kinds: ['expired'], verdict: 'done' };
}
