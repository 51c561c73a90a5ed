import { join } from 'node:path';
import { AzuritePlace } from '../test/clients/fixtures/azurite-place.ts';
import { azurermBlock, reachThrough, STATE_NAME } from '../test/e2e/fixtures/azurerm-folder.ts';
import { consulBackend, consulLogin } from '../test/e2e/fixtures/consul-folder.ts';
import { gcsBackend, gcsLogin } from '../test/e2e/fixtures/gcs-folder.ts';
import { findAzurite } from '../test/support/azurite.ts';
import { ConnectProxy } from '../test/support/connect-proxy.ts';
import { ConsulAgent, findConsul } from '../test/support/consul-agent.ts';
import { FakeGcsServer, findFakeGcs } from '../test/support/fake-gcs-server.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { findTerraform } from '../test/support/terraform.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { crowdsAt, crowdTable, type Crowd, type QueueEntry } from './contention.ts';
import { progress, type Section } from './section.ts';

const CROWDS = [8] as const;
const PATH = 'bench/contention';
const TEXT = `The same applies as in \`contention\`, 8 at a time, by the backends gcs, azurerm and consul: at the server, and at fake-gcs-server, Azurite
and a Consul (\`-dev\`), which keep everything in memory. Target for the server: at most 1.15 times N alone.`;

/** (m) Real applies that want one lock, at the doors for Google, Azure and Consul, and at what others made of these. */
export async function clouds(): Promise<Section> {
  const terraform = await findTerraform();
  if (terraform === null) throw new Error('terraform is not on PATH');
  const results: Crowd[] = [];
  for (const open of [openGcs, openAzurerm, openConsul, openFakeGcs, openAzurite, openConsulAgent]) {
    await using place = await open();
    if (place === null) progress(`clouds: not measured, because it was not found: ${open.name}`);
    else results.push(...(await crowdsAt(terraform, place, CROWDS)));
  }
  return {
    name: 'clouds',
    title: 'Applies that want one lock, at gcs, azurerm and consul',
    text: TEXT,
    table: crowdTable(results),
  };
}

async function openGcs(): Promise<QueueEntry> {
  const house = await HouseProcess.start();
  return {
    name: 'Statehouse, gcs',
    backend: gcsBackend({ url: house.url, path: PATH }),
    env: gcsLogin(),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

async function openConsul(): Promise<QueueEntry> {
  const house = await HouseProcess.start();
  return {
    name: 'Statehouse, consul',
    backend: consulBackend({ url: house.url, path: PATH }),
    env: consulLogin(),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

async function openAzurerm(): Promise<QueueEntry> {
  const house = await HouseProcess.start({ flags: ['--tls-self-signed', `--domain=${STATE_NAME}`] });
  const proxy = await ConnectProxy.open(house.url);
  const account = TEST_ADMIN.id.toLowerCase();
  return {
    name: 'Statehouse, azurerm',
    backend: azurermBlock(`${STATE_NAME}:${house.port}`, PATH, { account, lines: [] }),
    env: {
      ...reachThrough(proxy, join(house.directory, 'tls-cert.pem')),
      ARM_ACCESS_KEY: TEST_ADMIN.secret,
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await house[Symbol.asyncDispose]();
    },
  };
}

async function openFakeGcs(): Promise<QueueEntry | null> {
  const program = await findFakeGcs();
  if (program === null) return null;
  const server = await FakeGcsServer.start(program);
  await server.makeBucket('bench', false);
  return {
    name: 'fake-gcs-server',
    backend: gcsBackend({ url: server.url, path: PATH }),
    env: { GOOGLE_OAUTH_ACCESS_TOKEN: 'any' },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function openAzurite(): Promise<QueueEntry | null> {
  const program = await findAzurite();
  if (program === null) return null;
  const place = await AzuritePlace.start(program);
  const lines = Object.entries(place.attributes('contention')).map(
    ([name, value]) => `    ${name} = ${value === 'true' ? value : JSON.stringify(value)}\n`,
  );
  return {
    name: 'Azurite',
    backend: `terraform {\n  backend "azurerm" {\n${lines.join('')}  }\n}\n`,
    env: { ...place.env, ARM_SAS_TOKEN: place.sas },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

async function openConsulAgent(): Promise<QueueEntry | null> {
  const program = await findConsul();
  if (program === null) return null;
  const agent = await ConsulAgent.start(program);
  return {
    name: 'Consul, `-dev`',
    backend: consulBackend({ url: `http://${agent.address}`, path: PATH }),
    env: {},
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}
