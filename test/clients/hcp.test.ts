import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stateText } from '../../src/contract/client-contract.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { readHcpConfig } from '../../src/protocols/hcp/client/config.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { CloudConfigs, HOSTNAME } from '../e2e/fixtures/cloud-folder.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const AT_ONCE = { milliseconds: 0, signal: null };
const NAMED = { organization: 'acme', workspaces: [{ name: 'net' }] };

describe('the configuration of cloud and remote', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'statehouse-home-'));
    await mkdir(join(home, '.terraform.d'));
  });
  afterAll(() => rm(home, { recursive: true }));
  const read = (
    attributes: BackendAttributes,
    env: Record<string, string> = {},
    block: 'cloud' | 'remote' = 'cloud',
  ) => readHcpConfig(block, { ...NAMED, ...attributes }, { HOME: home, ...env });

  it('takes the token of a variable before that of a file, and that of the block before both', async () => {
    expect((await read({})).token).toBe(null);
    const login = {
      credentials: { 'state.example.com': { token: 'of login' }, 'APP.terraform.io': { token: 'of hcp' } },
    };
    await writeFile(join(home, '.terraform.d', 'credentials.tfrc.json'), JSON.stringify(login));
    expect((await read({})).token).toBe('of hcp');
    const other = { hostname: 'state.example.com' };
    expect((await read(other)).token).toBe('of login');
    await writeFile(
      join(home, '.terraformrc'),
      'plugin_cache_dir = "/x"\ncredentials "state.example.com" {\n  token = "of a file"\n}\nhost "state.example.com" {\n  services = {\n    "tfe.v2" = "http://127.0.0.1:1/api/v2/"\n  }\n}\n',
    );
    expect(await read(other)).toMatchObject({ token: 'of a file', api: 'http://127.0.0.1:1/api/v2/' });
    expect((await read({ hostname: 'state.example.com:443' })).token).toBe('of a file');
    expect((await read({ hostname: 'state.example.com:8443' })).token).toBe(null);
    const variable = { TF_TOKEN_state_example_com: 'of a variable' };
    expect((await read(other, variable)).token).toBe('of a variable');
    expect((await read({ ...other, token: 'of the block' }, variable)).token).toBe('of the block');
    expect(
      (await read({ hostname: 'my-state.example.com' }, { TF_TOKEN_my__state_example_com: 't' })).token,
    ).toBe('t');
    // As terraform does it: a file that is named outright is the only one.
    expect((await read(other, { TF_CLI_CONFIG_FILE: '/dev/null' })).token).toBe(null);
  });

  it('chooses workspaces as the two blocks do', async () => {
    expect((await read({})).workspaces).toEqual({ by: 'name', name: 'net' });
    expect((await read({ workspaces: [{ tags: ['a', 'b'] }] })).workspaces).toEqual({
      by: 'tags',
      tags: [
        ['a', ''],
        ['b', ''],
      ],
      project: null,
    });
    expect((await read({ workspaces: { tags: { layer: 'net' }, project: 'p' } })).workspaces).toEqual({
      by: 'tags',
      tags: [['layer', 'net']],
      project: 'p',
    });
    expect((await read({ workspaces: [] }, { TF_WORKSPACE: 'dev' })).workspaces).toEqual({
      by: 'name',
      name: 'dev',
    });
    expect((await read({ workspaces: [{ prefix: 'net-' }] }, {}, 'remote')).workspaces).toEqual({
      by: 'prefix',
      prefix: 'net-',
    });
    const cloud = { TF_CLOUD_ORGANIZATION: 'other', TF_CLOUD_HOSTNAME: 'tfe.example.com' };
    expect(await read({ organization: null }, cloud)).toMatchObject({
      organization: 'other',
      hostname: 'tfe.example.com',
    });
  });

  it('is refused where it cannot be meant', async () => {
    const bad: readonly (readonly [BackendAttributes, 'cloud' | 'remote', string])[] = [
      [{ hostname: 'http://x/' }, 'cloud', 'is not the name of a host'],
      [{ organization: '' }, 'cloud', 'needs "organization"'],
      [{ workspaces: [] }, 'cloud', 'neither a name nor tags'],
      [{ workspaces: [{ name: 'a', tags: ['b'] }] }, 'cloud', 'not both'],
      [{ workspaces: [{ name: 'a', prefix: 'b' }] }, 'remote', 'a name or a prefix'],
    ];
    for (const [attributes, block, why] of bad)
      await expect(read(attributes, {}, block)).rejects.toThrow(why);
    await writeFile(join(home, 'bad.tfrc'), 'credentials "x" {\n token = "secret');
    const faulty = read({}, { TF_CLI_CONFIG_FILE: join(home, 'bad.tfrc') });
    await expect(faulty).rejects.toThrow('is not valid');
    await expect(faulty).rejects.not.toThrow('secret');
  });
});

