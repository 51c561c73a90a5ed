import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { ask } from '../support/request.ts';
import { findTerraform } from '../support/terraform.ts';
import { dynamoClient, lockInfo, s3Client } from '../protocols/aws/sdk.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { sendLateCopy } from './fixtures/late-copy.ts';
import { LossyProxy, type PassedRequest } from './fixtures/lossy-proxy.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
const TRIES = 20;

/** A house that flushes before it answers, so that a connection which is cut at once is closed before its answer is sent. */
async function openOnDisk(): Promise<TestHouse> {
  return TestHouse.open({
    store: { kind: 'directory', path: join(await mkdtemp(join(tmpdir(), 'statehouse-late-')), 'data') },
  });
}

/** How a lock is asked for at each door. */
const DOORS: Readonly<Record<string, (url: string, path: string, id: string) => Promise<unknown>>> = {
  http: async (url, path, id) => {
    const answer = await ask(url, 'LOCK', `/http/${path}`, { body: lockInfo(id) });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  },
  's3 lock file': (url, path, id) => {
    const [Bucket = '', Key = ''] = path.split('/');
    const Body = lockInfo(id);
    return s3Client(url).send(new PutObjectCommand({ Bucket, Key: `${Key}.tflock`, Body, IfNoneMatch: '*' }));
  },
  dynamodb: (url, path, id) =>
    dynamoClient(url).send(
      new PutItemCommand({
        TableName: 'locks',
        Item: { LockID: { S: path }, Info: { S: lockInfo(id) } },
        ConditionExpression: 'attribute_not_exists(LockID)',
      }),
    ),
};

describe('a late copy of a lock request', () => {
  let house: TestHouse;
  let proxy: LossyProxy;

  beforeAll(async () => {
    house = await openOnDisk();
    proxy = await LossyProxy.open(house.url);
  });
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await house.close();
  });

  const unlock = async (path: string, id: string): Promise<void> => {
    expect((await house.ask('UNLOCK', `/http/${path}`, { body: lockInfo(id) })).status).toBe(200);
  };

  it.each(Object.entries(DOORS))(
    'leaves the lock with its holder, and after its release takes it for nobody: %s',
    async (name, take) => {
      for (let round = 0; round < TRIES; round += 1) {
        const path = `acme/${name.replaceAll(' ', '-')}-${round}`;
        await take(proxy.url, path, 'holder');
        const request = proxy.passed.at(-1) as PassedRequest;
        await sendLateCopy(house, request);
        await expect(take(house.url, path, 'another')).rejects.toThrow();
        expect((await lockAt(house, path)).holders).toMatchObject([{ lockId: 'holder' }]);
        await unlock(path, 'holder');
        await sendLateCopy(house, request);
        expect((await lockAt(house, path)).holders).toEqual([]);
      }
    },
  );

  it('is told over http why its lock ID is not granted again', async () => {
    await DOORS['http']?.(house.url, 'acme/told', 'once');
    await unlock('acme/told', 'once');
    const again = await house.ask('LOCK', '/http/acme/told', { body: lockInfo('once') });
    expect(again.status).toBe(410);
    expect(JSON.parse(again.text)).toMatchObject({ error: 'released-before' });
    expect(again.text).toContain('ask again with a new ID');
  });
});

describe.skipIf(terraform === null)(
  'a late copy of the request of a terraform at work (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;

    beforeAll(async () => {
      house = await openOnDisk();
    });
    afterAll(() => house.close());

    it.each(['http', 's3 lock file', 'dynamodb'])('lets nobody apply beside it: %s', async (door) => {
      await using proxy = await LossyProxy.open(house.url);
      await using gate = await Gate.make();
      const path = `acme/terraform-${door.replaceAll(' ', '-')}`;
      const lines = s3Lines(path, [door === 'dynamodb' ? 'table' : 'lock-file']);
      const folder = (url: string, main: string) =>
        door === 'http'
          ? httpFolder(terraform!, { url, path }, main)
          : s3Folder(terraform!, { url, lines }, main);
      await using alice = await folder(proxy.url, resource('alice', 'alice', gate.command));
      await using bob = await folder(house.url, resource('bob'));
      const apply = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const request = proxy.passed.find(
        ({ method, target, awsTarget }) =>
          method === 'LOCK' ||
          (method === 'PUT' && target.includes('.tflock')) ||
          awsTarget.endsWith('PutItem'),
      );
      await sendLateCopy(house, request as PassedRequest);
      const beside = await bob.run('apply', '-auto-approve');
      expect(beside.output).toContain('Error acquiring the state lock');
      await gate.open();
      expect((await apply.end).code).toBe(0);
      expect(await resourcesAt(house, path)).toEqual(['alice']);
      await bob.must('apply', '-auto-approve');
    });
  },
);
