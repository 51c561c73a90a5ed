import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { clientContract } from '../../src/contract/client-contract.ts';
import { CloudConfigs, HOSTNAME } from '../e2e/fixtures/cloud-folder.ts';
import { AzurermHouse } from '../e2e/fixtures/azurerm-folder.ts';
import { AZURITE_KEY, findAzurite } from '../support/azurite.ts';
import { ConsulAgent, findConsul } from '../support/consul-agent.ts';
import { FakeGcsServer, findFakeGcs } from '../support/fake-gcs-server.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { AzuritePlace } from './fixtures/azurite-place.ts';
import { makeBucket, makeLockTable } from './fixtures/moto.ts';
import { PlainHttpBackend } from './fixtures/plain-http-backend.ts';

clientContract('local', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'statehouse-local-'));
  return {
    open: () => openClient({ type: 'local', attributes: {}, folder, env: {} }),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
});

clientContract('http on a plain server', async () => {
  const server = await PlainHttpBackend.start();
  const address = `${server.url}/state/{workspace}`;
  const attributes = { address, lock_address: address, unlock_address: address };
  return {
    open: () => openClient({ type: 'http', attributes, folder: '/', env: {} }),
    dispose: () => server.close(),
  };
});

clientContract('http on a house', async () => {
  const house = await TestHouse.open();
  const address = `${house.url}/http/acme/contract-${randomUUID()}`;
  const attributes = {
    address,
    lock_address: address,
    unlock_address: address,
    username: TEST_ADMIN.id,
    password: TEST_ADMIN.secret,
  };
  return {
    open: () => openClient({ type: 'http', attributes, folder: '/', env: {} }),
    dispose: () => house.close(),
  };
});

clientContract('gcs on a house', async () => {
  const house = await TestHouse.open();
  const attributes = {
    bucket: 'acme',
    prefix: `contract-${randomUUID()}`,
    storage_custom_endpoint: `${house.url}/storage/v1/`,
    access_token: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  };
  return {
    open: () => openClient({ type: 'gcs', attributes, folder: '/', env: {} }),
    dispose: () => house.close(),
  };
});

for (const variant of ['a key', 'a token'] as const) {
  clientContract(`azurerm on a house by ${variant}`, async () => {
    const house = await AzurermHouse.open();
    const attributes = {
      storage_account_name: TEST_ADMIN.id.toLowerCase(),
      container_name: 'acme',
      key: `contract-${randomUUID()}`,
      metadata_host: new URL(house.house.url).host,
      ...(variant === 'a key'
        ? { access_key: TEST_ADMIN.secret }
        : {
            use_azuread_auth: true,
            tenant_id: 'adfs',
            client_id: TEST_ADMIN.id,
            client_secret: TEST_ADMIN.secret,
          }),
    };
    const env = { SSL_CERT_FILE: house.house.certPath ?? '' };
    return {
      open: () => openClient({ type: 'azurerm', attributes, folder: '/', env }),
      dispose: () => house[Symbol.asyncDispose](),
    };
  });
}

clientContract('consul on a house', async () => {
  const house = await TestHouse.open();
  const attributes = {
    address: new URL(house.url).host,
    path: `acme/contract-${randomUUID()}`,
    access_token: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
  };
  return {
    open: () => openClient({ type: 'consul', attributes, folder: '/', env: {} }),
    dispose: () => house.close(),
  };
});

for (const block of ['cloud', 'remote'] as const) {
  const unique = (): string => randomUUID().slice(0, 8);
  const choices: Readonly<Record<string, () => BackendAttributes>> = {
    'a name': () => ({ name: `net-${unique()}` }),
    ...(block === 'cloud'
      ? {
          tags: () => ({ tags: ['web', unique()] }),
          'tags with values': () => ({ tags: { layer: 'net', of: unique() } }),
        }
      : { 'a prefix': () => ({ prefix: `net-${unique()}-` }) }),
  };
  for (const [choice, workspaces] of Object.entries(choices)) {
    clientContract(`${block} by ${choice} on a house`, async () => {
      const [house, configs] = [await TestHouse.open(), await CloudConfigs.make()];
      const env = await configs.env(house.url, `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`);
      const attributes = { hostname: HOSTNAME, organization: 'acme', workspaces: [workspaces()] };
      return {
        open: () => openClient({ type: block, attributes, folder: '/', env }),
        dispose: async () => {
          await house.close();
          await configs[Symbol.asyncDispose]();
        },
      };
    });
  }
}

