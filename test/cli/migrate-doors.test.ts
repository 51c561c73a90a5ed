import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../../src/protocols/backends.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

type Attributes = Readonly<Record<string, string>>;

describe('states that move from one door to another', () => {
  let house: TestHouse;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'statehouse-doors-'));
    const store = { kind: 'directory', path: folder } as const;
    house = await TestHouse.open({ store, tls: { kind: 'self-signed' } });
    const { id, secret } = TEST_ADMIN;
    env = {
      SSL_CERT_FILE: house.certPath ?? '',
      CONSUL_CACERT: house.certPath ?? '',
      AWS_CA_BUNDLE: house.certPath ?? '',
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: house.url,
    };
  });
  afterAll(async () => {
    await house.close();
    await rm(folder, { recursive: true, force: true });
  });

  const { id, secret } = TEST_ADMIN;
  const DOORS: Readonly<Record<string, (key: string) => Attributes>> = {
    http: (key) => ({
      address: `${house.url}/http/acme/${key}`,
      lock_address: `${house.url}/http/acme/${key}`,
      unlock_address: `${house.url}/http/acme/${key}`,
      username: id,
      password: secret,
      skip_cert_verification: 'true',
    }),
    s3: (key) => ({ bucket: 'acme', key, use_lockfile: 'true', use_path_style: 'true' }),
    gcs: (key) => ({
      bucket: 'acme',
      prefix: key,
      storage_custom_endpoint: `${house.url}/storage/v1/`,
      access_token: `${id}.${secret}`,
    }),
    azurerm: (key) => ({
      storage_account_name: id.toLowerCase(),
      container_name: 'acme',
      key,
      metadata_host: new URL(house.url).host,
      access_key: secret,
    }),
    consul: (key) => ({
      address: new URL(house.url).host,
      scheme: 'https',
      path: `acme/${key}`,
      access_token: `${id}.${secret}`,
    }),
  };
  const names = Object.keys(DOORS);
  const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to] as const));

  it.each(pairs)('from %s to %s: bytes, serial and lineage stay, and no lock', async (from, to) => {
    const key = (name: string): string => `${from}-${to}-${name}`;
    const at = (name: string, which: string): Attributes => DOORS[name]?.(key(which)) ?? {};
    // A number above 2^53 and a final newline go as they came.
    const body = `${sampleState(7).replace('{', '{ "big": 9007199254740993,')}\n`;
    const [a, b] = await Promise.all([
      openClient({ type: from, attributes: at(from, 'a'), folder, env }),
      openClient({ type: to, attributes: at(to, 'b'), folder, env }),
    ]);
    await a.write('default', Buffer.from(body), null);
    const options = (name: string, attributes: Attributes): readonly string[] =>
      Object.entries(attributes).flatMap(([field, value]) => [name, `${field}=${value}`]);
    const always = ['--json', '--chdir', folder, '--backend', from, '--to', to, '--only', 'default'];
    const said = await runStatehouse(
      [
        'migrate',
        ...always,
        ...options('--backend-config', at(from, 'a')),
        ...options('--to-config', at(to, 'b')),
      ],
      { env, cwd: folder },
    );
    expect(said).toMatchObject({ code: 0 });
    for (const client of [a, b]) {
      expect(Buffer.from((await client.read('default')) ?? []).toString()).toBe(body);
      expect((await client.inspectLock('default')).type).toBe('free');
      await client.close();
    }
    const { head } = (await house.engine.world({ project: 'acme', key: key('b'), workspace: 'default' }))
      .record;
    const { head: before } = (
      await house.engine.world({ project: 'acme', key: key('a'), workspace: 'default' })
    ).record;
    expect(head).toMatchObject({ serial: 7n, lineage: before?.lineage });
  });
});