/** An HCP of one workspace that is no Statehouse: no lock info, no lock IDs, and states that take a while. */
class PlainHcp {
  readonly asked: { readonly line: string; readonly token: string; readonly body: string }[] = [];
  lockedBy: 'users' | 'runs' | null = null;
  reason = '';
  state: Buffer | null = null;
  pending = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const path = (request.url ?? '').replace(/\?.*/, '');
        const line = `${request.method} ${path}`;
        this.asked.push({ line, token: request.headers.authorization ?? '', body: body.toString() });
        const [status, answer] = this.#answer(line, body);
        response.writeHead(status).end(answer instanceof Buffer ? answer : JSON.stringify(answer));
      });
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  #answer(line: string, body: Buffer): readonly [number, unknown] {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const taken = (title: string): readonly [number, unknown] => [
      409,
      { errors: [{ status: '409', title }] },
    ];
    switch (line) {
      case 'GET /api/v2/organizations/acme/workspaces/net':
        return [200, this.#workspace()];
      case 'GET /api/v2/organizations/acme/entitlement-set':
        return [200, { data: {} }];
      case 'POST /api/v2/workspaces/ws-1/actions/lock':
        if (this.lockedBy !== null) return taken('Unable to lock workspace. Workspace is already locked.');
        this.lockedBy = 'users';
        this.reason = String(
          (JSON.parse(body.toString()) as { data: { attributes: { reason: string } } }).data.attributes
            .reason,
        );
        return [200, this.#workspace()];
      case 'POST /api/v2/workspaces/ws-1/actions/unlock':
        if (this.pending > 0) {
          this.pending -= 1;
          return [422, { errors: [{ status: '422', title: 'latest state version is still pending' }] }];
        }
        if (this.lockedBy === null) return taken('Unable to unlock workspace. Already unlocked.');
        this.lockedBy = null;
        return [200, this.#workspace()];
      case 'POST /api/v2/workspaces/ws-1/actions/force-unlock':
        if (this.lockedBy === 'runs')
          return taken('Unable to unlock workspace. Workspace is locked by Run run-1.');
        this.lockedBy = null;
        return [200, this.#workspace()];
      case 'POST /api/v2/workspaces/ws-1/state-versions':
        return [
          201,
          { data: { id: 'sv-2', attributes: { 'hosted-state-upload-url': `${url}/archivist/up` } } },
        ];
      case 'PUT /archivist/up':
        this.state = body;
        return [200, {}];
      case 'GET /api/v2/state-versions/sv-2':
        return [200, { data: { id: 'sv-2', attributes: { status: 'finalized' } } }];
      case 'GET /api/v2/workspaces/ws-1/current-state-version':
        return this.state === null
          ? [404, {}]
          : [
              200,
              { data: { id: 'sv-2', attributes: { 'hosted-state-download-url': `${url}/archivist/down` } } },
            ];
      case 'GET /archivist/down':
        return [200, this.state];
      default:
        return [404, {}];
    }
  }

  #workspace(): object {
    return {
      data: {
        id: 'ws-1',
        attributes: {
          name: 'net',
          locked: this.lockedBy !== null,
          'locked-reason': this.reason,
          'execution-mode': 'remote',
          permissions: { 'can-read-state-versions': true },
        },
        relationships: {
          'locked-by': {
            data:
              this.lockedBy === null
                ? null
                : { id: this.lockedBy === 'runs' ? 'run-1' : 'user-1', type: this.lockedBy },
          },
        },
      },
      included: [{ id: 'user-1', type: 'users', attributes: { username: 'anna' } }],
    };
  }
}

describe('the client of cloud at a service that is no Statehouse', () => {
  let hcp: PlainHcp;
  let home: string;
  let env: Record<string, string>;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'statehouse-home-'));
    hcp = new PlainHcp();
    const url = await hcp.open();
    const path = join(home, 'cli.tfrc');
    const services = `host "app.terraform.io" {\n  services = { "tfe.v2" = "${url}/api/v2/" }\n}\n`;
    await writeFile(path, `${services}credentials "app.terraform.io" {\n  token = "t"\n}\n`);
    env = { TF_CLI_CONFIG_FILE: path };
  });
  afterAll(async () => {
    hcp.close();
    await rm(home, { recursive: true });
  });
  afterEach(() => {
    hcp.lockedBy = null;
    hcp.reason = '';
    hcp.asked.length = 0;
  });
  const open = () => openClient({ type: 'cloud', attributes: NAMED, folder: '/', env });

  it('writes under its lock, waits for the state to be kept, and shows no token to the upload address', async () => {
    const client = await open();
    const attempt = await client.lock('default', makeLockRequest('push', '0'), AT_ONCE);
    if (attempt.type !== 'locked') return expect.fail(attempt.type);
    const bytes = stateText(9_007_199_254_740_993n, randomUUID());
    await client.write('default', bytes, attempt.lock);
    hcp.pending = 1;
    expect(await attempt.lock.release()).toEqual({ type: 'released' });
    expect(Buffer.from((await client.read('default')) ?? []).equals(bytes)).toBe(true);
    const of = (line: string) => hcp.asked.find((request) => request.line === line);
    expect(of('POST /api/v2/workspaces/ws-1/state-versions')?.body).toContain('"serial":9007199254740993,');
    expect(of('POST /api/v2/workspaces/ws-1/state-versions')?.token).toBe('Bearer t');
    expect(of('PUT /archivist/up')?.token).toBe('');
    expect(hcp.asked.filter(({ line }) => line.endsWith('/actions/unlock')).length).toBe(2);
  });

  it("names the holder of its own locks, of terraform's by their user, and of runs", async () => {
    const [client, other] = [await open(), await open()];
    const request = makeLockRequest('push', '0', 'by hand');
    expect((await client.lock('net', request, AT_ONCE)).type).toBe('locked');
    expect(await other.lock('default', makeLockRequest('push', '0'), AT_ONCE)).toMatchObject({
      type: 'held',
      holder: { id: request.id, info: 'by hand' },
    });
    // Whoever knows the ID goes on under the lock, as a command within exec does.
    expect((await other.lock('default', request, AT_ONCE)).type).toBe('locked');
    hcp.reason = 'Locked by Terraform';
    expect(await other.inspectLock('default')).toMatchObject({ holder: { id: 'acme/net', who: 'anna' } });
    expect(await other.breakLock('default', request.id)).toMatchObject({ type: 'other-id' });
    expect(await other.breakLock('default', 'acme/net')).toEqual({ type: 'broken' });
    hcp.lockedBy = 'runs';
    expect(await other.inspectLock('default')).toMatchObject({ type: 'held', note: 'held by the run run-1' });
    expect(await other.breakLock('default', 'acme/net')).toMatchObject({ type: 'impossible' });
    expect(await other.keepsOut?.('default')).toContain('executed by the server');
  });

  it('does not take what may not be seen for absent', async () => {
    const strange = await openClient({
      type: 'cloud',
      attributes: { ...NAMED, organization: 'other' },
      folder: '/',
      env,
    });
    await expect(strange.read('default')).rejects.toMatchObject({ kind: 'missing' });
    const client = await open();
    await expect(client.read('dev')).rejects.toThrow('names the workspace "net"');
  });
});

describe('the history of a workspace', () => {
  it('is listed, newest first, and each version is read as it was written', async () => {
    const [house, configs] = [await TestHouse.open(), await CloudConfigs.make()];
    try {
      const env = await configs.env(house.url, `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`);
      const attributes = { ...NAMED, hostname: HOSTNAME };
      const client = await openClient({ type: 'remote', attributes, folder: '/', env });
      const lineage = randomUUID();
      for (const serial of [1, 2, 3]) await client.write('default', stateText(serial, lineage), null);
      const versions = (await client.history?.list('default', 2)) ?? [];
      expect(versions).toHaveLength(2);
      const read = async (id = ''): Promise<string> =>
        Buffer.from((await client.history?.read('default', id)) ?? []).toString();
      expect(await read(versions[0]?.id)).toContain('"serial":3');
      expect(await read(versions[1]?.id)).toContain('"serial":2');
      expect(await client.history?.read('default', '../sv-1')).toBe(null);
      expect(await client.server?.('default')).toMatchObject({
        url: house.url,
        address: { project: 'acme', key: 'net' },
        credential: TEST_ADMIN,
      });
    } finally {
      await house.close();
      await configs[Symbol.asyncDispose]();
    }
  });
});
