import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_WORKSPACE } from '../../../src/core/address.ts';
import { LOCK_ITEM_ALIAS, REQUEST_BYTES_MAX } from '../../../src/protocols/dynamodb/layout.ts';
import { dynamoAsk, signAsk } from '../../support/ask-signed.ts';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import { ask, type Answer } from '../../support/request.ts';
import { LATE_MS, slowestAnswer } from '../../support/slowest-answer.ts';
import { lockInfo } from '../aws/sdk.ts';

// What one request may cost everybody else: the largest and worst that are taken, and an asker beside them.

/** Just below what a request may have. */
const ROOM = 250_000;
const LOCKS = 400;

const TableName = 'terraform-locks';
const Key = { LockID: { S: 'acme/net.tfstate' } };
let house: TestHouse;

beforeAll(async () => {
  house = await TestHouse.open();
  const put = await prepare('PutItem', { TableName, Item: { ...Key, Info: { S: lockInfo('held') } } });
  expect((await put()).status).toBe(200);
  for (let number = 0; number < LOCKS; number += 1) {
    const info = Buffer.from(lockInfo(`many-${number}`));
    const address = { project: 'many', key: `state-${number}`, workspace: DEFAULT_WORKSPACE };
    await house.house.locks.lock(ADMIN_CALLER, address, {
      lockId: `many-${number}`,
      operation: 'OperationTypeApply',
      info,
      tellsHoldersApart: false,
      alias: LOCK_ITEM_ALIAS,
      wait: null,
      gone: null,
    });
  }
});

afterAll(() => house.close());

type Body = object | string;

/** Signs a request, so that nothing but sending it is left to do. */
async function prepare(operation: string, asked: Body): Promise<() => Promise<Answer>> {
  const body = typeof asked === 'string' ? asked : JSON.stringify(asked);
  expect(body.length).toBeLessThan(REQUEST_BYTES_MAX);
  const { headers } = await signAsk(house.url, dynamoAsk(operation, body));
  return () => ask(house.url, 'POST', '/', { headers, body, as: null });
}

const fill = <T>(bytes: number, one: (index: number) => T): T[] => {
  const all: T[] = [];
  for (let size = 0; size < bytes; size += JSON.stringify(all.at(-1)).length + 1) all.push(one(all.length));
  return all;
};
/** As many of a test as an expression has room for. */
const often = (test: string, join = ' AND '): string =>
  Array.from({ length: Math.floor(4_096 / (test.length + join.length)) }, () => test)
    .slice(0, 150)
    .join(join);
const conditional = (ConditionExpression: string, values: object): object => ({
  TableName,
  Key,
  ConditionExpression,
  ExpressionAttributeValues: values,
});
const half = ROOM / 2 - 1_000;
const names = fill(half / 2, (index) => index.toString(36));
const numbers = fill(half / 2, String);
const a = 'a'.repeat(65_000);

