import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { resource } from './fixtures/http-folder.ts';
import { LossyProxy, type Loss } from './fixtures/lossy-proxy.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

type Match = Loss['matches'];
const isLock: Match = ({ target }) => target.includes('.tflock');
const isDigest: Match = ({ body }) => body.includes('-md5"');

/** What can get lost in the middle of an apply, after the server has decided about it. */
const LOSSES: Readonly<Record<string, Match>> = {
  'the PUT of the lock file': (request) => request.method === 'PUT' && isLock(request),
  'the PUT of the state': (request) => request.method === 'PUT' && !isLock(request),
  'the DELETE of the lock file': (request) => request.method === 'DELETE' && isLock(request),
  'PutItem of the lock': (request) => request.awsTarget.endsWith('.PutItem') && !isDigest(request),
  'PutItem of the digest': (request) => request.awsTarget.endsWith('.PutItem') && isDigest(request),
  'DeleteItem of the lock': (request) => request.awsTarget.endsWith('.DeleteItem') && !isDigest(request),
};

describe.skipIf(terraform === null)(
  'terraform on S3 when a message is lost (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;
    let bucket = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
    });

    afterAll(async () => {
      await house.close();
    });

    const cases = Object.entries(LOSSES).flatMap(([what, matches]) =>
      (['answer', 'request'] as const).map((half) => [half, what, matches] as const),
    );

    it.each(cases)('the %s of %s: the apply succeeds and the lock is free', async (half, what, matches) => {
      const path = `lost-${++bucket}/net/terraform.tfstate`;
      await using proxy = await LossyProxy.open(house.url);
      const lines = s3Lines(path, ['lock-file', 'table']);
      await using folder = await s3Folder(terraform!, { url: proxy.url, lines }, resource('kept'));
      proxy.loseOne({ half, matches });
      const { code, output } = await folder.run('apply', '-auto-approve');
      expect(`${what}: ${code} ${code === 0 ? '' : output}`).toBe(`${what}: 0 `);
      expect(proxy.lost).toBe(1);
      expect((await lockAt(house, path)).holders).toEqual([]);
      expect(await resourcesAt(house, path)).toEqual(['kept']);
      const versions = await house.engine.versions(
        { project: `lost-${bucket}`, key: 'net/terraform.tfstate', workspace: 'default' },
        { limit: 10 },
      );
      expect(versions).toHaveLength(1);
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
    });
  },
);
