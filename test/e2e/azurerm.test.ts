import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/ports/state-client.ts';
import { AZURERM } from '../../src/protocols/azurerm/client/entry.ts';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { AzurermHouse } from './fixtures/azurerm-folder.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import {
  killedRunIsUnlocked,
  lockOfHttpIsBroken,
  raceWithoutLock,
  secondIsRefused,
  wrongIdBreaksNothing,
  type LockScene,
} from './fixtures/lock-scenes.ts';
import { keepsLargeState, leavesForHttp, livesInTwoWorkspaces } from './fixtures/state-scenes.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();
// OpenTofu is not among the programs that CI must have, so that its absence is a spoken skip everywhere.
const tofu = await findOnPath('tofu');

/** It stands in the state as input and as output. */
const LARGE_MIB = 6;

const PROGRAMS = [
  ['terraform', terraform],
  ['tofu', tofu],
] as const;

for (const [name, program] of PROGRAMS)
  describe.skipIf(program === null)(`${name} over azurerm (skipped unless ${name} is on PATH)`, () => {
    let azurerm: AzurermHouse;
    let count = 0;

    beforeAll(async () => {
      azurerm = await AzurermHouse.open();
    });

    afterAll(() => azurerm[Symbol.asyncDispose]());

    /** A state that no other test has. */
    const newPath = (): string => `acme/net/${++count}`;
    const folderAt = (path: string, main: string, lines: readonly string[] = []): Promise<TerraformFolder> =>
      azurerm.folder(program!, path, main, { lines });
    it('works from init to destroy, workspaces too, and leaves no lock', () =>
      livesInTwoWorkspaces(newScene()));

    const newScene = (lines: readonly string[] = []): LockScene => {
      const path = newPath();
      return {
        house: azurerm.house,
        path,
        folder: (main) => folderAt(path, main, lines),
        shownId: ({ lockId }) => lockId,
        strangeId: '0b0b0b0b-0000-0000-0000-000000000000',
        lateWrite: 'ConditionNotMet',
      };
    };

    it('refuses the second of two applies at once, and says who holds the lock', () =>
      secondIsRefused(newScene()));

    it('lets eight with -lock-timeout all succeed, in the order of first asking', () =>
      eightInOrder(azurerm.house, newPath(), (path) => folderAt(path, '')));

    it.each([
      ['', []],
      [', with snapshots', ['snapshot = true']],
    ])(
      'wants the right ID to force-unlock, and keeps what the old holder cannot write after it%s',
      (_, lines) =>
        wrongIdBreaksNothing({ ...newScene(lines), lateWrite: 'LeaseNotPresentWithBlobOperation' }),
    );

    it('lets the lock of a run that was killed be broken by its ID', () => killedRunIsUnlocked(newScene()));

    it('lets nothing be lost when two race with -lock=false', () => raceWithoutLock(newScene()));

    it('has one lock and one state with backend "http", and breaks a lock that was taken there', () => {
      const scene = newScene();
      const place = { url: scene.house.url, path: scene.path, env: azurerm.reach };
      return lockOfHttpIsBroken(scene, (main) => httpFolder(program!, place, main));
    });

    it('leaves no lock where several runs make the first state at once', async () => {
      const path = newPath();
      await using base = await folderAt(path, resource('one'));
      const folders = await Promise.all(Array.from({ length: 4 }, () => base.copy()));
      const ends = await Promise.all(folders.map((folder) => folder.run('state', 'list')));
      await Promise.all(folders.map((folder) => folder[Symbol.asyncDispose]()));
      expect(ends.some(({ code }) => code === 0)).toBe(true);
      const { holders } = await lockAt(azurerm.house, path);
      expect(holders).toEqual([]);
      await base.must('apply', '-auto-approve');
      expect(await resourcesAt(azurerm.house, path)).toEqual(['one']);
    });

    it('breaks a lease whose holder was killed before it told its lock info', async () => {
      const { house } = azurerm;
      const path = newPath();
      await using folder = await folderAt(path, resource('one'));
      await folder.must('apply', '-auto-approve');
      const lockId = '0a0a0a0a-1111-2222-3333-444444444444';
      const leased = await house.ask('PUT', `/azure/${TEST_ADMIN.id.toLowerCase()}/${path}?comp=lease`, {
        headers: {
          'x-ms-lease-action': 'acquire',
          'x-ms-lease-duration': '-1',
          'x-ms-proposed-lease-id': lockId,
        },
      });
      expect(leased).toMatchObject({ status: 201 });
      const { code, output } = await folder.run('apply', '-auto-approve');
      expect(code).toBe(1);
      expect(output).toContain(`ID:        ${lockId}`);
      await folder.must('force-unlock', '-force', lockId);
      await folder.must('apply', '-auto-approve');
    });

    it('is left for backend "http" by init -migrate-state', () =>
      leavesForHttp(newScene(), { ...azurerm.reach, ARM_ACCESS_KEY: TEST_ADMIN.secret }));

    it('takes a large state', () => keepsLargeState(newScene(), LARGE_MIB), 120_000);

    it('identifies by a signature that names its credential, and by a token, at an account for everybody', async () => {
      const path = newPath();
      const { id, secret } = TEST_ADMIN;
      const [project = '', ...key] = path.split('/');
      const { environment } = AZURERM.snippet({
        url: `https://${azurerm.authority}`,
        address: { project, key: key.join('/'), workspace: 'default' },
        credential: TEST_ADMIN,
        caPath: null,
        variables: false,
        sasUntil: new Date(Date.now() + 3_600_000),
      });
      const signed = Object.fromEntries(environment.map(({ name: variable, value }) => [variable, value]));
      const shared = { account: 'statehouse' };
      await using bySas = await azurerm.folder(program!, path, resource('one'), { ...shared, env: signed });
      await bySas.must('apply', '-auto-approve');
      const token = ['use_azuread_auth = true', 'tenant_id = "adfs"'];
      const login = { ARM_CLIENT_ID: id, ARM_CLIENT_SECRET: secret };
      await using byToken = await azurerm.folder(program!, path, resource('two'), {
        ...shared,
        lines: token,
        env: login,
      });
      await byToken.must('apply', '-auto-approve');
      expect(await resourcesAt(azurerm.house, path)).toEqual(['two']);
    });

    it('asks the resource manager for the key of the account', async () => {
      const path = newPath();
      const { id, secret } = TEST_ADMIN;
      const lines = ['tenant_id = "adfs"', 'subscription_id = "any"', 'resource_group_name = "any"'];
      await using folder = await azurerm.folder(program!, path, resource('one'), {
        lines,
        env: { ARM_CLIENT_ID: id, ARM_CLIENT_SECRET: secret },
      });
      await folder.must('apply', '-auto-approve');
      expect(await resourcesAt(azurerm.house, path)).toEqual(['one']);
    });

    // OpenTofu does not know the setting.
    it.skipIf(name === 'tofu')('needs no name for the account where it asks for the endpoint', async () => {
      const path = newPath();
      const { id, secret } = TEST_ADMIN;
      const lines = [
        'lookup_blob_endpoint = true',
        'use_azuread_auth = true',
        'tenant_id = "adfs"',
        'subscription_id = "any"',
        'resource_group_name = "any"',
      ];
      const block = azurerm.block(path, { account: 'statehouse', lines });
      const { host } = new URL(azurerm.house.url);
      await using folder = await TerraformFolder.make(program!, {
        files: { 'backend.tf': block.replace(azurerm.authority, host), 'main.tf': resource('one') },
        env: {
          SSL_CERT_FILE: azurerm.house.certPath ?? '',
          ARM_CLIENT_ID: id,
          ARM_CLIENT_SECRET: secret,
        },
      });
      await folder.must('init');
      await folder.must('apply', '-auto-approve');
      expect(await resourcesAt(azurerm.house, path)).toEqual(['one']);
    });

    it('tells what to do about a wrong key, an unknown account, and a key that cannot be', async () => {
      const path = newPath();
      const said = async (
        account: string,
        env: Readonly<Record<string, string>>,
        at = path,
      ): Promise<string> => {
        await using folder = await TerraformFolder.make(program!, {
          files: { 'backend.tf': azurerm.block(at, { account, lines: [] }) },
          env: { ...azurerm.reach, ...env },
        });
        const { code, output } = await folder.run('init');
        const planned = code === 0 ? await folder.run('apply', '-auto-approve') : { code, output };
        expect(planned.code).toBe(1);
        return planned.output.replace(/\s*│\s*|\s+/g, ' ');
      };
      const account = TEST_ADMIN.id.toLowerCase();
      const wrong = Buffer.from('a wrong key of some length').toString('base64');
      expect(await said(account, { ARM_ACCESS_KEY: wrong })).toContain('storage_account_name to its id');
      expect(await said('nobody', { ARM_ACCESS_KEY: TEST_ADMIN.secret })).toContain(
        'storage_account_name to its id',
      );
      const env = { ARM_ACCESS_KEY: TEST_ADMIN.secret };
      expect(await said(account, env, 'acme/net/../app')).toContain('a key has no "." or ".." segment');
    });
  });

