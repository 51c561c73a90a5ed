import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { s3Folder, s3Lines } from './fixtures/s3-folder.ts';
import { addressAt, lockAt, resourcesAt, untilHeld } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'what a server refuses terraform (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;
    let places = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
    });

    afterAll(() => house.close());

    function statehouse(words: readonly string[], cwd = '/') {
      const env = {
        STATEHOUSE_SERVER: house.url,
        STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
        TF_HTTP_USERNAME: TEST_ADMIN.id,
        TF_HTTP_PASSWORD: TEST_ADMIN.secret,
      };
      return runStatehouse(words, { env, cwd });
    }

    /** Two applies, the first of which lost its lock while it worked, so that its state is refused. */
    async function fenced(path: string): Promise<{ alice: TerraformFolder; bob: TerraformFolder }> {
      await using gate = await Gate.make();
      const place = { url: house.url, path };
      const alice = await httpFolder(terraform!, place, resource('common'));
      await alice.must('apply', '-auto-approve');
      const bob = await alice.copy();
      await alice.write('main.tf', resource('common') + resource('alice', 'alice', gate.command));
      await bob.write('main.tf', resource('common') + resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, path);
      const lock = { lockId: holders[0]?.lockId ?? '', alias: null };
      const broken = await house.house.locks.unlock(ADMIN_CALLER, addressAt(path), lock);
      expect(broken).toMatchObject({ type: 'released' });
      await bob.must('apply', '-auto-approve');
      await gate.open();
      expect(await first.end).toMatchObject({ code: 1 });
      expect(await resourcesAt(house, path)).toEqual(['bob', 'common']);
      return { alice, bob };
    }

    it('a fenced apply is rescued from the server: no resource is lost, and none is made twice', async () => {
      const path = 'rescue/kept';
      const { alice, bob } = await fenced(path);
      await using _alice = alice;
      await using _bob = bob;
      const listed = await statehouse(['rescue', path, '--json']);
      const { writes } = JSON.parse(listed.out) as { writes: { id: string; refused: string }[] };
      expect(writes.map(({ refused }) => refused)).toContain('fenced');
      const newest = writes[0]?.id ?? '';
      const rescued = await statehouse(['rescue', path, newest, '--yes']);
      expect(rescued).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, path)).toEqual(['alice', 'bob', 'common']);
      await alice.write('main.tf', resource('common') + resource('alice') + resource('bob'));
      expect(await alice.must('plan', '-detailed-exitcode')).toContain('No changes');
    });

    it('and from the errored.tfstate that terraform left in its folder', async () => {
      const path = 'rescue/errored';
      const { alice, bob } = await fenced(path);
      await using _alice = alice;
      await using _bob = bob;
      const errored = await readFile(join(alice.path, 'errored.tfstate'), 'utf8');
      expect(errored).toContain('"alice"');
      const rescued = await statehouse(['rescue', '--yes'], alice.path);
      expect(rescued).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, path)).toEqual(['alice', 'bob', 'common']);
      await bob.write('main.tf', resource('common') + resource('alice') + resource('bob'));
      expect(await bob.must('plan', '-detailed-exitcode')).toContain('No changes');
    });

    const FOLDERS = {
      http: (path: string) => httpFolder(terraform!, { url: house.url, path }, resource('one')),
      's3 with a lock file': (path: string) =>
        s3Folder(terraform!, { url: house.url, lines: s3Lines(path, ['lock-file']) }, resource('one')),
      's3 with a DynamoDB table': (path: string) =>
        s3Folder(terraform!, { url: house.url, lines: s3Lines(path, ['table']) }, resource('one')),
    } as const;

    it.each(Object.entries(FOLDERS))(
      'a frozen apply over %s prints the reason, while a plan passes',
      async (_, folderAt) => {
        const project = `frozen-${(places += 1)}`;
        await using folder = await folderAt(`${project}/net/terraform.tfstate`);
        const freeze = ['freeze', `${project}/*`, '--until', '1h', '--reason', 'release week, ask Oscar'];
        expect(await statehouse(freeze)).toMatchObject({ code: 0 });
        for (const list of ['locks', 'states'])
          expect((await statehouse([list])).out).toContain('release week, ask Oscar');
        const pushed = await statehouse(['delete', `${project}/net/terraform.tfstate`, '--yes']);
        expect(pushed.err).not.toContain('shows who holds it');

        const refused = await folder.run('apply', '-auto-approve');
        expect(refused.code).toBe(1);
        // Terraform breaks long lines.
        expect(refused.output.replaceAll(/[\s│]+/g, ' ')).toMatch(
          /is frozen until \S+ by token:\S+: release week, ask Oscar/,
        );
        expect(await folder.must('plan')).toContain('1 to add');
        expect((await lockAt(house, `${project}/net/terraform.tfstate`)).holders).toEqual([]);

        expect(await statehouse(['unfreeze', `${project}/*`])).toMatchObject({ code: 0 });
        expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
      },
    );

    it.each(Object.entries(FOLDERS))(
      'an apply over %s in a project that is full prints so, and goes on once it has room',
      async (_, folderAt) => {
        const project = `full-${(places += 1)}`;
        await using first = await folderAt(`${project}/first/terraform.tfstate`);
        await first.must('apply', '-auto-approve');
        const set = (quota: string) => statehouse(['project', 'set', project, '--quota-states', quota]);
        expect(await set('1')).toMatchObject({
          code: 0,
          out: expect.stringMatching(/quota-states +1 +project +1/),
        });
        await using second = await folderAt(`${project}/second/terraform.tfstate`);
        const refused = await second.run('apply', '-auto-approve');
        expect(refused.code).toBe(1);
        expect(refused.output.replaceAll(/[\s│]+/g, ' ')).toContain(
          `project ${project} is at its quota: it keeps 1 states and may keep 1`,
        );
        // What is there goes on.
        await first.write('main.tf', resource('one') + resource('two'));
        expect(await first.must('apply', '-auto-approve')).toContain('1 added');
        expect(await set('default')).toMatchObject({ code: 0 });
        expect(await second.must('apply', '-auto-approve')).toContain('1 added');
      },
    );

    it.each(Object.entries(FOLDERS))(
      'an apply over %s creates nothing where new states must be announced, and does once they are',
      async (_, folderAt) => {
        const project = `guarded-${(places += 1)}`;
        const path = `${project}/net/terraform.tfstate`;
        await using folder = await folderAt(path);
        expect(await statehouse(['project', 'set', project, '--announce-first', 'on'])).toMatchObject({
          code: 0,
        });
        const refused = await folder.run('apply', '-auto-approve');
        expect(refused.code).toBe(1);
        expect(refused.output.replaceAll(/[\s│]+/g, ' ')).toContain(`statehouse announce ${path}`);
        expect(refused.output).not.toContain('Creating...');
        expect(await folder.must('plan')).toContain('1 to add');
        expect((await statehouse(['announce', path])).out).toContain('may be created by an apply until');
        expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
        expect((await statehouse(['project', 'show', project])).out).toMatch(/announce-first +on +project/);
      },
    );

    it('a state that is moved with init -migrate-state needs no announcement', async () => {
      const project = `guarded-${(places += 1)}`;
      const path = `${project}/moved`;
      await statehouse(['project', 'set', project, '--announce-first', 'on']);
      await using folder = await httpFolder(
        terraform!,
        { url: house.url, path: 'elsewhere/moved' },
        resource('one'),
      );
      await folder.must('apply', '-auto-approve');
      const block = (await readFile(join(folder.path, 'backend.tf'), 'utf8')).replaceAll(
        'elsewhere/moved',
        path,
      );
      await folder.write('backend.tf', block);
      await folder.must('init', '-migrate-state', '-force-copy');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await resourcesAt(house, path)).toEqual(['one']);
    });
  },
);
