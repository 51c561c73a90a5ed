import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Holder } from '../../src/core/world.ts';
import { isLongRun } from '../support/amount.ts';
import { findGoProgram } from '../support/find-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { consulFolder } from './fixtures/consul-folder.ts';
import { gcsFolder } from './fixtures/gcs-folder.ts';
import { resource } from './fixtures/http-folder.ts';
import { LossyProxy, type Loss } from './fixtures/lossy-proxy.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

type Match = Loss['matches'];

/** A door, and what can get lost in the middle of an apply. */
interface Door {
  readonly folder: (program: string, url: string, path: string) => Promise<TerraformFolder>;
  readonly shownId: (holder: Holder) => string;
  readonly losses: Readonly<Record<string, Match>>;
  /** Of these, what OpenTofu's newer client sends again by itself. */
  readonly sentAgain: readonly string[];
}

const isAt =
  (asked: string, part: string): Match =>
  ({ method, target }) =>
    method === asked && target.includes(part);
const MAIN = resource('kept');

const DOORS: Readonly<Record<string, Door>> = {
  gcs: {
    folder: (program, url, path) => gcsFolder(program, { url, path }, MAIN),
    shownId: ({ fence }) => String(fence),
    sentAgain: ['the release'],
    losses: {
      'the lock': ({ method, body }) => method === 'POST' && body.includes('.tflock'),
      'the state': ({ method, body }) => method === 'POST' && body.includes('.tfstate'),
      'the release': isAt('DELETE', 'tflock'),
    },
  },
  consul: {
    folder: (program, url, path) => consulFolder(program, { url, path }, MAIN),
    shownId: ({ lockId }) => lockId,
    sentAgain: [],
    // The end of the session is not among them: terraform does not always wait for it.
    losses: {
      'the session': isAt('PUT', 'session/create'),
      'the lock': isAt('PUT', 'acquire='),
      'the lock info': isAt('PUT', 'lockinfo'),
      'the state': isAt('PUT', 'v1/txn'),
      'the end of the lock info': isAt('DELETE', 'lockinfo'),
      'the release': isAt('PUT', 'release='),
    },
  },
};

const PROGRAMS = [
  ['terraform', await findTerraform()],
  // OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
  ...(isLongRun ? ([['tofu', await findGoProgram('tofu')]] as const) : []),
] as const;
/** `answer`: the server has decided, and nobody hears of it. `request`: it never gets there. */
const HALVES: readonly Loss['half'][] = isLongRun ? ['answer', 'request'] : ['answer'];

const CASES = PROGRAMS.flatMap(([name, program]) =>
  Object.entries(DOORS).flatMap(([door, { losses }]) =>
    Object.keys(losses).flatMap((what) => HALVES.map((half) => ({ name, program, door, what, half }))),
  ),
);

describe('a message that is lost (skipped unless the program is on PATH)', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  for (const { name, program, door, what, half } of CASES) {
    it.skipIf(program === null)(
      `the ${half} of ${what} over ${door} by ${name}: the run goes on, or leaves nothing that cannot be unlocked and nothing lost`,
      async () => {
        const { folder: open, losses, sentAgain, shownId } = DOORS[door]!;
        const path = `lost/net/${++count}`;
        await using proxy = await LossyProxy.open(house.url);
        await using folder = await open(program!, proxy.url, path);
        proxy.loseOne({ half, matches: losses[what]! });
        const { code, output } = await folder.run('apply', '-auto-approve');
        expect(proxy.lost).toBe(1);
        const { holders } = await lockAt(house, path);
        if (name === 'tofu' && sentAgain.includes(what)) {
          expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
          expect(holders).toEqual([]);
        }
        for (const holder of holders) await folder.must('force-unlock', '-force', shownId(holder));
        if ((await folder.read('errored.tfstate')) !== null)
          await folder.must('state', 'push', 'errored.tfstate');
        await folder.must('apply', '-auto-approve');
        expect((await lockAt(house, path)).holders).toEqual([]);
        expect(await resourcesAt(house, path)).toEqual(['kept']);
        expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      },
      120_000,
    );
  }
});
