import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { consulBackend, consulFolder, consulLogin } from './fixtures/consul-folder.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import {
  lockOfHttpIsBroken,
  raceWithoutLock,
  secondIsRefused,
  type LockScene,
} from './fixtures/lock-scenes.ts';
import { keepsLargeState, leavesForHttp, livesInTwoWorkspaces } from './fixtures/state-scenes.ts';
import { isLongRun } from '../support/amount.ts';
import { lockAt, resourceNames, resourcesAt, untilHeld } from './fixtures/view.ts';

const PROGRAMS = [
  ['terraform', await findTerraform()],
  // OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
  ['tofu', await findOnPath('tofu')],
] as const;

/** It stands in the state as input and as output, and in the transaction a third longer. */
const LARGE_MIB = 4;

describe.each(PROGRAMS)('%s over consul (skipped unless it is on PATH)', (name, program) => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });

  afterAll(async () => {
    await house.close();
  });

  /** A state that no other test has. */
  const newPath = (): string => `acme/net/${++count}`;
  const folderAt = (path: string, main: string, lines: readonly string[] = []): Promise<TerraformFolder> =>
    consulFolder(program!, { url: house.url, path, lines }, main);

  it.skipIf(program === null).each([
    ['plain', []],
    ['as gzip', ['gzip = true']],
  ])('works from init to destroy, workspaces too, and leaves no lock: %s', (_, lines) =>
    livesInTwoWorkspaces(newScene(lines)),
  );

  const newScene = (lines: readonly string[] = []): LockScene => {
    const path = newPath();
    return {
      house,
      path,
      folder: (main) => folderAt(path, main, lines),
      shownId: ({ lockId }) => lockId,
      strangeId: '0b0b0b0b-0000-0000-0000-000000000000',
      lateWrite: 'index is stale',
    };
  };

  it.skipIf(program === null)('refuses the second of two applies at once, and says who holds the lock', () =>
    secondIsRefused(newScene()),
  );

  it.skipIf(program === null)('lets eight with -lock-timeout all succeed, in the order of first asking', () =>
    eightInOrder(house, newPath(), (path) => folderAt(path, '')),
  );

  it.skipIf(program === null)(
    'wants the right ID to force-unlock, and keeps what the old holder cannot write after it',
    async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, resource('before'));
      await alice.must('apply', '-auto-approve');
      await using bob = await alice.copy();
      await alice.write('main.tf', resource('alice', 'alice', gate.command));
      const paused = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, path);
      const wrong = await bob.run('force-unlock', '-force', '0b0b0b0b-0000-0000-0000-000000000000');
      expect(wrong).toMatchObject({ code: 1 });
      expect(wrong.output).toContain('no lock is held under this ID');
      expect((await lockAt(house, path)).holders).toMatchObject([{ lockId: holders[0]?.lockId }]);
      expect(await bob.must('force-unlock', '-force', holders[0]?.lockId ?? '')).toContain(
        'successfully unlocked',
      );
      await bob.write('main.tf', resource('bob'));
      await bob.must('apply', '-auto-approve', '-lock-timeout=30s');
      await gate.open();
      const { code } = await paused.end;
      expect(code).toBe(1);
      expect(await resourcesAt(house, path)).toEqual(['bob']);
      expect(resourceNames((await alice.read('errored.tfstate')) ?? '')).toContain('alice');
    },
  );

  // Half a minute of waiting for the session to end: once is enough outside the long run.
  it.skipIf(program === null || (name === 'tofu' && !isLongRun))(
    'ends the hold of a run that was killed, with its session',
    async () => {
      const path = newPath();
      await using gate = await Gate.make();
      await using alice = await folderAt(path, resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      await bob.write('main.tf', resource('bob'));
      const killed = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await untilHeld(house, path);
      killed.signal('SIGKILL');
      await bob.must('apply', '-auto-approve', '-lock-timeout=90s');
      expect(await resourcesAt(house, path)).toEqual(['bob']);
    },
    120_000,
  );

  it.skipIf(program === null)('lets nothing be lost when two race with -lock=false', () =>
    raceWithoutLock(newScene()),
  );

  it.skipIf(program === null)(
    'has one lock and one state with backend "http", and breaks a lock that was taken there',
    () => {
      const scene = newScene();
      return lockOfHttpIsBroken(scene, (main) =>
        httpFolder(program!, { url: house.url, path: scene.path }, main),
      );
    },
  );

  it.skipIf(program === null)('is left for backend "http" by init -migrate-state', () =>
    leavesForHttp(newScene(), consulLogin()),
  );

  it.skipIf(program === null)(
    'takes a state that a Consul would want in chunks',
    () => keepsLargeState(newScene(), LARGE_MIB),
    120_000,
  );

  it.skipIf(program === null)(
    'takes http_auth for a token, and tells what to do about a wrong one, and a path without a project',
    async () => {
      const place = { url: house.url, path: newPath() };
      const init = async (block: string, env: Record<string, string>): Promise<string> => {
        await using folder = await TerraformFolder.make(program!, { files: { 'backend.tf': block }, env });
        const { code, output } = await folder.run('init');
        const planned = code === 0 ? await folder.run('apply', '-auto-approve') : { code, output };
        return `${planned.code} ${planned.output.replace(/\s*│\s*|\s+/g, ' ')}`;
      };
      expect(await init(consulBackend(place), { CONSUL_HTTP_TOKEN: 'nobody.atall' })).toContain(
        'set access_token (or CONSUL_HTTP_TOKEN) to ID.SECRET',
      );
      const { id, secret } = TEST_ADMIN;
      expect(await init(consulBackend(place), { CONSUL_HTTP_AUTH: `${id}:${secret}` })).toMatch(/^0 /);
      expect(await init(consulBackend({ ...place, path: 'alone' }), consulLogin())).toContain(
        'expected a project and a key',
      );
    },
  );
});
