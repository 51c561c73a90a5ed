import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateText } from '../../src/contract/client-contract.ts';
import type { HeldLock, StateClient } from '../../src/ports/state-client.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { readAzurermConfig } from '../../src/protocols/azurerm/client/config.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { LossyProxy } from '../e2e/fixtures/lossy-proxy.ts';
import { AzureCloud } from '../support/azure-cloud.ts';
import { AZURITE_KEY, findAzurite } from '../support/azurite.ts';
import { AzuritePlace } from './fixtures/azurite-place.ts';

const AT_ONCE = { milliseconds: 0, signal: null };
const PLACE = { storage_account_name: 'account', container_name: 'states', key: 'net.tfstate' };
const SUBSCRIPTION = { subscription_id: 's', resource_group_name: 'g' };

describe('the azurerm configuration', () => {
  const read = (attributes: BackendAttributes, env: Record<string, string> = {}, noExternal = false) =>
    readAzurermConfig({ ...PLACE, ...attributes }, { env, folder: '/', noExternal });

  it('is read with its defaults, and from the environment', () => {
    expect(read({})).toMatchObject({
      account: 'account',
      container: 'states',
      key: 'net.tfstate',
      snapshot: false,
      cloud: { name: 'public' },
      lookup: false,
      login: { type: 'listed-key' },
      identity: { secret: null, oidc: null, msi: null, cli: true },
    });
    const env = {
      ARM_ACCESS_KEY: AZURITE_KEY,
      ARM_SNAPSHOT: 'true',
      ARM_METADATA_HOST: 'azure.example:8443',
      ARM_USE_OIDC: 'true',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://pipeline/',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'r',
      ARM_USE_CLI: 'false',
      ARM_USE_MSI: 'true',
    };
    expect(read({}, env)).toMatchObject({
      snapshot: true,
      cloud: { metadataHost: 'azure.example:8443' },
      login: { type: 'key', key: AZURITE_KEY },
      identity: { oidc: { token: null, request: { url: 'https://pipeline/', token: 'r' } }, cli: false },
    });
    expect(read({ sas_token: '?sv=1&sig=x' }, env).login).toEqual({ type: 'sas', token: 'sv=1&sig=x' });
    expect(read({ use_azuread_auth: true }).login).toEqual({ type: 'token' });
    expect(read({}, {}, true).identity.cli).toBe(false);
  });

  it('is refused where it cannot be meant, and shows no secret', () => {
    const bad: readonly (readonly [BackendAttributes, string])[] = [
      [{ key: '' }, 'needs "key"'],
      [{ storage_account_name: 'evil.example/' }, 'small letters and digits'],
      [{ metadata_host: 'no host' }, 'is not the name of a host'],
      [{ access_key: 'no base64!' }, 'access_key is not base64'],
      [{ client_secret_file_path: '/no/such/file' }, 'cannot be read'],
    ];
    for (const [attributes, why] of bad) expect(() => read(attributes)).toThrow(why);
    expect(() => read({ client_secret_file_path: '/dev/null' }, {}, true)).toThrow('--no-external');
    expect(() => read({ access_key: 'no base64!' })).not.toThrow('no base64!');
  });
});

