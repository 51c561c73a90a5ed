import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { dynamoClient, s3Client, stateText } from '../protocols/aws/sdk.ts';
import { callApi } from './api-client.ts';

describe('a record of the audit log', () => {
  let house: TestHouse;

  beforeEach(async () => {
    house = await TestHouse.open();
  });
  afterEach(() => house.close());

  const newest = async (): Promise<unknown> =>
    (await callApi(house, 'GET /audit?limit=1')).json['records']?.['0'];

  it('says which credential it was, from where, in which request, with which program', async () => {
    const { headers: answered } = await house.ask('POST', '/http/acme/net', {
      body: sampleState(1),
      headers: { 'user-agent': 'Terraform/1.11.4 \u009b' },
    });
    expect(await newest()).toMatchObject({
      action: 'write',
      refused: null,
      credential: TEST_ADMIN.id,
      peer: expect.stringMatching(/127\.0\.0\.1$/),
      requestId: answered['x-request-id'],
      userAgent: expect.stringMatching(/^Terraform\/1.11.4 .?\\u009b$/),
    });
  });

  it('names an S3 request as its answer did', async () => {
    const s3 = s3Client(house.url);
    const put = new PutObjectCommand({ Bucket: 'acme', Key: 'net.tfstate', Body: stateText(1) });
    const { requestId } = (await s3.send(put)).$metadata;
    expect(await newest()).toMatchObject({
      action: 'write',
      requestId,
      userAgent: expect.stringMatching(/aws-sdk/),
    });
    const missing = s3.send(new GetObjectCommand({ Bucket: 'acme', Key: 'none' }));
    await expect(missing).rejects.toMatchObject({ RequestId: expect.stringMatching(/^[0-9A-F]{16}$/) });
  });

  it.each([
    ['s3', 'x-amz-request-id', () => s3Client(house.url).send(new ListBucketsCommand({}))],
    ['dynamodb', 'x-amzn-requestid', () => dynamoClient(house.url).send(new ListTablesCommand({}))],
  ])(
    'has one id for a request, in every header of its answer at the %s door',
    async (service, header, send) => {
      const { $metadata } = (await send()) as { $metadata: { requestId?: string } };
      expect($metadata.requestId).toMatch(/^[0-9A-F]{16}$/);
      const { headers } = await house.ask('POST', '/', {
        as: null,
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=X/20260101/us-east-1/${service}/aws4_request`,
        },
      });
      expect(headers['x-request-id']).toBe(headers[header]);
    },
  );
});
