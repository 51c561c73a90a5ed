import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { CloudConfigs, HOSTNAME } from '../e2e/fixtures/cloud-folder.ts';
import { runStatehouse } from './run-statehouse.ts';

/** A door, and the client that comes by it. */
interface Door {
  readonly type: string;
  readonly attributes: (key: string) => BackendAttributes;
}

describe('states that move from one door to another', () => {
  let house: TestHouse;
  let folder: string;
  let configs: CloudConfigs;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'statehouse-doors-'));
    const store = { kind: 'directory', path: folder } as const;
    house = await TestHouse.open({ store, tls: { kind: 'self-signed' } });
    const { id, secret } = TEST_ADMIN;
    configs = await CloudConfigs.make();
    env = {
      ...(await configs.env(house.url, `${id}.${secret}`)),
      SSL_CERT_FILE: house.certPath ?? '',
      CONSUL_CACERT: house.certPath ?? '',
      AWS_CA_BUNDLE: house.certPath ?? '',
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: house.url,
    };
    // As at AWS, a lock table is known once it was made, or a lock was asked for in it.
    const { type, attributes } = DOORS['dynamodb']!;
    const client = await openClient({ type, attributes: attributes('first'), folder, env });
    const attempt = await client.lock('default', makeLockRequest('first', '0'), {
      milliseconds: 0,
      signal: null,
    });
    if (attempt.type === 'locked') await attempt.lock.release();
    await client.close();
  });
  afterAll(async () => {
    await house.close();
    await configs[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const { id, secret } = TEST_ADMIN;
  const s3 = (key: string): BackendAttributes => ({ bucket: 'acme', key, use_path_style: 'true' });
  const DOORS: Readonly<Record<string, Door>> = {
    http: {
      type: 'http',
      attributes: (key) => ({
        address: `${house.url}/http/acme/${key}`,
        lock_address: `${house.url}/http/acme/${key}`,
        unlock_address: `${house.url}/http/acme/${key}`,
        username: id,
        password: secret,
        skip_cert_verification: 'true',
      }),
    },
    s3: { type: 's3', attributes: (key) => ({ ...s3(key), use_lockfile: 'true' }) },
    dynamodb: { type: 's3', attributes: (key) => ({ ...s3(key), dynamodb_table: 'terraform-locks' }) },
    gcs: {
      type: 'gcs',
      attributes: (key) => ({
        bucket: 'acme',
        prefix: key,
        storage_custom_endpoint: `${house.url}/storage/v1/`,
        access_token: `${id}.${secret}`,
      }),
    },
    azurerm: {
      type: 'azurerm',
      attributes: (key) => ({
        storage_account_name: id.toLowerCase(),
        container_name: 'acme',
        key,
        metadata_host: new URL(house.url).host,
        access_key: secret,
      }),
    },
    consul: {
      type: 'consul',
      attributes: (key) => ({
        address: new URL(house.url).host,
        scheme: 'https',
        path: `acme/${key}`,
        access_token: `${id}.${secret}`,
      }),
    },
    cloud: {
      type: 'cloud',
      attributes: (key) => ({ hostname: HOSTNAME, organization: 'acme', workspaces: { name: key } }),
    },
  };
  const names = Object.keys(DOORS);
  const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));

  it.each(pairs)('from %s to %s: bytes, serial and lineage stay, and no lock', async (from, to) => {
    const key = (name: string): string => `${from}-${to}-${name}`;
    const [source, target] = [DOORS[from]!, DOORS[to]!];
    const [before, after] = [source.attributes(key('a')), target.attributes(key('b'))];
    // A number above 2^53 and a final newline go as they came.
    const body = `${sampleState(7).replace('{', '{ "big": 9007199254740993,')}\n`;
    const [a, b] = await Promise.all([
      openClient({ type: source.type, attributes: before, folder, env }),
      openClient({ type: target.type, attributes: after, folder, env }),
    ]);
    await a.write('default', Buffer.from(body), null);
    const always = ['--json', '--chdir', folder, '--only', 'default'];
    const ways = ['--backend', source.type, '--to', target.type];
    const said = await runStatehouse(
      [
        'migrate',
        ...always,
        ...ways,
        ...options('--backend-config', before),
        ...options('--to-config', after),
      ],
      { env, cwd: folder },
    );
    expect(said.code, said.err).toBe(0);
    for (const client of [a, b]) {
      expect(Buffer.from((await client.read('default')) ?? []).toString()).toBe(body);
      expect((await client.inspectLock('default')).type).toBe('free');
      await client.close();
    }
    const { head } = (await house.engine.world({ project: 'acme', key: key('b'), workspace: 'default' }))
      .record;
    const { head: former } = (
      await house.engine.world({ project: 'acme', key: key('a'), workspace: 'default' })
    ).record;
    expect(head).toMatchObject({ serial: 7n, lineage: former?.lineage });
  });
});

/** As the command line takes them. */
function options(name: string, attributes: BackendAttributes): readonly string[] {
  return Object.entries(attributes).flatMap(([field, value]) => [
    name,
    `${field}=${typeof value === 'string' ? value : `{name="${(value as { name: string }).name}"}`}`,
  ]);
}