describe('while one request asks for all that a request may ask for, others are answered', () => {
  it.each<readonly [string, string, () => Body, string]>([
    [
      'equal sets of texts, compared once',
      'DeleteItem',
      () => conditional(':x <> :y', { ':x': { SS: names }, ':y': { SS: names.toReversed() } }),
      'ConditionalCheckFailedException',
    ],
    [
      'equal sets of texts, compared again and again',
      'DeleteItem',
      () => conditional(often(':x=:y'), { ':x': { SS: names }, ':y': { SS: names.toReversed() } }),
      'look at more than',
    ],
    [
      'equal sets of numbers',
      'DeleteItem',
      () =>
        conditional(often(':x=:y'), {
          ':x': { NS: numbers },
          ':y': { NS: numbers.map((one) => `${one}.0`).slice(0, numbers.length / 2) },
        }),
      'ConditionalCheckFailedException',
    ],
    [
      'a set with a duplicate',
      'PutItem',
      () => ({ TableName, Item: { ...Key, s: { SS: [...names, '0'] } } }),
      'contains duplicates.',
    ],
    [
      'a text that is nearly in another',
      'DeleteItem',
      () => conditional(often('contains(:x,:y)'), { ':x': { S: a }, ':y': { S: `b${a.slice(32_000)}` } }),
      'ConditionalCheckFailedException',
    ],
    [
      'bytes that are nowhere at the beginning',
      'DeleteItem',
      () =>
        conditional(often('begins_with(:x,:y)'), {
          ':x': { B: 'AAAA'.repeat(20_000) },
          ':y': { B: `${'AAAA'.repeat(10_000)}AAAB` },
        }),
      'ConditionalCheckFailedException',
    ],
    [
      'a map that is in no list of maps',
      'DeleteItem',
      () =>
        conditional('contains(:x,:y)', {
          ':x': { L: fill(half / 2, () => ({ M: {} })) },
          ':y': { M: Object.fromEntries(fill(half / 4, String).map((one) => [one, { S: '' }])) },
        }),
      'ConditionalCheckFailedException',
    ],
    [
      'a number that is in no list of numbers',
      'DeleteItem',
      () =>
        conditional(often('contains(:x,:y)', ' OR '), {
          ':x': { L: fill(ROOM - 10_000, () => ({ N: '1' })) },
          ':y': { N: '2' },
        }),
      'look at more than',
    ],
    [
      'the order of long texts',
      'DeleteItem',
      () => conditional(often(':x<=:y'), { ':x': { S: a }, ':y': { S: `${a}` } }),
      'look at more than',
    ],
    [
      'one of many long texts',
      'DeleteItem',
      () =>
        conditional(`:x IN (${Array.from({ length: 100 }, () => ':y').join()})`, {
          ':x': { S: a },
          ':y': { S: `${a.slice(1)}b` },
        }),
      'look at more than',
    ],
    [
      'spaces around a key condition',
      'Query',
      () => ({
        TableName,
        KeyConditionExpression: `${' '.repeat(1_000)}LockID = :id${' '.repeat(3_000)}AND a = :id`,
        ExpressionAttributeValues: { ':id': Key.LockID },
      }),
      'missed key schema element',
    ],
    [
      'every test there is room for, of many items',
      'Scan',
      () => ({
        TableName,
        FilterExpression: often('Fence>:x', ' OR '),
        ExpressionAttributeValues: { ':x': { N: '9e125' } },
      }),
      '"Count":0',
    ],
    [
      'every path there is room for, of many items',
      'Scan',
      () => ({ TableName, ProjectionExpression: often('Info', ',') }),
      '"Items":[{',
    ],
    [
      'numbers that are none',
      'PutItem',
      () => ({
        TableName,
        Item: Object.fromEntries(fill(ROOM - 10_000, (index) => [`a${index}`, { N: `${'1'.repeat(190)}x` }])),
      }),
      'cannot be converted to a numeric value',
    ],
    [
      'attributes that are none',
      'PutItem',
      () => ({ TableName, Item: Object.fromEntries(fill(half, String).map((one) => [one, 1])) }),
      'an attribute value is an object',
    ],
    [
      'names that are none',
      'PutItem',
      () => ({
        TableName,
        Item: Key,
        ExpressionAttributeNames: Object.fromEntries(fill(half, String).map((one) => [one, 1])),
      }),
      'ExpressionAttributeNames.0: expected a string',
    ],
    [
      'a schema that is none',
      'CreateTable',
      () => ({ TableName, KeySchema: fill(ROOM - 1_000, () => 1), AttributeDefinitions: [] }),
      'KeySchema.0: expected an object',
    ],
    [
      'a schema of much too many keys',
      'CreateTable',
      () => ({ TableName, KeySchema: fill(ROOM - 1_000, () => null), AttributeDefinitions: [] }),
      'at most 50 members',
    ],
    [
      'values inside of values',
      'PutItem',
      () => `{"TableName":"${TableName}","Item":${'{"a":{"M":'.repeat(15_000)}1${'}}'.repeat(15_000)}}`,
      'Nesting Levels have exceeded',
    ],
    [
      'the same name again and again',
      'PutItem',
      () => `{"TableName":"${TableName}","Item":{${fill(ROOM / 2, () => '"a":{"S":"x"}').join()}}}`,
      'Missing the key LockID',
    ],
  ])('%s', { timeout: 60_000 }, async (_, operation, body, expected) => {
    const send = await prepare(operation, body());
    const wait = await slowestAnswer(house.url, async () => expect((await send()).text).toContain(expected));
    expect(wait).toBeLessThan(LATE_MS);
  });
});
