import {
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allPairs, doorMatrix } from '../../src/contract/door-contract.ts';
import { HTTP } from '../doors/clients/http.ts';
import { S3_BOTH, S3_LOCK_FILE } from '../doors/clients/s3.ts';
import { houseUnderTest } from '../doors/houses.ts';
import { askSigned } from '../support/ask-signed.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { dynamoClient, lockInfo, s3Client, stateText } from '../protocols/aws/sdk.ts';
import { ThreeHouses } from './fixtures/three-houses.ts';

const programs = await findPostgres();

describe.skipIf(programs === null)(
  'the AWS doors of three nodes (skipped unless postgres is on PATH)',
  () => {
    let nodes: ThreeHouses;
    let urls: readonly string[];

    beforeAll(async () => {
      nodes = await ThreeHouses.open(programs!);
      urls = nodes.houses.map(({ url }) => url);
    });
    afterAll(() => nodes[Symbol.asyncDispose]());

    const s3 = (node: number): ReturnType<typeof s3Client> => s3Client(urls[node] ?? '');
    const db = (node: number): ReturnType<typeof dynamoClient> => dynamoClient(urls[node] ?? '');
    const failure = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => 'none',
        (error: { name: string }) => error.name,
      );

    it('take the parts of one upload at any node, and put them together at another', async () => {
      const where = { Bucket: 'acme', Key: 'parts.tfstate' };
      const text = stateText(1, 'l', { filler: 'x'.repeat(700_000) });
      const cuts = [0, 300_000, 600_000, text.length];
      const { UploadId } = await s3(0).send(new CreateMultipartUploadCommand(where));
      const upload = { ...where, UploadId };
      const Parts = await Promise.all(
        [1, 2, 3].map(async (PartNumber) => {
          const Body = text.slice(cuts[PartNumber - 1], cuts[PartNumber]);
          const { ETag } = await s3(PartNumber - 1).send(
            new UploadPartCommand({ ...upload, PartNumber, Body }),
          );
          return { PartNumber, ETag };
        }),
      );
      expect((await s3(1).send(new ListPartsCommand(upload))).Parts).toHaveLength(3);
      const complete = { ...upload, MultipartUpload: { Parts } };
      const { ETag } = await s3(2).send(new CompleteMultipartUploadCommand(complete));
      // The answer was lost, and the client asks another node.
      expect((await s3(0).send(new CompleteMultipartUploadCommand(complete))).ETag).toBe(ETag);
      const { Body } = await s3(1).send(new GetObjectCommand(where));
      expect(await Body?.transformToString()).toBe(text);
      expect((await s3(1).send(new ListMultipartUploadsCommand({ Bucket: 'acme' }))).Uploads).toBeUndefined();
    });

    it('know of a deletion which lock it means, though its client has looked at another node', async () => {
      const path = '/acme/looked.tfstate.tflock';
      const run = { 'user-agent': 'APN/1.0 HashiCorp/1.0 Terraform/1.11.4' };
      const ask = async (node: number, method: string, headers = {}, body = ''): Promise<number> => {
        const asked = { service: 's3', method, path, headers: { ...run, ...headers }, body };
        return (await askSigned(urls[node] ?? '', asked)).status;
      };
      const take = (node: number, id: string): Promise<number> =>
        ask(node, 'PUT', { 'if-none-match': '*' }, lockInfo(id));
      const call = { 'amz-sdk-invocation-id': 'c8f0a1b2-1111-4222-8333-444455556666' };
      const holders = async (): Promise<string> => (await nodes.houses[2]!.ask('GET', '/api/v1/locks')).text;
      // An earlier run of the same client ended at node 1.
      expect(await take(1, 'look-0')).toBe(200);
      expect(await ask(1, 'GET')).toBe(200);
      expect(await ask(1, 'DELETE')).toBe(204);
      expect(await take(0, 'look-1')).toBe(200);
      expect(await ask(0, 'GET')).toBe(200);
      expect(await ask(1, 'DELETE', { ...call, 'amz-sdk-request': 'attempt=1; max=5' })).toBe(204);
      expect(await holders()).not.toContain('look-1');
      // Its answer was lost, and the client asks a third node, when another run of it has the lock.
      expect(await take(0, 'look-2')).toBe(200);
      expect(await ask(2, 'DELETE', { ...call, 'amz-sdk-request': 'attempt=2; max=5' })).toBe(204);
      expect(await holders()).toContain('look-2');
      expect(await ask(1, 'GET')).toBe(200);
      expect(await ask(2, 'DELETE')).toBe(204);
      expect(await holders()).not.toContain('look-2');
    });

    it('hold one lock, by whatever means it was taken at whichever node', async () => {
      const TableName = 'locks';
      const Key = { LockID: { S: 'acme/one.tfstate' } };
      const put = (node: number, id: string): Promise<unknown> =>
        db(node).send(
          new PutItemCommand({
            TableName,
            Item: { ...Key, Info: { S: lockInfo(id) } },
            ConditionExpression: 'attribute_not_exists(LockID)',
          }),
        );
      await put(0, 'one');
      // The table came to be with that lock, and every node knows it.
      expect((await db(1).send(new DescribeTableCommand({ TableName }))).Table?.TableStatus).toBe('ACTIVE');
      expect(await failure(put(1, 'two'))).toBe('ConditionalCheckFailedException');
      const lockFile = { Bucket: 'acme', Key: 'one.tfstate.tflock' };
      const asFile = (node: number, id: string): Promise<unknown> =>
        s3(node).send(new PutObjectCommand({ ...lockFile, Body: lockInfo(id), IfNoneMatch: '*' }));
      const look = async (node: number): Promise<string | undefined> => {
        const { Body } = await s3(node).send(new GetObjectCommand(lockFile));
        return Body?.transformToString();
      };
      expect(await failure(asFile(2, 'two'))).toBe('PreconditionFailed');
      // As terraform does when it is refused.
      expect(await look(2)).toBe(lockInfo('one'));
      await asFile(2, 'one');
      expect(await look(1)).toBe(lockInfo('one'));

      // Both means are given up, each at another node.
      await s3(1).send(new DeleteObjectCommand(lockFile));
      expect((await db(0).send(new GetItemCommand({ TableName, Key }))).Item?.['Info']?.S).toBe(
        lockInfo('one'),
      );
      await db(0).send(new DeleteItemCommand({ TableName, Key }));
      expect(await failure(look(2))).toBe('NoSuchKey');
      await asFile(2, 'two');
    });

    doorMatrix(allPairs([HTTP, S3_LOCK_FILE, S3_BOTH]), () =>
      Promise.resolve(houseUnderTest(nodes.houses as [TestHouse, ...TestHouse[]], () => Promise.resolve())),
    );
  },
);
