import { z } from 'zod';
import { defineRecords } from '../../src/house/records/define.ts';
import { DYNAMODB_TABLE_KIND } from '../../src/house/records/kinds.ts';
import { LOCK_ITEM_ALIAS } from '../../src/protocols/dynamodb/layout.ts';
import { askSigned, dynamoAsk } from '../support/ask-signed.ts';
import type { Answer } from '../support/request.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { sampleLock } from '../support/sample-state.ts';
import {
  LOCK_ID,
  newLockId,
  otherLock,
  ownLock,
  STATE,
  state,
  TABLE,
  type Scene,
  type Trial,
} from './scene.ts';

const KEY = { LockID: { S: LOCK_ID } };
const DIGEST_KEY = { LockID: { S: `${LOCK_ID}-md5` } };
const SCHEMA = {
  KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
  BillingMode: 'PAY_PER_REQUEST',
};

/** The tables, as they are stored: who made one, and what else there is. */
const TABLES = defineRecords(DYNAMODB_TABLE_KIND, z.looseObject({ madeBy: z.string() }));

type Asked = object | ((scene: Scene) => object | Promise<object>);

async function send({ house, pair }: Scene, operation: string, asked: object): Promise<Answer> {
  return askSigned(house.url, dynamoAsk(operation, { TableName: TABLE, ...asked }), pair);
}
const ask =
  (operation: string, asked: Asked = {}): Trial['ask'] =>
  async (scene) =>
    send(scene, operation, typeof asked === 'function' ? ((await asked(scene)) as object) : asked);

/** The table, with a tag. */
async function table({ house }: Scene): Promise<void> {
  const asked = { TableName: TABLE, ...SCHEMA, Tags: [{ Key: 'team', Value: 'net' }] };
  const made = await askSigned(house.url, dynamoAsk('CreateTable', asked), TEST_ADMIN);
  if (made.status !== 200) throw new Error(made.text);
}

/** What is tried with a table of the admin's, tried with one that the asker has made. */
function own(trial: Trial): Trial {
  return { ...trial, perAsker: true, prepare: [...trial.prepare, tableIsOwn] };
}

async function tableIsOwn({ house, owner }: Scene): Promise<void> {
  const madeBy = owner.identity.subject;
  await house.house
    .records(TABLES)
    .update(ADMIN_CALLER, TABLE, (before) => (before === null ? null : { ...before, madeBy }));
}

/** A client reads the item before it deletes it. */
async function lookThenDelete(scene: Scene): Promise<Answer> {
  await send(scene, 'GetItem', { Key: KEY, ConsistentRead: true });
  return send(scene, 'DeleteItem', { Key: KEY });
}

/** As clients do that know what the item says. */
function deleteHeld(scene: Scene): Promise<Answer> {
  return send(scene, 'DeleteItem', {
    Key: KEY,
    ConditionExpression: 'attribute_exists(LockID) AND contains(Info, :id)',
    ExpressionAttributeValues: { ':id': { S: scene.lockId } },
  });
}

async function md5({ house }: Scene): Promise<string> {
  return (await house.engine.world(STATE)).record.head?.md5 ?? '';
}

