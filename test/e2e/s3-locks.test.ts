import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { Gate } from './fixtures/gate.ts';
import { httpBackend, httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { awsLogin, s3Backend, s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import {
  raceWithoutLock,
  secondIsRefused,
  wrongIdBreaksNothing,
  type LockScene,
} from './fixtures/lock-scenes.ts';
import { lockAt, resourceNames, resourcesAt, untilHeld, untilParked } from './fixtures/view.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const terraform = await findTerraform();

const MEANS = {
  'a lock file': ['lock-file'],
  'a DynamoDB table': ['table'],
  'both together': ['lock-file', 'table'],
} as const;
type Means = readonly ('lock-file' | 'table')[];

describe.skipIf(terraform === null)(
  'several terraforms on one state over S3 (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;
    let bucket = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
    });

    afterAll(async () => {
      await house.close();
    });

    /** A state that no other test has. */
    const newPath = (): string => `bucket-${++bucket}/net/terraform.tfstate`;
    const folderAt = (path: string, means: Means, main: string): Promise<TerraformFolder> =>
      s3Folder(terraform!, { url: house.url, lines: s3Lines(path, means) }, main);

    const newScene = (means: Means): LockScene => {
      const path = newPath();
      return {
        house,
        path,
        folder: (main) => folderAt(path, means, main),
        shownId: ({ lockId }) => lockId,
        strangeId: 'deadbeef-0000-0000-0000-000000000000',
        lateWrite: 'PreconditionFailed',
      };
    };

    describe.each(Object.entries(MEANS))('locked by %s', (_, means) => {
      it('the second of two applies is refused and told who holds the lock', () =>
        secondIsRefused(newScene(means), ([holder], output) => {
          expect(holder?.aliases).toHaveLength(means.length);
          expect(output).toMatch(/Info: {6}held by/);
        }));

      it('eight with -lock-timeout all succeed, in the order of first asking', () =>
        eightInOrder(house, newPath(), (path) => folderAt(path, means, '')));

      it('force-unlock wants the right ID, and the old holder cannot write after it', () =>
        wrongIdBreaksNothing(newScene(means)));
    });

    it('lets nothing be lost when two race with -lock=false', () => raceWithoutLock(newScene(['table'])));

    it.each([
      ['lock-file', 'table'],
      ['table', 'lock-file'],
    ] as const)('a lock held by a %s refuses one who asks by a %s', async (held, asked) => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, [held], resource('alice', 'alice', gate.command));
      await using bob = await folderAt(path, [asked], resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, path);
      const second = await bob.run('apply', '-auto-approve');
      expect(second.code).toBe(1);
      expect(second.output).toContain(holders[0]?.lockId);
      // And breaks it there, where it is seen.
      await bob.must('force-unlock', '-force', holders[0]?.lockId ?? '');
      expect((await lockAt(house, path)).holders).toEqual([]);
      await gate.open();
      await first.end;
    });

    it.each(Object.entries(MEANS))('one lock with backend "http", both ways, by %s', async (_, means) => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, means, resource('alice', 'alice', gate.command));
      await using bob = await httpFolder(terraform!, { url: house.url, path }, resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, path);
      const refused = await bob.run('apply', '-auto-approve');
      expect(refused.code).toBe(1);
      expect(refused.output).toContain(holders[0]?.lockId);
      const waiting = bob.start(['apply', '-auto-approve', '-lock-timeout=2m']);
      await untilParked(house, path, 1);
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await waiting.end).toMatchObject({ code: 0 });

      await using other = await Gate.make();
      await bob.write('main.tf', resource('bob', 'again', other.command));
      const second = bob.start(['apply', '-auto-approve']);
      await other.reached();
      const held = await untilHeld(house, path);
      const late = await alice.run('apply', '-auto-approve');
      expect(late.code).toBe(1);
      expect(late.output).toContain(`ID:        ${held.holders[0]?.lockId}`);
      const unlocked = await alice.run('apply', '-auto-approve', '-lock=false');
      expect(unlocked.code).toBe(1);
      expect(unlocked.output).toContain('OperationAborted');
      await other.open();
      expect(await second.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, path)).toEqual(['bob']);
    });

    it('the digest never mismatches, whichever door wrote last', async () => {
      const path = newPath();
      await using overS3 = await folderAt(path, ['table'], resource('one'));
      await using overHttp = await httpFolder(terraform!, { url: house.url, path }, resource('two'));
      await overS3.must('apply', '-auto-approve');
      await overHttp.must('apply', '-auto-approve');
      // With a stale digest this would wait ten seconds and fail.
      expect(resourceNames(await overS3.must('state', 'pull'))).toEqual(['two']);
      await overS3.must('apply', '-auto-approve');
      expect(resourceNames(await overHttp.must('state', 'pull'))).toEqual(['one']);
    });

    it('moves local → s3 → http and back with nothing lost', async () => {
      const path = newPath();
      const main = resource('kept');
      const block = s3Backend(s3Lines(path, ['lock-file', 'table']));
      const other = `bucket-${++bucket}/moved.tfstate`;
      await using folder = await folderAt(path, ['table'], main);
      await folder.write('backend.tf', '');
      await folder.must('init', '-migrate-state', '-force-copy');
      await folder.must('apply', '-auto-approve');
      const before = await folder.must('state', 'pull');
      await folder.write('backend.tf', block);
      await folder.must('init', '-migrate-state', '-force-copy');
      await folder.write('backend.tf', httpBackend({ url: house.url, path: other }));
      await folder.start(['init', '-migrate-state', '-force-copy'], { env: httpLogin(TEST_ADMIN) }).end;
      await folder.write('backend.tf', block);
      await folder.start(['init', '-migrate-state', '-force-copy'], { env: httpLogin(TEST_ADMIN) }).end;
      const after = await folder.must('state', 'pull');
      // Terraform gives a state that it moves to an empty remote backend a lineage of its own.
      const essence = (text: string): unknown => (JSON.parse(text) as Record<string, unknown>)['resources'];
      expect(essence(after)).toEqual(essence(before));
      expect(await resourcesAt(house, other)).toEqual(['kept']);
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
    });

    it('a writer may not break another’s lock, and is told so', async () => {
      const path = newPath();
      const [mine, theirs] = await Promise.all(
        ['mine', 'theirs'].map((name) => house.credential(name, [{ role: 'writer', pattern: '*' }])),
      );
      await using gate = await Gate.make();
      const at = { url: house.url, lines: s3Lines(path, ['lock-file', 'table']) };
      await using alice = await s3Folder(terraform!, { ...at, as: mine! }, resource('a', 'a', gate.command));
      await using bob = await alice.copy(awsLogin(house.url, theirs!));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, path);
      const broken = await bob.run('force-unlock', '-force', holders[0]?.lockId ?? '');
      expect(broken.code).toBe(1);
      expect(broken.output).toContain('Only an operator may break');
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
    });
  },
);
