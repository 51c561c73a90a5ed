import {
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type ListObjectsV2CommandInput,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { AwsHouse } from '../aws/aws-house.ts';
import { lockInfo, stateText } from '../aws/sdk.ts';

const aws = AwsHouse.forThisFile();

/** More than are read at a time, with names whose order is another than that of their addresses, and of their lock files. */
const STATES: readonly string[] = [
  ...Array.from({ length: 230 }, (_, at) => `many/${String(at).padStart(3, '0')}/state`),
  'a',
  'a-b',
  'a/b',
  'ab',
  'a.c',
  'env',
  'f',
  'z',
  'ä',
  '\u{ff5e}',
  '\u{1f3e0}',
  'env:/a/net',
  'env:/a-b/net',
  'env:/a/a',
  'env:/zz/a',
];
const LOCKS: readonly string[] = ['a.tflock', 'a-b.tflock', 'many/007/state.tflock', 'env:/a/net.tflock'];

let Bucket = '';

describe('a listing of a bucket', () => {
  beforeAll(async () => {
    Bucket = aws.newBucket();
    const bodies = new Map([
      ...STATES.map((name) => [name, stateText(1)] as const),
      ...LOCKS.map((name) => [name, lockInfo(name)] as const),
    ]);
    for (const [Key, Body] of bodies) await aws.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  });

  const bytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const expected = (
    prefix: string,
    delimiter: string,
    after: string,
    names = [...STATES, ...LOCKS],
  ): string[] => {
    const asked = names.filter((name) => name.startsWith(prefix) && bytes(name, after) > 0);
    const told = asked.map((name) => {
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      return end === -1 ? name : name.slice(0, end + delimiter.length);
    });
    return [...new Set(told)].sort(bytes);
  };

  it.each([
    ['whole', '', '', ''],
    ['by its folders', '', '/', ''],
    ['below a folder, by its folders', 'many/', '/', ''],
    ['of the workspaces', 'env:/', '', ''],
    ['of the workspaces, by name', 'env:/', '/', ''],
    ['from the middle on', '', '', 'many/100/state'],
    ['from the middle of a folder on', '', '/', 'many/100'],
    ['of a prefix that is no folder', 'a', '', ''],
    ['of lock files', 'many/007/state.', '', ''],
    ['of what is not there', 'nothing/', '/', ''],
    ['with a delimiter of several letters', '', '/0', ''],
  ])('is in the order of names, %s, in pages of any size', async (_, Prefix, Delimiter, StartAfter) => {
    for (const MaxKeys of [1_000, 199, 7]) {
      const names: string[] = [];
      let token: string | undefined;
      do {
        const input: ListObjectsV2CommandInput = { Bucket, Prefix, Delimiter, StartAfter, MaxKeys };
        const page = await aws.s3.send(
          new ListObjectsV2Command(token === undefined ? input : { ...input, ContinuationToken: token }),
        );
        const told = [...(page.Contents ?? []), ...(page.CommonPrefixes ?? [])];
        names.push(
          ...told
            .map((one) => ('Key' in one ? one.Key : (one as { Prefix: string }).Prefix) ?? '')
            .sort(bytes),
        );
        token = page.NextContinuationToken;
      } while (token !== undefined);
      expect(names).toEqual(expected(Prefix, Delimiter, StartAfter));
    }
  });

  it('has the versions of all states, in pages of any size', async () => {
    for (const name of ['a', 'many/199/state'])
      for (const serial of [2, 3])
        await aws.s3.send(new PutObjectCommand({ Bucket, Key: name, Body: stateText(serial) }));
    for (const MaxKeys of [1_000, 3]) {
      const found: string[] = [];
      let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (;;) {
        const page = await aws.s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys, ...marker }));
        found.push(...(page.Versions ?? []).map(({ Key, VersionId }) => `${Key} ${VersionId}`));
        if (page.IsTruncated !== true) break;
        marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      }
      const versionsOf = (name: string): string[] =>
        ['a', 'many/199/state'].includes(name) ? ['3', '2', '1'] : ['1'];
      const names = expected('', '', '', [...STATES]);
      expect(found).toEqual(names.flatMap((name) => versionsOf(name).map((id) => `${name} ${id}`)));
    }
  });
});