describe('the identity of azurerm', () => {
  let cloud: AzureCloud;
  beforeAll(async () => {
    cloud = await AzureCloud.start({ blob: null, key: AZURITE_KEY });
  });
  afterAll(() => cloud[Symbol.asyncDispose]());

  /** Reads a state that is not there, with a key that a token is needed for. */
  const read = async (more: BackendAttributes): Promise<Uint8Array | null> => {
    const attributes = { ...PLACE, ...SUBSCRIPTION, metadata_host: cloud.host, use_cli: false, ...more };
    const env = { SSL_CERT_FILE: cloud.certPath };
    const client = await openClient({ type: 'azurerm', attributes, folder: '/', env });
    return client.read('default');
  };
  const faultOf = (more: BackendAttributes): Promise<Error> =>
    read(more).then(
      () => expect.fail('it was read'),
      (fault: unknown) => fault as Error,
    );
  const keys = (): number => cloud.asked.filter(({ path }) => path.endsWith('/listKeys')).length;

  it.each<readonly [string, BackendAttributes]>([
    ['a client secret', { tenant_id: 't', client_id: 'c', client_secret: 'secret' }],
    ['a token of OIDC', { tenant_id: 't', client_id: 'c', use_oidc: true, oidc_token: 'of the pipeline' }],
  ])('is proven by %s', async (_, more) => {
    const before = keys();
    expect(await read(more)).toBeNull();
    expect(keys()).toBe(before + 1);
  });

  it('is proven by the token of a pipeline, and of a managed identity', async () => {
    const before = keys();
    const asks = { oidc_request_url: `https://${cloud.host}/pipeline`, oidc_request_token: 'r' };
    expect(await read({ tenant_id: 't', client_id: 'c', use_oidc: true, ...asks })).toBeNull();
    expect(cloud.asked.find(({ path }) => path === '/pipeline')).toMatchObject({
      query: { audience: 'api://AzureADTokenExchange' },
      headers: { authorization: 'Bearer r' },
    });
    expect(await read({ use_msi: true, msi_endpoint: `https://${cloud.host}/identity` })).toBeNull();
    expect(cloud.asked.find(({ path }) => path === '/identity')).toMatchObject({
      query: { 'api-version': '2018-02-01', resource: `https://${cloud.host}/` },
      headers: { metadata: 'true' },
    });
    expect(keys()).toBe(before + 2);
  });

  it('is refused with words that have no secret in them', async () => {
    const wrong = await faultOf({ tenant_id: 't', client_id: 'c', client_secret: 'wrong-secret' });
    expect(wrong).toMatchObject({ kind: 'denied' });
    expect(wrong.message).toContain('HTTP 401, invalid_client');
    expect(JSON.stringify([wrong.message, String(wrong.cause)])).not.toContain('wrong-secret');
    expect((await faultOf({})).message).toContain('there are no Azure credentials');
    const certificate = await faultOf({ tenant_id: 't', client_id: 'c', client_certificate_path: 'x' });
    expect(certificate.message).toContain('client certificate, which is not supported');
    expect((await faultOf({ subscription_id: '' })).message).toContain('no credential for blobs');
    const open = { use_msi: true, msi_endpoint: 'http://identity.example/token' };
    expect((await faultOf(open)).message).toContain('without encryption');
  });
});

