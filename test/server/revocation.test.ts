import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { basic } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { dynamoClient, failure, s3Client } from '../protocols/aws/sdk.ts';
import { DescribeTableCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import { EventStream } from './event-stream.ts';

const WRITER = [{ role: 'writer', pattern: '*' }] as const;

let house: TestHouse;

afterEach(() => house.close());

describe('a credential that is revoked', () => {
  it('loses what it has under way: a write, a wait for a lock, the event stream', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', WRITER);
    await house.ask('LOCK', '/http/acme/held', { body: sampleLock('other') });
    const waits = house.ask('LOCK', '/http/acme/held?wait=5m', { as: ci, body: sampleLock('mine') });
    await house.untilParked(1);
    using stream = await EventStream.open(house.url, '', { as: ci });
    await eventually('the stream is open', () => stream.names.length > 0);
    await using write = await RawConnection.open(house.url);
    write.send(
      `POST /http/acme/x HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(ci)}\r\ncontent-length: 1000\r\n\r\n{"ver`,
    );
    await eventually('the write has begun', () => house.house.inFlightBytes > 0);
    await house.ask('DELETE', `/api/v1/credentials/${ci.id}`);
    const answer = await waits;
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([401, { error: 'revoked' }]);
    await eventually('the stream ends', () => stream.ended, 2_500);
    await eventually('the write is answered', () => write.heard.startsWith('HTTP/1.1 401 '), 2_500);
    expect(write.heard).toContain('the credential was revoked');
    expect((await house.ask('GET', '/http/acme/x')).status).toBe(404);
  });

  it('can have any id that a credential may have', async () => {
    house = await TestHouse.open();
    const id = 'A'.repeat(128);
    await house.house.credentials.ensureAdmin(
      { identity: { subject: 'house:test', grants: [{ role: 'admin', pattern: '*' }] }, door: 'test' },
      id,
      'secretsecretsecretsecret',
    );
    const answer = await house.ask('DELETE', `/api/v1/credentials/${id}`);
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { id, locks: [], broken: [] }]);
    const as = { id, secret: 'secretsecretsecretsecret' };
    expect((await house.ask('GET', '/api/v1/whoami', { as })).status).toBe(401);
  });

  it('is told with the locks that it holds, and breaks them if it is asked to', async () => {
    house = await TestHouse.open();
    const ci = await house.credential('ci', WRITER);
    const info = sampleLock('mine');
    await house.ask('LOCK', '/http/acme/x', { as: ci, body: info });
    const lockId = (JSON.parse(info) as { ID: string }).ID;
    const held = { address: 'acme/x', lockId };
    const list = JSON.parse((await house.ask('GET', '/api/v1/credentials')).text) as {
      credentials: object[];
    };
    expect(list.credentials).toContainEqual(expect.objectContaining({ id: ci.id, locks: [held] }));
    const first = await house.ask('DELETE', `/api/v1/credentials/${ci.id}`);
    expect(JSON.parse(first.text)).toMatchObject({ locks: [held], broken: [] });
    const second = await house.ask('DELETE', `/api/v1/credentials/${ci.id}?breakLocks=true`);
    expect(JSON.parse(second.text)).toMatchObject({ locks: [], broken: [held] });
    expect((await house.ask('LOCK', '/http/acme/x', { body: sampleLock('next') })).status).toBe(200);
  });
});

describe('an expired credential', () => {
  it('that holds no lock undeletes nothing, begins no upload, and is shown no list', async () => {
    house = await TestHouse.open();
    await house.ask('POST', '/http/acme/x', { body: sampleState(1) });
    await house.ask('DELETE', '/http/acme/x');
    const ci = await house.credential('ci', WRITER, Date.now() + 300);
    await eventually(
      'it expires',
      async () => (await house.ask('GET', '/metrics', { as: ci })).status === 401,
    );
    const s3 = s3Client(house.url, ci);
    const dynamo = dynamoClient(house.url, ci);
    const key = { Bucket: 'acme', Key: 'x' };
    const asked = [
      s3.send(new DeleteObjectCommand({ ...key, VersionId: 'd1' })),
      s3.send(new CreateMultipartUploadCommand(key)),
      s3.send(new ListMultipartUploadsCommand({ Bucket: 'acme' })),
      s3.send(new ListBucketsCommand({})),
      dynamo.send(new ListTablesCommand({})),
      dynamo.send(new DescribeTableCommand({ TableName: 'locks' })),
    ];
    const answers = await Promise.all(asked.map((answer) => failure(answer as Promise<unknown>)));
    expect(answers.map((fault) => fault.split(' ')[0])).toEqual([
      'ExpiredToken',
      'ExpiredToken',
      'ExpiredToken',
      'ExpiredToken',
      'ExpiredTokenException',
      'ExpiredTokenException',
    ]);
    expect((await house.ask('GET', '/http/acme/x')).status).toBe(404);
    s3.destroy();
    dynamo.destroy();
  });

  it('has no grace at all where the operator gives none', async () => {
    house = await TestHouse.open({ expiryGrace: 0 });
    const ci = await house.credential('ci', WRITER, Date.now() + 1_000);
    await house.ask('LOCK', '/http/acme/x', { as: ci, body: sampleLock('mine') });
    const write = (): Promise<{ status: number; text: string }> =>
      house.ask('GET', '/http/acme/x', { as: ci });
    const refused = await eventually('it expires', async () => {
      const answer = await write();
      return answer.status === 401 ? answer : null;
    });
    expect(refused.text).toContain('so has the time in which it could still write and unlock');
  });
});
