import { createHash } from 'node:crypto';
import {
  CreateTableCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type {
  Done,
  DoorClient,
  DoorCredential,
  DoorUnderTest,
  LockReply,
} from '../../../src/contract/door-contract-client.ts';
import type { Address } from '../../../src/core/address.ts';
import type { LockInfo } from '../../../src/core/lock-info.ts';
import { dynamoClient, s3Client } from '../../protocols/aws/sdk.ts';
import { done, nameOf, refusedBy } from './aws-errors.ts';
import { AwsLock, type AwsLockMeans } from './aws-lock.ts';

const TableName = 'terraform-locks';
/** What a run of terraform is known by: what it deletes is what it has read. */
const TERRAFORM = { customUserAgent: 'APN/1.0 HashiCorp/1.0 Terraform/1.11.4' };

interface Sdks {
  readonly s3: S3Client;
  readonly db: DynamoDBClient;
}

const lockFile = ({ s3 }: Sdks): AwsLockMeans => ({
  taken: 'PreconditionFailed',
  put: (at, Body, abortSignal) =>
    s3.send(
      new PutObjectCommand({ ...objectAt(at, '.tflock'), Body, IfNoneMatch: '*' }),
      abortSignal === undefined ? {} : { abortSignal },
    ),
  get: async (at) => {
    const bytes = await getObject(s3, objectAt(at, '.tflock'));
    return bytes === null ? undefined : Buffer.from(bytes).toString();
  },
  remove: (at) => s3.send(new DeleteObjectCommand(objectAt(at, '.tflock'))),
});

const lockItem = ({ db }: Sdks): AwsLockMeans => ({
  taken: 'ConditionalCheckFailedException',
  put: (at, info, abortSignal) =>
    db.send(
      new PutItemCommand({
        TableName,
        Item: { ...itemAt(at), Info: { S: info } },
        ConditionExpression: 'attribute_not_exists(LockID)',
      }),
      abortSignal === undefined ? {} : { abortSignal },
    ),
  get: async (at) => {
    const asked = { TableName, Key: itemAt(at), ProjectionExpression: 'LockID, Info', ConsistentRead: true };
    return (await db.send(new GetItemCommand(asked))).Item?.['Info']?.S;
  },
  remove: (at) => db.send(new DeleteItemCommand({ TableName, Key: itemAt(at) })),
});

const MEANS: Readonly<Record<'lock file' | 'item', (sdks: Sdks) => AwsLockMeans>> = {
  'lock file': lockFile,
  item: lockItem,
};
type Means = keyof typeof MEANS;

/** The S3 door, with lock files: `use_lockfile = true`. */
export const S3_LOCK_FILE: DoorUnderTest = awsDoor('s3 with a lock file', ['lock file']);
/** The S3 door with lock items at the DynamoDB door: `dynamodb_table = "…"`. */
export const S3_LOCK_ITEM: DoorUnderTest = awsDoor('s3 with a DynamoDB item', ['item']);
/** Both at once, as terraform takes them while a team moves from the one to the other. */
export const S3_BOTH: DoorUnderTest = awsDoor('s3 with both', ['lock file', 'item']);

function awsDoor(name: string, means: readonly Means[]): DoorUnderTest {
  const traits = { workspaces: true, tellsHolder: true, means, unnamedWrites: 's3' };
  const client = (url: string, as: DoorCredential): DoorClient => awsClient(url, as, means);
  return means.includes('item') ? { name, traits, client, prepare: makeTable } : { name, traits, client };
}

async function makeTable(url: string, admin: DoorCredential): Promise<void> {
  const db = dynamoClient(url, admin);
  const input = {
    TableName,
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' as const }],
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' as const }],
    BillingMode: 'PAY_PER_REQUEST' as const,
  };
  await db.send(new CreateTableCommand(input)).catch((error: unknown) => {
    if (nameOf(error) !== 'ResourceInUseException') throw error;
  });
  db.destroy();
}

function awsClient(url: string, as: DoorCredential, means: readonly Means[]): DoorClient {
  const sdks = { s3: s3Client(url, as, TERRAFORM), db: dynamoClient(url, as, TERRAFORM) };
  const { s3, db } = sdks;
  const locks = means.map((name) => new AwsLock(MEANS[name](sdks)));
  const [first, ...others] = locks as [AwsLock, ...AwsLock[]];
  const hasTable = means.includes('item');
  const digestKey = (at: Address): ReturnType<typeof itemAt> => itemAt(at, '-md5');

  /** One means may have been all that the lock was taken by: then it is gone from the others as well. */
  const unlockAll = async (at: Address, id: string): Promise<Done<'released'>> => {
    const reply = await first.unlock(at, id);
    for (const lock of reply.type === 'released' ? others : []) {
      if ((await lock.look(at)).type === 'free') continue;
      const next = await lock.unlock(at, id);
      if (next.type === 'refused') return next;
    }
    return reply;
  };
  const unlockAllAgain = async (at: Address): Promise<Done<'released'>> => {
    for (const lock of locks) {
      const reply = await lock.unlockAgain(at);
      if (reply.type === 'refused') return reply;
    }
    return { type: 'released' };
  };
  const lockAll = async (at: Address, info: LockInfo, signal?: AbortSignal): Promise<LockReply> => {
    const taken: AwsLock[] = [];
    for (const lock of locks) {
      const reply = await lock.lock(at, info, signal);
      if (reply.type !== 'granted') {
        for (const other of taken) await other.unlock(at, info.id);
        return reply;
      }
      taken.push(lock);
    }
    return { type: 'granted' };
  };
  return {
    lock: lockAll,
    unlock: (at, { id }) => unlockAll(at, id),
    unlockAgain: unlockAllAgain,
    breakLock: unlockAll,
    look: (at) => first.look(at),
    read: async (at) => {
      try {
        const bytes = await getObject(s3, objectAt(at));
        if (bytes === null) return { type: 'absent' };
        if (hasTable) {
          const { Item } = await db.send(new GetItemCommand({ TableName, Key: digestKey(at) }));
          if (Item?.['Digest']?.S !== md5Of(bytes)) throw new Error('the digest is that of another state');
        }
        return { type: 'state', bytes };
      } catch (error) {
        return refusedBy(error);
      }
    },
    write: (at, bytes) =>
      done('stored', async () => {
        await s3.send(new PutObjectCommand({ ...objectAt(at), Body: bytes }));
        if (!hasTable) return;
        const Item = { ...digestKey(at), Digest: { S: md5Of(bytes) } };
        await db.send(new PutItemCommand({ TableName, Item }));
      }),
    delete: (at) => done('deleted', () => s3.send(new DeleteObjectCommand(objectAt(at)))),
    close: () => {
      s3.destroy();
      db.destroy();
    },
  };
}

async function getObject(s3: S3Client, at: { Bucket: string; Key: string }): Promise<Uint8Array | null> {
  try {
    const { Body } = await s3.send(new GetObjectCommand(at));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  } catch (error) {
    if (nameOf(error) === 'NoSuchKey') return null;
    throw error;
  }
}

/** Where terraform keeps a state in its bucket. */
function objectAt({ project, key, workspace }: Address, suffix = ''): { Bucket: string; Key: string } {
  const path = workspace === 'default' ? key : `env:/${workspace}/${key}`;
  return { Bucket: project, Key: `${path}${suffix}` };
}

/** The key of a state's lock item, and with its suffix that of its digest item. */
function itemAt(at: Address, suffix = ''): { LockID: { S: string } } {
  const { Bucket, Key } = objectAt(at, suffix);
  return { LockID: { S: `${Bucket}/${Key}` } };
}

function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
