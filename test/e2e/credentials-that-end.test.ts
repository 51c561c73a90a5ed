import { describe, expect, it, afterAll, beforeAll } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
const WRITER = [{ role: 'writer', pattern: '*' }] as const;
/** Long enough for "terraform apply" to take the lock, even on a busy machine. */
const BRIEF_MS = 8_000;

describe.skipIf(terraform === null)('terraform, whose credential ends (skipped unless it is on PATH)', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  /** Resolves once the credential has expired; terraform waits for a file that is made then. */
  const expiry = async (at: TestHouse, as: Pair): Promise<void> => {
    await eventually('the credential expires', async () => {
      return (await at.ask('GET', '/metrics', { as })).status === 401;
    });
  };

  it('brings its state home when that is in the middle of an apply', async () => {
    const as = await house.credential('brief', WRITER, Date.now() + BRIEF_MS);
    const main = resource('one', 'one', 'while [ ! -e go ]; do sleep 0.1; done');
    await using folder = await httpFolder(terraform!, { url: house.url, path: 'acme/home', as }, main);
    const apply = folder.start(['apply', '-auto-approve']);
    await expiry(house, as);
    await folder.write('go', '');
    expect((await apply.end).code).toBe(0);
    expect(await resourcesAt(house, 'acme/home')).toEqual(['one']);
    expect(await lockAt(house, 'acme/home')).toMatchObject({ holders: [] });
  });

  it('is told that its time is over when the grace is, too, and keeps its state in errored.tfstate', async () => {
    await using strict = await TestHouse.open({ expiryGrace: 0 });
    const as = await strict.credential('brief', WRITER, Date.now() + BRIEF_MS);
    const main = resource('one', 'one', 'while [ ! -e go ]; do sleep 0.1; done');
    await using folder = await httpFolder(terraform!, { url: strict.url, path: 'acme/over', as }, main);
    const apply = folder.start(['apply', '-auto-approve']);
    await expiry(strict, as);
    await folder.write('go', '');
    const { code, output } = await apply.end;
    expect(code).toBe(1);
    expect(output).toMatch(/401|expired/);
    expect(await folder.read('errored.tfstate')).toContain('"one"');
    expect(await resourcesAt(strict, 'acme/over')).toBe(null);
  });

  it('that waits for the lock ends in an error when it is revoked, and never gets the lock', async () => {
    const as = await house.credential('revoked', WRITER);
    await using folder = await httpFolder(
      terraform!,
      { url: house.url, path: 'acme/waits', as },
      resource('one'),
    );
    await house.ask('LOCK', '/http/acme/waits', { body: sampleLock('other') });
    const apply = folder.start(['apply', '-auto-approve', '-lock-timeout=5m']);
    await house.untilParked(1);
    await house.house.credentials.revoke(ADMIN_CALLER, as.id);
    await house.ask('UNLOCK', '/http/acme/waits', { body: sampleLock('other') });
    const { code } = await apply.end;
    expect(code).toBe(1);
    expect(await lockAt(house, 'acme/waits')).toMatchObject({ holders: [], line: [] });
    expect(await resourcesAt(house, 'acme/waits')).toBe(null);
  });
});
