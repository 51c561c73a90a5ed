import {
  DeleteItemCommand,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  UpdateItemCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Records } from '../../../src/house/records/records.ts';
import { LockObjects } from '../../../src/protocols/lock-object/lock-objects.ts';
import { eventually } from '../../support/eventually.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Pair } from '../../support/test-admin.ts';
import { lockAt } from '../../e2e/fixtures/view.ts';
import { dynamoClient, failure, lockInfo, s3Client } from './sdk.ts';

let house: TestHouse;
let bob: Pair;
let carol: Pair;
let bucket = '';
let buckets = 0;

beforeAll(async () => {
  house = await TestHouse.open();
  bob = await house.credential('bob', [{ role: 'operator', pattern: '*' }]);
  carol = await house.credential('carol', [{ role: 'operator', pattern: '*' }]);
});

afterAll(() => house.close());

beforeEach(() => {
  buckets += 1;
  bucket = `bucket-${buckets}`;
});

afterEach(() => {
  vi.restoreAllMocks();
});

const KEY = 'net.tfstate';
const TABLE = 'terraform-locks';
const path = (): string => `${bucket}/${KEY}`;
const holders = async (): Promise<readonly string[]> =>
  (await lockAt(house, path())).holders.map(({ lockId }) => lockId);
const overHttp = async (method: 'LOCK' | 'UNLOCK', id: string): Promise<void> => {
  expect((await house.ask(method, `/http/${path()}`, { body: lockInfo(id) })).status).toBe(200);
};

/** What a client does at one of the two doors: each says in its own words how that went. */
interface Means {
  readonly ask: (as: Pair, id: string) => Promise<string>;
  /** The ID of the lock that is shown; what is said where none is. */
  readonly look: (as: Pair) => Promise<string>;
  readonly remove: (as: Pair) => Promise<string>;
  readonly held: string;
  readonly free: string;
}

const idIn = (text: string): string => (JSON.parse(text) as { ID: string }).ID;
const lockFile = (): { Bucket: string; Key: string } => ({ Bucket: bucket, Key: `${KEY}.tflock` });
const lockItem = (): { TableName: string; Key: { LockID: { S: string } } } => ({
  TableName: TABLE,
  Key: { LockID: { S: path() } },
});

const MEANS: Readonly<Record<string, Means>> = {
  'a lock file': {
    ask: (as, id) =>
      failure(
        s3Client(house.url, as).send(
          new PutObjectCommand({ ...lockFile(), Body: lockInfo(id), IfNoneMatch: '*' }),
        ),
      ),
    look: async (as) => {
      const client = s3Client(house.url, as);
      let found = '';
      const outcome = await failure(
        client
          .send(new GetObjectCommand(lockFile()))
          .then(async ({ Body }) => (found = idIn((await Body?.transformToString()) ?? ''))),
      );
      return outcome === 'none' ? found : outcome;
    },
    remove: (as) => failure(s3Client(house.url, as).send(new DeleteObjectCommand(lockFile()))),
    held: 'PreconditionFailed 412',
    free: 'NoSuchKey 404',
  },
  'a lock item': {
    ask: (as, id) => failure(putItem(dynamoClient(house.url, as), id)),
    look: async (as) => {
      const { Item } = await dynamoClient(house.url, as).send(new GetItemCommand(lockItem()));
      return Item === undefined ? 'no item' : idIn(Item['Info']?.S ?? '');
    },
    remove: (as) => failure(dynamoClient(house.url, as).send(new DeleteItemCommand(lockItem()))),
    held: 'ConditionalCheckFailedException 400',
    free: 'no item',
  },
};

function putItem(client: DynamoDBClient, id: string, TableName = TABLE): Promise<unknown> {
  return client.send(
    new PutItemCommand({
      TableName,
      Item: { LockID: { S: path() }, Info: { S: lockInfo(id) } },
      ConditionExpression: 'attribute_not_exists(LockID)',
    }),
  );
}

