import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSignedPaths, selfSignedTls } from '../../src/server/tls.ts';
import { ConnectProxy } from '../support/connect-proxy.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { azurermBlock, reachThrough, STATE_NAME } from './fixtures/azurerm-folder.ts';
import { resource } from './fixtures/http-folder.ts';
import { LossyProxy, type Loss, type PassedRequest } from './fixtures/lossy-proxy.ts';
import { addressAt, lockAt, resourcesAt } from './fixtures/view.ts';

const says = ({ rawHeaders }: PassedRequest, name: string): string =>
  rawHeaders[rawHeaders.findIndex((header) => header.toLowerCase() === name) + 1] ?? '';
const isLease =
  (action: string): Loss['matches'] =>
  (request) =>
    request.target.includes('comp=lease') && says(request, 'x-ms-lease-action') === action;
const tellsInfo = (request: PassedRequest): boolean =>
  request.rawHeaders.some((name) => name.toLowerCase() === 'x-ms-meta-terraformlockid');

/** What can get lost in the middle of an apply, after the server has decided about it. */
const LOSSES: Readonly<Record<string, Loss['matches']>> = {
  'the lease': isLease('acquire'),
  'the lock info': (request) => request.target.includes('comp=metadata') && tellsInfo(request),
  'the state': ({ method, body }) => method === 'PUT' && body.length > 0,
  'the end of the lock info': (request) => request.target.includes('comp=metadata') && !tellsInfo(request),
  'the release': isLease('release'),
};

/** OpenTofu sends a request again that was lost; Terraform does not, and gives up. */
const PROGRAMS = [
  { name: 'terraform', program: await findTerraform(), sendsAgain: false },
  { name: 'tofu', program: await findOnPath('tofu'), sendsAgain: true },
] as const;

describe.each(PROGRAMS)(
  '$name over azurerm when a message is lost (skipped unless it is on PATH)',
  ({ program, sendsAgain }) => {
    let house: TestHouse;
    let directory: string;
    let tls: Awaited<ReturnType<typeof selfSignedTls>>;
    let count = 0;

    beforeAll(async () => {
      house = await TestHouse.open();
      directory = await mkdtemp(join(tmpdir(), 'statehouse-azurerm-lost-'));
      const quiet = (): void => undefined;
      const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
      tls = await selfSignedTls(directory, [STATE_NAME], log);
    });

    afterAll(async () => {
      await house.close();
      await rm(directory, { recursive: true, force: true });
    });

    const cases = Object.entries(LOSSES).flatMap(([what, matches]) =>
      (['answer', 'request'] as const).map((half) => [half, what, matches] as const),
    );

    it.skipIf(program === null).each(cases)(
      'the %s of %s: the run goes on, or leaves nothing that cannot be unlocked and nothing lost',
      async (half, what, matches) => {
        const path = `lost/net/${++count}`;
        await using lossy = await LossyProxy.open(house.url, tls);
        await using proxy = await ConnectProxy.open(lossy.url);
        const block = azurermBlock(`${STATE_NAME}:${new URL(lossy.url).port}`, path, {
          account: TEST_ADMIN.id.toLowerCase(),
          lines: [],
        });
        await using folder = await TerraformFolder.make(program!, {
          files: { 'backend.tf': block, 'main.tf': resource('kept') },
          env: {
            ...reachThrough(proxy, selfSignedPaths(directory).cert),
            ARM_ACCESS_KEY: TEST_ADMIN.secret,
          },
        });
        await folder.must('init');
        // The state is made by the first command, under a lock of its own.
        await folder.must('plan');
        lossy.loseOne({ half, matches });
        const { code, output } = await folder.run('apply', '-auto-approve');
        expect(lossy.lost).toBe(1);
        if (sendsAgain) expect(`${what}: ${code} ${code === 0 ? '' : output}`).toBe(`${what}: 0 `);
        const { holders } = await lockAt(house, path);
        if (sendsAgain) expect(holders).toEqual([]);
        for (const { lockId } of holders) await folder.must('force-unlock', '-force', lockId);
        if ((await folder.read('errored.tfstate')) !== null)
          await folder.must('state', 'push', 'errored.tfstate');
        await folder.must('apply', '-auto-approve');
        expect((await lockAt(house, path)).holders).toEqual([]);
        expect(await resourcesAt(house, path)).toEqual(['kept']);
        // The one that was made first, and the one with the resource: what was created is created once.
        expect(await house.engine.versions(addressAt(path), { limit: 10 })).toHaveLength(2);
      },
    );
  },
);
