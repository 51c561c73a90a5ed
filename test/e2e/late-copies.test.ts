import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyInfo } from '../../src/contract/door-contract-bench.ts';
import { HTTP } from '../doors/clients/http.ts';
import { S3_LOCK_FILE, S3_LOCK_ITEM } from '../doors/clients/s3.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { findTerraform } from '../support/terraform.ts';
import { lockInfo } from '../protocols/aws/sdk.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { sendLateCopy } from './fixtures/late-copy.ts';
import { LossyProxy, type PassedRequest } from './fixtures/lossy-proxy.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { addressAt, lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
const TRIES = 20;

/** A house that flushes before it answers, so that a connection which is cut at once is closed before its answer is sent. */
async function openOnDisk(): Promise<TestHouse> {
  return TestHouse.open({
    store: { kind: 'directory', path: join(await mkdtemp(join(tmpdir(), 'statehouse-late-')), 'data') },
  });
}

const DOORS = [HTTP, S3_LOCK_FILE, S3_LOCK_ITEM];

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

  it.each(DOORS)(
    'leaves the lock with its holder, and after its release takes it for nobody: $name',
    async (door) => {
      await door.prepare?.(house.url, TEST_ADMIN);
      const [lossy, direct] = [proxy.url, house.url].map((url) => door.client(url, TEST_ADMIN));
      for (let round = 0; round < TRIES; round += 1) {
        const path = `acme/${door.name.replaceAll(' ', '-')}-${round}`;
        const info = applyInfo();
        expect(await lossy?.lock(addressAt(path), info)).toEqual({ type: 'granted' });
        const request = proxy.passed.at(-1) as PassedRequest;
        await sendLateCopy(house, request);
        expect(await direct?.lock(addressAt(path), applyInfo())).toMatchObject({ type: 'held' });
        expect((await lockAt(house, path)).holders).toMatchObject([{ lockId: info.id }]);
        await unlock(path, info.id);
        await sendLateCopy(house, request);
        expect((await lockAt(house, path)).holders).toEqual([]);
      }
      lossy?.close();
      direct?.close();
    },
  );

  it('is told over http why its lock ID is not granted again', async () => {
    expect((await house.ask('LOCK', '/http/acme/told', { body: lockInfo('once') })).status).toBe(200);
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
