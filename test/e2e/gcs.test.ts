import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeyFile } from '../../src/protocols/gcs/key-file.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { Gate } from './fixtures/gate.ts';
import { gcsBackend, gcsFolder, gcsLogin } from './fixtures/gcs-folder.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import {
  killedRunIsUnlocked,
  raceWithoutLock,
  secondIsRefused,
  wrongIdBreaksNothing,
  type LockScene,
} from './fixtures/lock-scenes.ts';
import { keepsLargeState, leavesForHttp, livesInTwoWorkspaces } from './fixtures/state-scenes.ts';
import { resourcesAt } from './fixtures/view.ts';

const PROGRAMS = [
  ['terraform', await findTerraform()],
  // OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
  ['tofu', await findOnPath('tofu')],
] as const;

/** It stands in the state as input and as output: above what Go's client sends in one request, which is 16 MiB. */
const LARGE_MIB = 10;

describe.each(PROGRAMS)('%s over gcs (skipped unless it is on PATH)', (_, program) => {
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
  const folderAt = (path: string, main: string): Promise<TerraformFolder> =>
    gcsFolder(program!, { url: house.url, path }, main);

  it.skipIf(program === null)("takes a service account's key file in place of the access token", async () => {
    const path = newPath();
    const pair = await house.credential('by-key', [{ role: 'writer', pattern: `${path}@*` }]);
    await using folder = await TerraformFolder.make(program!, {
      files: {
        'key.json': makeKeyFile({ url: house.url, credential: pair }),
        'backend.tf': gcsBackend({ url: house.url, path, lines: ['credentials = "key.json"'] }),
        'main.tf': resource('one'),
      },
      env: {},
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    expect(await resourcesAt(house, path)).toEqual(['one']);
    const elsewhere = gcsBackend({ url: house.url, path: 'other/net', lines: ['credentials = "key.json"'] });
    await folder.write('backend.tf', elsewhere);
    expect((await folder.run('init', '-reconfigure')).code).toBe(1);
  });

  it.skipIf(program === null)('works from init to destroy, workspaces too, and leaves no lock', () =>
    livesInTwoWorkspaces(newScene()),
  );

  const newScene = (): LockScene => {
    const path = newPath();
    return {
      house,
      path,
      folder: (main) => folderAt(path, main),
      // The lock's ID is the generation of its object.
      shownId: ({ fence }) => String(fence),
      strangeId: '999999',
      lateWrite: 'conditionNotMet',
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
    () => wrongIdBreaksNothing(newScene()),
  );

  it.skipIf(program === null)('lets the lock of a run that was killed be broken by its ID', () =>
    killedRunIsUnlocked(newScene()),
  );

  it.skipIf(program === null)('lets nothing be lost when two race with -lock=false', () =>
    raceWithoutLock(newScene()),
  );

  it.skipIf(program === null)('has one lock and one state with backend "http"', async () => {
    const path = newPath();
    await using gate = await Gate.make();
    await using alice = await folderAt(path, resource('alice', 'alice', gate.command));
    await using bob = await httpFolder(program!, { url: house.url, path }, resource('bob'));
    const first = alice.start(['apply', '-auto-approve']);
    await gate.reached();
    expect(await bob.run('apply', '-auto-approve')).toMatchObject({ code: 1 });
    await gate.open();
    expect(await first.end).toMatchObject({ code: 0 });
    await bob.must('apply', '-auto-approve');
    expect(await resourcesAt(house, path)).toEqual(['bob']);
  });

  it.skipIf(program === null)('is left for backend "http" by init -migrate-state', () =>
    leavesForHttp(newScene(), gcsLogin()),
  );

  it.skipIf(program === null)(
    'takes a state that comes in pieces',
    () => keepsLargeState(newScene(), LARGE_MIB),
    120_000,
  );

  it.skipIf(program === null)(
    'tells what to do about a wrong credential, a key of one’s own, and a block without a prefix',
    async () => {
      const place = { url: house.url, path: newPath() };
      const init = async (block: string, env: Record<string, string>): Promise<string> => {
        await using folder = await TerraformFolder.make(program!, { files: { 'backend.tf': block }, env });
        const { code, output } = await folder.run('init');
        const planned = code === 0 ? await folder.run('apply', '-auto-approve') : { code, output };
        expect(planned.code).toBe(1);
        return planned.output.replace(/\s*│\s*|\s+/g, ' ');
      };
      expect(await init(gcsBackend(place), { GOOGLE_OAUTH_ACCESS_TOKEN: 'nobody.atall' })).toContain(
        'set access_token (or GOOGLE_OAUTH_ACCESS_TOKEN) to ID.SECRET',
      );
      const key = Buffer.alloc(32, 1).toString('base64');
      expect(
        await init(gcsBackend({ ...place, lines: [`encryption_key = "${key}"`] }), gcsLogin()),
      ).toContain('remove encryption_key');
      const bare = gcsBackend(place).replace(/^.*prefix.*$/m, '');
      expect(await init(bare, gcsLogin())).toContain('give the backend block one');
    },
  );
});