const arn = { ResourceArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${TABLE}` };
const info = (): { S: string } => ({ S: sampleLock(newLockId()) });
const queryOf = (key: string): object => ({
  KeyConditionExpression: 'LockID = :id',
  ExpressionAttributeValues: { ':id': { S: key } },
});
const digestSaid = { text: '"Digest"' } as const;

const LIST: Trial = {
  prepare: [table],
  ask: ({ house, pair }) => askSigned(house.url, dynamoAsk('ListTables', {}), pair),
  proof: { text: TABLE },
};
const UPDATE: Trial = {
  prepare: [table],
  ask: ask('UpdateTable', {
    BillingMode: 'PROVISIONED',
    ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 2 },
  }),
  proof: 'changed',
};
const BACKUPS: Trial = {
  prepare: [table],
  ask: ask('UpdateContinuousBackups', {
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  }),
  proof: 'changed',
};
const TAGS: Trial = { prepare: [table], ask: ask('ListTagsOfResource', arn), proof: { text: '"team"' } };
const TAG: Trial = {
  prepare: [table],
  ask: ask('TagResource', { ...arn, Tags: [{ Key: 'a', Value: 'b' }] }),
  proof: 'changed',
};
const UNTAG: Trial = {
  prepare: [table],
  ask: ask('UntagResource', { ...arn, TagKeys: ['team'] }),
  proof: 'changed',
};

/** How the rows of the DynamoDB door are tried. */
export const DYNAMODB_TRIALS: Readonly<Record<string, Trial>> = {
  'GetItem, a lock item': {
    prepare: [table, otherLock(LOCK_ITEM_ALIAS)],
    ask: ask('GetItem', { Key: KEY }),
    proof: { text: ({ lockId }) => lockId },
  },
  'GetItem, a digest item': {
    prepare: [table, state],
    ask: ask('GetItem', { Key: DIGEST_KEY }),
    proof: digestSaid,
  },
  'PutItem, a lock item': {
    prepare: [table],
    ask: ask('PutItem', () => ({
      Item: { ...KEY, Info: info() },
      ConditionExpression: 'attribute_not_exists(LockID)',
    })),
    proof: 'changed',
  },
  // The digest is what the state says; what is kept anew is the name of the table.
  'PutItem, a digest item': {
    prepare: [state],
    ask: ask('PutItem', async (scene) => ({ Item: { ...DIGEST_KEY, Digest: { S: await md5(scene) } } })),
    proof: 'changed',
  },
  "DeleteItem, one's own lock": {
    perAsker: true,
    prepare: [table, ownLock(LOCK_ITEM_ALIAS)],
    ask: lookThenDelete,
    proof: 'changed',
  },
  "DeleteItem, another's lock": {
    prepare: [table, otherLock(LOCK_ITEM_ALIAS)],
    ask: lookThenDelete,
    proof: 'changed',
  },
  "DeleteItem, one's own lock, on a condition": {
    perAsker: true,
    prepare: [table, ownLock(LOCK_ITEM_ALIAS)],
    ask: deleteHeld,
    proof: 'changed',
  },
  "DeleteItem, another's lock, on a condition": {
    prepare: [table, otherLock(LOCK_ITEM_ALIAS)],
    ask: deleteHeld,
    proof: 'changed',
  },
  'DeleteItem, a digest item': {
    prepare: [table, state],
    ask: ask('DeleteItem', { Key: DIGEST_KEY, ReturnValues: 'ALL_OLD' }),
    proof: digestSaid,
  },
  'UpdateItem, a lock item': {
    prepare: [table],
    ask: ask('UpdateItem', () => ({
      Key: KEY,
      UpdateExpression: 'SET Info = :info',
      ExpressionAttributeValues: { ':info': info() },
    })),
    proof: 'changed',
  },
  'UpdateItem, a digest item': {
    prepare: [table, state],
    ask: ask('UpdateItem', async (scene) => ({
      Key: DIGEST_KEY,
      UpdateExpression: 'SET Digest = :md5',
      ExpressionAttributeValues: { ':md5': { S: await md5(scene) } },
      ReturnValues: 'ALL_NEW',
    })),
    proof: digestSaid,
  },
  'Query, a lock item': {
    prepare: [table, otherLock(LOCK_ITEM_ALIAS)],
    ask: ask('Query', queryOf(LOCK_ID)),
    proof: { text: ({ lockId }) => lockId },
  },
  'Query, a digest item': {
    prepare: [table, state],
    ask: ask('Query', queryOf(`${LOCK_ID}-md5`)),
    proof: digestSaid,
  },
  'Scan, each item': { prepare: [table, state], ask: ask('Scan'), proof: digestSaid },
  'CreateTable, a table': { prepare: [], ask: ask('CreateTable', SCHEMA), proof: 'changed' },
  'CreateTable, a protected table': {
    prepare: [],
    ask: ask('CreateTable', { ...SCHEMA, DeletionProtectionEnabled: true }),
    proof: 'changed',
  },
  'DescribeTable, a table': { prepare: [table], ask: ask('DescribeTable'), proof: { text: '"TableArn"' } },
  "ListTables, one's own table": own(LIST),
  "ListTables, another's table": LIST,
  "UpdateTable, one's own table": own(UPDATE),
  "UpdateTable, another's table": UPDATE,
  "UpdateTable, the protection of one's own table": own({
    prepare: [table],
    ask: ask('UpdateTable', { DeletionProtectionEnabled: true }),
    proof: 'changed',
  }),
  'DeleteTable, a table': { prepare: [table], ask: ask('DeleteTable'), proof: 'changed' },
  'DescribeTimeToLive, a table': {
    prepare: [table],
    ask: ask('DescribeTimeToLive'),
    proof: { text: 'TimeToLiveStatus' },
  },
  'DescribeContinuousBackups, a table': {
    prepare: [table],
    ask: ask('DescribeContinuousBackups'),
    proof: { text: 'ContinuousBackupsStatus' },
  },
  "UpdateContinuousBackups, one's own table": own(BACKUPS),
  "UpdateContinuousBackups, another's table": BACKUPS,
  "ListTagsOfResource, one's own table": own(TAGS),
  "ListTagsOfResource, another's table": TAGS,
  "TagResource, one's own table": own(TAG),
  "TagResource, another's table": TAG,
  "UntagResource, one's own table": own(UNTAG),
  "UntagResource, another's table": UNTAG,
};
