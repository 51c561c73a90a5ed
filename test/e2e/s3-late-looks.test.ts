import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { lockInfo } from '../protocols/aws/sdk.ts';
import { Gate } from './fixtures/gate.ts';
import { resource } from './fixtures/http-folder.ts';
import { LossyProxy, type PassedRequest } from './fixtures/lossy-proxy.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { lockAt, resourcesAt, untilParked } from './fixtures/view.ts';

const terraform = await findTerraform();

/** Terraform's look at who holds the lock that it was refused. */
const isLook = ({ method, target, awsTarget, body }: PassedRequest): boolean =>
  (method === 'GET' && target.includes('.tflock')) ||
  (awsTarget.endsWith('.GetItem') && !body.includes('-md5"'));

describe.skipIf(terraform === null)(
  'a terraform that looks late who holds the lock (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;
    let bucket = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
    });
    afterAll(() => house.close());

    const newPath = (): string => `late-${++bucket}/net/terraform.tfstate`;
    const lockOverHttp = async (method: 'LOCK' | 'UNLOCK', path: string, id: string): Promise<void> => {
      expect((await house.ask(method, `/http/${path}`, { body: lockInfo(id) })).status).toBe(200);
    };

    it.each([
      ['a lock file', ['lock-file']],
      ['a DynamoDB table', ['table']],
      ['both together', ['lock-file', 'table']],
    ] as const)('waits for a lock that was released before it looked: %s', async (_, means) => {
      const path = newPath();
      await using proxy = await LossyProxy.open(house.url);
      await using gate = await Gate.make();
      const lines = s3Lines(path, means);
      const holding = resource('alice', 'alice', gate.command);
      await using alice = await s3Folder(terraform!, { url: house.url, lines }, holding);
      await using bob = await s3Folder(terraform!, { url: proxy.url, lines }, resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const look = proxy.holdOne(isLook);
      const second = bob.start(['apply', '-auto-approve', '-lock-timeout=1m']);
      await look.came;
      // Alice, who has the same credential and host, looks at her lock herself before she ends it.
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect((await lockAt(house, path)).holders).toEqual([]);
      look.letGo();
      const { code, output } = await second.end;
      expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
      expect(await resourcesAt(house, path)).toEqual(['bob']);
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it('is told of the present holder, if another has come since', async () => {
      const path = newPath();
      await using proxy = await LossyProxy.open(house.url);
      const lines = s3Lines(path, ['lock-file']);
      await using bob = await s3Folder(terraform!, { url: proxy.url, lines }, resource('bob'));
      await lockOverHttp('LOCK', path, 'first');
      const look = proxy.holdOne(isLook);
      const run = bob.start(['apply', '-auto-approve']);
      await look.came;
      await lockOverHttp('UNLOCK', path, 'first');
      await lockOverHttp('LOCK', path, 'second');
      look.letGo();
      const { code, output } = await run.end;
      expect(code).toBe(1);
      expect(output).toContain('ID:        second');
    });

    it('is shown the holder in a table that was never used, waits there, and breaks the lock', async () => {
      const path = newPath();
      const lines = s3Lines(path, ['table']).map((line) => line.replace('terraform-locks', 'never-used'));
      await using bob = await s3Folder(terraform!, { url: house.url, lines }, resource('bob'));
      await lockOverHttp('LOCK', path, 'over-http');
      const refused = await bob.run('apply', '-auto-approve');
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('ID:        over-http');
      const waiting = bob.start(['apply', '-auto-approve', '-lock-timeout=1m']);
      await untilParked(house, path, 1);
      await lockOverHttp('UNLOCK', path, 'over-http');
      expect(await waiting.end).toMatchObject({ code: 0 });
      await lockOverHttp('LOCK', path, 'once-more');
      expect(await bob.must('force-unlock', '-force', 'once-more')).toContain('successfully unlocked');
      expect((await lockAt(house, path)).holders).toEqual([]);
    });

    it('breaks a lock by force-unlock at once, in a table that was never used', async () => {
      const path = newPath();
      const lines = s3Lines(path, ['table']).map((line) => line.replace('terraform-locks', 'unused-yet'));
      await using bob = await s3Folder(terraform!, { url: house.url, lines }, resource('bob'));
      await lockOverHttp('LOCK', path, 'left-behind');
      expect(await bob.must('force-unlock', '-force', 'left-behind')).toContain('successfully unlocked');
      expect((await lockAt(house, path)).holders).toEqual([]);
    });
  },
);
