import { expect, it } from 'vitest';
import { REQUEST_BYTES_MAX } from '../../../src/protocols/dynamodb/layout.ts';
import { AwsHouse } from '../aws/aws-house.ts';
import { lockInfo } from '../aws/sdk.ts';
import { sendSigned } from '../aws/send-signed.ts';

// What the real service refuses before it looks at what is meant, as dynalite's tests have it.

const aws = AwsHouse.forThisFile();
const TableName = 'locks';
const Key = { LockID: { S: 'acme/a' } };

/** @returns the name of the error, or `none` */
async function ask(operation: string, body: unknown): Promise<string> {
  const headers = {
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'content-type': 'application/x-amz-json-1.0',
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await sendSigned(aws.house, { method: 'POST', service: 'dynamodb', headers, body: text });
  return /#(\w+)"/.exec(answer.text)?.[1] ?? 'none';
}

it.each<readonly [operation: string, asked: object]>([
  ['GetItem', { TableName: true }],
  ['GetItem', { TableName, Key: 'a' }],
  ['GetItem', { TableName, Key: [] }],
  ['GetItem', { TableName, Key: { a: 23 } }],
  ['GetItem', { TableName, Key: { a: { S: 23 } } }],
  ['GetItem', { TableName, Key: { a: { B: '23456' } } }],
  ['GetItem', { TableName, Key: { a: { B: '+/+=' } } }],
  ['GetItem', { TableName, Key: { a: { SS: {} } } }],
  ['GetItem', { TableName, Key: { a: { L: [{ M: { b: { BOOL: '23' } } }] } } }],
  ['GetItem', { TableName, Key, ConsistentRead: 'true' }],
  ['PutItem', { TableName, Item: Key, ExpressionAttributeNames: { '#a': 1 } }],
  ['PutItem', { TableName, Item: Key, Expected: { a: { Exists: 'yes' } } }],
  ['Scan', { TableName, Limit: '10' }],
  ['CreateTable', { TableName, KeySchema: {} }],
  ['CreateTable', { TableName, ProvisionedThroughput: { ReadCapacityUnits: '1' } }],
])('%s is not understood of another type: %o', async (operation, asked) => {
  expect(await ask(operation, asked)).toBe('SerializationException');
});

it.each<readonly [operation: string, asked: object]>([
  ['GetItem', { TableName, Key: { a: { NULL: '1' } } }],
  ['GetItem', { TableName, Key: { a: { BOOL: '0' } } }],
])('%s is understood, and wrong: %o', async (operation, asked) => {
  expect(await ask(operation, asked)).toBe('ValidationException');
});

it.each<readonly [bytes: number, status: number]>([
  [REQUEST_BYTES_MAX, 400],
  [16 * 1024 * 1024, 413],
])('says of a body of more than %i bytes that it is too large, in its own form', async (bytes, status) => {
  const body = JSON.stringify({ TableName, Key, More: ' '.repeat(bytes) });
  const headers = {
    'x-amz-target': 'DynamoDB_20120810.GetItem',
    'content-type': 'application/x-amz-json-1.0',
  };
  const answer = await sendSigned(aws.house, { method: 'POST', service: 'dynamodb', headers, body });
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    status,
    { __type: 'com.amazon.coral.validate#ValidationException' },
  ]);
});

it('takes a member that is null for none', async () => {
  const members = {
    TableName,
    ConditionExpression: null,
    ExpressionAttributeValues: null,
    AttributesToGet: null,
  };
  expect(await ask('PutItem', { ...members, Item: { ...Key, Info: null } })).toBe('ValidationException');
  const Info = { S: lockInfo('one') };
  expect(await ask('PutItem', { ...members, Item: { ...Key, Info } })).toBe('none');
  expect(await ask('GetItem', { ...members, Key })).toBe('none');
});

it('says the same of a null however deep it stands', async () => {
  const deep = `{"TableName":"${TableName}","Item":${'{"a":{"M":'.repeat(12_000)}null${'}}'.repeat(12_000)}}`;
  expect(await ask('PutItem', deep)).toMatch(/^(?:Validation|Serialization)Exception$/);
});