const consul = await findConsul();
describe.skipIf(consul === null)('on Consul (skipped unless it is on PATH)', () => {
  const variants = { plain: {}, 'as gzip, with a slash at its end': { gzip: true, path: 'net/app/' } };
  for (const [variant, more] of Object.entries(variants)) {
    clientContract(`consul ${variant}`, async () => {
      const agent = await ConsulAgent.start(consul!);
      const attributes = { address: agent.address, path: 'net/app', ...more };
      return {
        open: () => openClient({ type: 'consul', attributes, folder: '/', env: {} }),
        dispose: () => agent[Symbol.asyncDispose](),
      };
    });
  }
});

const azurite = await findAzurite();
describe.skipIf(azurite === null)('on Azurite (skipped unless azurite-blob is on PATH)', () => {
  const variants = {
    'with its key': { access_key: AZURITE_KEY },
    'with a key that is listed, and snapshots': {
      tenant_id: 't',
      client_id: 'c',
      client_secret: 'secret',
      snapshot: true,
    },
  };
  for (const [variant, more] of Object.entries(variants)) {
    clientContract(`azurerm ${variant}`, async () => {
      const place = await AzuritePlace.start(azurite!);
      return {
        open: () =>
          openClient({
            type: 'azurerm',
            attributes: { ...place.attributes('net/app.tfstate'), ...more },
            folder: '/',
            env: place.env,
          }),
        dispose: () => place[Symbol.asyncDispose](),
      };
    });
  }
});

const fakeGcs = await findFakeGcs();
describe.skipIf(fakeGcs === null)('on fake-gcs-server (skipped unless it is on PATH)', () => {
  for (const prefix of ['net/app', '']) {
    clientContract(`gcs with the prefix "${prefix}"`, async () => {
      const server = await FakeGcsServer.start(fakeGcs!);
      await server.makeBucket('states', true);
      const attributes = {
        bucket: 'states',
        prefix,
        storage_custom_endpoint: server.endpoint,
        access_token: 'any',
      };
      return {
        open: () => openClient({ type: 'gcs', attributes, folder: '/', env: {} }),
        dispose: () => server[Symbol.asyncDispose](),
      };
    });
  }
});

const moto = await findMoto();
describe.skipIf(moto === null)('on moto (skipped unless moto_server is on PATH)', () => {
  const variants = {
    'lock objects': { use_lockfile: true },
    'a lock table': { dynamodb_table: 'locks' },
    'both locks': {
      use_lockfile: true,
      dynamodb_table: 'locks',
      encrypt: true,
      workspace_key_prefix: 'spaces',
    },
  };
  for (const [variant, attributes] of Object.entries(variants)) {
    clientContract(`s3 with ${variant}`, async () => {
      const server = await MotoServer.start(moto!);
      await makeBucket(server, 'states');
      await makeLockTable(server, 'locks');
      const all = {
        bucket: 'states',
        key: 'net/terraform.tfstate',
        region: 'us-east-1',
        use_path_style: true,
        endpoints: { s3: server.url, dynamodb: server.url, sts: server.url },
        access_key: 'testing',
        secret_key: 'testing',
        ...attributes,
      };
      return {
        open: () => openClient({ type: 's3', attributes: all, folder: '/', env: {} }),
        dispose: () => server[Symbol.asyncDispose](),
      };
    });
  }
});

const postgres = await findPostgres();
describe.skipIf(postgres === null)('on PostgreSQL (skipped unless postgres is on PATH)', () => {
  clientContract('pg', async () => {
    const server = await PostgresServer.start(postgres!);
    const database = await server.createDatabase();
    const url = new URL(server.url(database));
    url.searchParams.set('sslmode', 'disable');
    return {
      open: () => openClient({ type: 'pg', attributes: { conn_str: url.href }, folder: '/', env: {} }),
      dispose: () => server[Symbol.asyncDispose](),
    };
  });
});