const azurite = await findAzurite();
describe.skipIf(azurite === null)('states in Azure (skipped unless azurite-blob is on PATH)', () => {
  let place: AzuritePlace;
  beforeAll(async () => {
    place = await AzuritePlace.start(azurite!);
  }, 60_000);
  afterAll(() => place[Symbol.asyncDispose]());

  const newKey = (): string => `net/${randomUUID().slice(0, 8)}`;
  const openAt = (key: string, more: BackendAttributes = {}, at: AzuritePlace['cloud'] = place.cloud) => {
    const attributes = { ...place.attributes(key), metadata_host: at.host, ...more };
    const env = { ...place.env, SSL_CERT_FILE: at.certPath };
    return openClient({ type: 'azurerm', attributes, folder: '/', env });
  };
  const take = async (client: StateClient): Promise<HeldLock> => {
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type !== 'locked') throw new Error(`it is not free: ${attempt.message}`);
    return attempt.lock;
  };

  it('are written, locked and released once, though the answers are lost', async () => {
    await using proxy = await LossyProxy.open(new URL(place.azurite.endpoint).origin);
    const path = new URL(place.azurite.endpoint).pathname;
    await using cloud = await AzureCloud.start({ blob: proxy.url + path, key: AZURITE_KEY });
    const client = await openAt(newKey(), { snapshot: true }, cloud);
    await client.write('default', stateText(1, 'l'), null);
    const lose = (part: string, action?: string): void =>
      proxy.loseOne({
        half: 'answer',
        matches: ({ method, target, rawHeaders }) =>
          method === 'PUT' &&
          target.includes(part) &&
          (action === undefined || rawHeaders.includes(action)) &&
          (part !== 'net' || !target.includes('comp=')),
      });
    lose('comp=lease', 'acquire');
    const lock = await take(client);
    lose('net');
    await client.write('default', stateText(2, 'l'), lock);
    expect(await client.read('default')).toEqual(Buffer.from(stateText(2, 'l')));
    lose('comp=metadata');
    expect(await lock.release()).toEqual({ type: 'released' });
    const second = await take(client);
    lose('comp=lease', 'release');
    expect(await second.release()).toEqual({ type: 'released' });
    expect(await client.inspectLock('default')).toEqual({ type: 'free' });
    expect(proxy.lost).toBe(4);
  }, 30_000);

  it('are written by the holder of the lock alone, and never over what another wrote', async () => {
    const key = newKey();
    const [mine, other] = [await openAt(key), await openAt(key)];
    const lock = await take(mine);
    await mine.write('default', stateText(1, 'l'), lock);
    await expect(other.write('default', stateText(2, 'l'), null)).rejects.toMatchObject({ kind: 'refused' });
    expect(await other.breakLock('default', lock.id)).toEqual({ type: 'broken' });
    await other.write('default', stateText(3, 'l'), null);
    await expect(mine.write('default', stateText(2, 'l'), lock)).rejects.toMatchObject({ kind: 'refused' });
    expect(await mine.read('default')).toEqual(Buffer.from(stateText(3, 'l')));
    expect(await lock.release()).toMatchObject({ type: 'lost' });
  });

  it("are worked on under a lock of one's own that stayed", async () => {
    const key = newKey();
    const [mine, other] = [await openAt(key), await openAt(key)];
    const { id } = await take(mine);
    const again = await other.lock('default', { ...makeLockRequest('push', '0'), id }, AT_ONCE);
    if (again.type !== 'locked') throw new Error(again.message);
    await other.write('default', stateText(1, 'l'), again.lock);
    expect(await again.lock.release()).toEqual({ type: 'released' });
  });

  it('come free of a lease that tells of no holder, by the ID that is shown for it', async () => {
    const key = newKey();
    const client = await openAt(key);
    await client.write('default', stateText(1, 'l'), null);
    const lease = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1' };
    await place.ask('PUT', `states/${key}?comp=lease`, lease);
    const seen = await client.inspectLock('default');
    if (seen.type !== 'unreadable') throw new Error(seen.type);
    const found = await client.examine();
    expect(found).toContainEqual(expect.objectContaining({ level: 'problem', topic: 'lease' }));
    const [, id = ''] = /force-unlock (\S+)"/.exec(seen.message) ?? [];
    expect(await client.breakLock('default', '0x0')).toEqual({ type: 'other-id', holder: null });
    expect(await client.breakLock('default', id)).toEqual({ type: 'broken' });
    await (await take(client)).release();
  });

  it('leave no lease behind when somebody stops asking for it', async () => {
    const client = await openAt(newKey());
    await client.write('default', stateText(1, 'l'), null);
    const stop = new AbortController();
    const asking = client.lock('default', makeLockRequest('test', '0'), {
      milliseconds: 0,
      signal: stop.signal,
    });
    stop.abort();
    await expect(asking).rejects.toThrow();
    expect(await client.inspectLock('default')).toEqual({ type: 'free' });
  });

  it('have a history of their snapshots', async () => {
    const key = newKey();
    const client = await openAt(key, { snapshot: true });
    for (const serial of [1, 2, 3]) await client.write('default', stateText(serial, 'l'), null);
    const versions = (await client.history?.list('default', 9)) ?? [];
    const states = await Promise.all(versions.map(({ id }) => client.history?.read('default', id)));
    const serials = states.map(
      (bytes) => (JSON.parse(String(Buffer.from(bytes ?? []))) as { serial: number }).serial,
    );
    expect(serials.toSorted()).toEqual([1, 2, 3]);
    expect(await client.history?.read('default', '../../else')).toBeNull();
    expect((await client.examine()).map(({ topic }) => topic)).toContain('public access');
  });

  it('say what is missing, and what does not let them in', async () => {
    const client = await openAt(newKey(), { container_name: 'nowhere' });
    await expect(client.read('default')).rejects.toThrow('there is no container "nowhere"');
    const expired = place.sas.replace(/se=[^&]*/, 'se=2020-01-01T00%3A00%3A00Z');
    const late = await openAt(newKey(), { sas_token: expired });
    const fault = await late.read('default').catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'denied' });
    expect(String(fault)).not.toContain(new URLSearchParams(expired).get('sig'));
  });
});