describe('statehouse doctor --door azurerm', () => {
  let azurerm: AzurermHouse;

  beforeAll(async () => {
    azurerm = await AzurermHouse.open();
  });

  afterAll(() => azurerm[Symbol.asyncDispose]());

  const doctor = async (
    server: string,
    { as = TEST_ADMIN, ca = azurerm.house.certPath }: { as?: Pair; ca?: string | null } = {},
  ): Promise<{ readonly code: number; readonly said: readonly string[] }> => {
    const { code, out } = await runStatehouse([
      'doctor',
      '--door',
      'azurerm',
      '--server',
      server,
      '--credential',
      `${as.id}.${as.secret}`,
      '--json',
      ...(ca === null ? [] : ['--ca', ca]),
    ]);
    const { findings } = JSON.parse(out) as { findings: readonly Finding[] };
    return { code, said: findings.map(({ level, topic, message }) => `${level} ${topic}: ${message}`) };
  };

  it('tells which names lead nowhere, for which names the certificate is, and whether the credential is known', async () => {
    const { port } = new URL(azurerm.house.url);
    const here = await doctor(`https://localhost:${port}`);
    const account = TEST_ADMIN.id.toLowerCase();
    expect(here.said).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^good name: localhost is /),
        'good certificate: it is trusted, and for localhost',
        `good certificate: it is trusted, and for ${account}.blob.localhost`,
        `good credential: the server knows ${TEST_ADMIN.id}`,
      ]),
    );
    const byAddress = await doctor(azurerm.house.url);
    expect(byAddress.code).toBe(1);
    expect(byAddress.said).toEqual(
      expect.arrayContaining([
        `problem name: ${account}.blob.127.0.0.1 leads nowhere`,
        `problem certificate: it is not for ${account}.blob.127.0.0.1`,
      ]),
    );
    const untrusted = await doctor(`https://localhost:${port}`, { ca: null });
    expect(untrusted.said.join()).toContain('problem trust: the certificate is not trusted');
    const wrong = await doctor(`https://localhost:${port}`, {
      as: { id: 'SHNOBODY23456789', secret: TEST_ADMIN.secret },
    });
    expect(wrong.said.join()).toContain('problem credential: the server does not know SHNOBODY23456789');
    const plain = await doctor('http://127.0.0.1:1', { ca: null });
    expect(plain.said).toEqual([
      'problem https: http://127.0.0.1:1 is not https, and azurerm speaks nothing else',
    ]);
    const nobody = await doctor('https://127.0.0.1:1', { ca: null });
    expect(nobody.said.join()).toContain('no answer from 127.0.0.1:1');
  });
});
