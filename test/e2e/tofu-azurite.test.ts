import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { selfSignedPaths, selfSignedTls } from '../../src/server/tls.ts';
import { AzuritePlace } from '../clients/fixtures/azurite-place.ts';
import { isLongRun } from '../support/amount.ts';
import { findAzurite, AZURITE_ACCOUNT, AZURITE_KEY } from '../support/azurite.ts';
import { ConnectProxy } from '../support/connect-proxy.ts';
import { findGoProgram } from '../support/find-program.ts';
import { TerraformFolder } from '../support/terraform.ts';
import { reachThrough } from './fixtures/azurerm-folder.ts';
import { Gate } from './fixtures/gate.ts';
import { resource } from './fixtures/http-folder.ts';
import { LossyProxy } from './fixtures/lossy-proxy.ts';

const tofu = await findGoProgram('tofu');
const azurite = await findAzurite();

/** What the cloud around Azurite calls the part of the host's name behind the account. */
const SUFFIX = 'core.test';

// OpenTofu cannot be told where an account's blobs are: it finds them by name and over TLS, which stand before Azurite here.
it.skipIf(!isLongRun || tofu === null || azurite === null)(
  "tofu and our client respect each other's locks on Azurite (in the long run; skipped unless tofu and azurite-blob are on PATH)",
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-tofu-azurite-'));
    await using place = await AzuritePlace.start(azurite!);
    const quiet = (): void => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const tls = await selfSignedTls(directory, [SUFFIX], log);
    await using secure = await LossyProxy.open(new URL(place.azurite.endpoint).origin, tls);
    await using proxy = await ConnectProxy.open(secure.url);
    const trusted = join(directory, 'all.pem');
    const certificates = [selfSignedPaths(directory).cert, place.cloud.certPath];
    await writeFile(trusted, (await Promise.all(certificates.map((path) => readFile(path)))).join('\n'));

    const { lookup_blob_endpoint: _, ...attributes } = place.attributes('tofu');
    const lines = Object.entries(attributes).map(([name, value]) => `    ${name} = "${value}"\n`);
    await using gate = await Gate.make();
    await using folder = await TerraformFolder.make(tofu!, {
      files: {
        'backend.tf': `terraform {\n  backend "azurerm" {\n${lines.join('')}  }\n}\n`,
        'main.tf': resource('one', 'one', gate.command),
      },
      env: { ...reachThrough(proxy, trusted), ARM_ACCESS_KEY: AZURITE_KEY },
    });
    expect(attributes['storage_account_name']).toBe(AZURITE_ACCOUNT);
    const client = await openClient({
      type: 'azurerm',
      attributes: place.attributes('tofu'),
      folder: directory,
      env: { ...place.env, ARM_ACCESS_KEY: AZURITE_KEY },
    });
    const lock = () =>
      client.lock('default', makeLockRequest('test', '0'), { milliseconds: 0, signal: null });

    await folder.must('init');
    const apply = folder.start(['apply', '-auto-approve']);
    await gate.reached();
    expect(await lock()).toMatchObject({ type: 'held', holder: { operation: 'OperationTypeApply' } });
    await gate.open();
    expect(await apply.end).toMatchObject({ code: 0 });

    const ours = await lock();
    if (ours.type !== 'locked') throw new Error(ours.message);
    const refused = await folder.run('plan');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(ours.lock.id);
    expect(await ours.lock.release()).toEqual({ type: 'released' });
    expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
    expect(Buffer.from((await client.read('default')) ?? []).toString()).toContain('"one"');
    await client.close();
    await rm(directory, { recursive: true, force: true });
  },
  120_000,
);