describe.each(Object.entries(MEANS))(
  '%s that was refused, and released before its client looked',
  (_, at) => {
    beforeEach(async () => {
      await overHttp('LOCK', 'first');
      expect(await at.ask(bob, 'bobs')).toBe(at.held);
    });

    it('shows the holder to that client once, and to nobody else', async () => {
      await overHttp('UNLOCK', 'first');
      expect(await at.look(carol)).toBe(at.free);
      expect(await at.look(bob)).toBe('first');
      expect(await at.look(bob)).toBe(at.free);
    });

    it('shows the present holder, if there is one, and nobody after that', async () => {
      await overHttp('UNLOCK', 'first');
      await overHttp('LOCK', 'second');
      expect(await at.look(bob)).toBe('second');
      await overHttp('UNLOCK', 'second');
      expect(await at.look(bob)).toBe(at.free);
    });

    it('shows none, once the client has had the lock itself', async () => {
      await overHttp('UNLOCK', 'first');
      expect(await at.ask(bob, 'bobs')).toBe('none');
      expect(await at.look(bob)).toBe('bobs');
      expect(await at.remove(bob)).toBe('none');
      expect(await holders()).toEqual([]);
      expect(await at.look(bob)).toBe(at.free);
    });

    it('can be deleted by hand after a look at a lock that has gone only after another look', async () => {
      await overHttp('UNLOCK', 'first');
      expect(await at.ask(bob, 'bobs')).toBe('none');
      expect(await at.look(bob)).toBe('bobs');
      expect(await at.remove(bob)).toBe('none');
      await overHttp('LOCK', 'second');
      // It says that it did not do it, or does it: never neither.
      expect(await at.remove(bob)).not.toBe('none');
      expect(await holders()).toEqual(['second']);
      expect(await at.look(bob)).toBe('second');
      expect(await at.remove(bob)).toBe('none');
      expect(await holders()).toEqual([]);
    });

    it('can be deleted after that look, and the next holder keeps the lock', async () => {
      await overHttp('UNLOCK', 'first');
      expect(await at.look(bob)).toBe('first');
      expect(await at.remove(bob)).toBe('none');
      await overHttp('LOCK', 'second');
      expect(await at.remove(bob)).not.toBe('none');
      expect(await holders()).toEqual(['second']);
    });
  },
);

describe('a look for the sake of something else', () => {
  it('does not stand for the look of a client that was refused', async () => {
    const { ask, look, held } = MEANS['a lock file']!;
    await overHttp('LOCK', 'first');
    expect(await ask(bob, 'bobs')).toBe(held);
    await overHttp('UNLOCK', 'first');
    const head = s3Client(house.url, bob).send(new HeadObjectCommand(lockFile()));
    expect(await failure(head)).toBe('NotFound 404');
    expect(await MEANS['a lock item']!.look(bob)).toBe('no item');
    expect(await look(bob)).toBe('first');
  });
});

describe('a table that was never used', () => {
  const tables = async (): Promise<readonly string[]> =>
    (await dynamoClient(house.url).send(new ListTablesCommand({}))).TableNames ?? [];

  it('comes to be with a refusal, but not for one who may not lock', async () => {
    const reader = await house.credential('reader', [{ role: 'reader', pattern: '*' }]);
    await overHttp('LOCK', 'first');
    expect(await failure(putItem(dynamoClient(house.url, reader), 'x', 'refused-here'))).toContain(
      'AccessDenied',
    );
    expect(await tables()).not.toContain('refused-here');
    expect(await failure(putItem(dynamoClient(house.url, bob), 'x', 'refused-here'))).toContain(
      'ConditionalCheckFailed',
    );
    expect(await tables()).toContain('refused-here');
  });

  it('leaves no lock behind, if it cannot come to be', async () => {
    vi.spyOn(Records.prototype, 'update').mockRejectedValueOnce(new Error('the disk is full'));
    expect(await failure(putItem(dynamoClient(house.url, bob), 'x', 'cannot-be'))).toBe(
      'ServiceUnavailable 503',
    );
    expect(await holders()).toEqual([]);
  });
});

describe('a lock whose answer could not be written', () => {
  it('is taken back', async () => {
    const { look } = LockObjects.prototype;
    vi.spyOn(LockObjects.prototype, 'look')
      .mockImplementationOnce(async function (this: LockObjects, ...asked) {
        return look.apply(this, asked);
      })
      .mockRejectedValueOnce(new Error('the disk is gone'));
    const update = new UpdateItemCommand({
      ...lockItem(),
      UpdateExpression: 'SET Info = :info',
      ConditionExpression: 'attribute_not_exists(LockID)',
      ExpressionAttributeValues: { ':info': { S: lockInfo('unheard') } },
      ReturnValues: 'ALL_NEW',
    });
    expect(await failure(dynamoClient(house.url, bob).send(update))).toBe('ServiceUnavailable 503');
    await eventually('the lock is free', async () => (await holders()).length === 0);
  });
});
