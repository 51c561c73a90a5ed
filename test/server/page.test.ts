import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoorReply, DoorRequest } from '../../src/protocols/door.ts';
import { PageDoor } from '../../src/server/page/door.ts';
import { readPage } from '../../src/server/page/files.ts';
import { Page } from '../../src/server/page/page.ts';
import { stateText } from '../protocols/aws/sdk.ts';
import { sendSigned } from '../protocols/aws/send-signed.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
const SCRIPT = 'console.log("the page");\n'.repeat(200);
const HASHED = '/assets/main-B3xk9Qz1.js';

let folder: string;
let door: PageDoor;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'statehouse-page-'));
  const built = join(folder, 'web');
  await mkdir(join(built, 'assets'), { recursive: true });
  await writeFile(join(folder, 'master.key'), 'not for you');
  await writeFile(join(built, 'index.html'), '<!doctype html><title>Statehouse</title>');
  await writeFile(join(built, 'favicon.svg'), '<svg/>');
  await writeFile(join(built, HASHED), SCRIPT);
  await writeFile(join(built, `${HASHED}.gz`), gzipSync(SCRIPT));
  await writeFile(join(built, 'assets', 'main-B3xk9Qz1.js.map'), '{}');
  door = new PageDoor(new Page(() => readPage(built)));
});

afterAll(() => rm(folder, { recursive: true }));

const get = (
  path: string,
  headers: Readonly<Record<string, string>> = BROWSER,
  method = 'GET',
): Promise<DoorReply> =>
  door.answer({ method, path, header: (name: string) => headers[name] } as unknown as DoorRequest);

const textOf = ({ body }: DoorReply): string => Buffer.from((body ?? []) as Uint8Array).toString();

describe('the files of the page', () => {
  it('are its start at every place in it, under a policy that runs nothing but its own files', async () => {
    for (const path of ['/explore', '/s/acme/net/app@dev', '/settings/x', '/sign-in']) {
      const reply = await get(path);
      expect([reply.status, textOf(reply)]).toEqual([200, expect.stringContaining('<title>Statehouse')]);
      expect(reply.page).toMatch(
        /default-src 'none';.*script-src 'self';.*require-trusted-types-for 'script'/,
      );
      expect(reply.page).not.toMatch(/unsafe|\*/);
      expect(reply.headers).toMatchObject({ 'cache-control': 'no-cache', 'referrer-policy': 'no-referrer' });
    }
  });

  it('are kept for ever where their name has their digest, and asked for again where not', async () => {
    const hashed = await get(HASHED, {});
    expect(textOf(hashed)).toBe(SCRIPT);
    expect(hashed.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    });
    const icon = await get('/favicon.svg', {});
    expect(icon.headers['cache-control']).toBe('no-cache');
    const again = await get('/explore', {
      ...BROWSER,
      'if-none-match': (await get('/explore')).headers['etag'] ?? '',
    });
    expect([again.status, again.body]).toEqual([304, null]);
  });

  it('come compressed where the build did so and the browser takes it', async () => {
    const zipped = await get(HASHED, { 'accept-encoding': 'gzip, deflate, br' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(Buffer.from(zipped.body as Uint8Array)).toEqual(gzipSync(SCRIPT));
    expect(zipped.headers['etag']).not.toBe((await get(HASHED, {})).headers['etag']);
    for (const accepted of ['identity', 'gzip;q=0', 'x-gzip', ''])
      expect((await get(HASHED, { 'accept-encoding': accepted })).headers['content-encoding']).toBe(
        undefined,
      );
  });

  it.each([
    '/assets/../../master.key',
    '/assets/..%2f..%2fmaster.key',
    '/assets/%2e%2e/%2e%2e/master.key',
    '/assets/..\\..\\master.key',
    '/assets//main-B3xk9Qz1.js',
    '/assets/main-B3xk9Qz1.js%00.svg',
    '/assets/main-B3xk9Qz1.js.gz',
    '/assets/main-B3xk9Qz1.js.map',
    '/assets/',
    '/assets/__proto__',
    '/favicon.ico',
  ])('are no other file: %s', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it('are for browsers: a backend that is pointed at a place in the page finds no state there', async () => {
    for (const agent of ['Go-http-client/1.1', 'Terraform/1.11.4']) {
      const headers = { 'user-agent': agent, accept: '*/*' };
      expect((await get('/s/acme/net/app', headers)).status).toBe(400);
    }
    expect((await get('/explore', {})).status).toBe(404);
    expect((await get('/explore', BROWSER, 'POST')).status).toBe(404);
  });

  it('are said to be missing where they were not built', async () => {
    const page = new Page(() => readPage(join(folder, 'nowhere')));
    const request = { method: 'GET', path: '/', header: () => BROWSER.accept } as unknown as DoorRequest;
    expect(textOf(await page.start(request))).toContain('npm run build');
  });
});

describe('where the page is, other clients', () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  it('find at / what they found before', async () => {
    const plain = await house.ask('GET', '/', { as: null, headers: { accept: '*/*' } });
    expect(plain.text).toContain('/http/PROJECT/KEY');
    expect(plain.headers['content-security-policy']).toContain('sandbox');
    const buckets = await sendSigned(house, { path: '/', headers: { accept: 'text/html' } });
    expect(buckets.text).toContain('ListAllMyBucketsResult');
    const browser = await house.ask('GET', '/', { as: null, headers: BROWSER });
    expect(browser.status).toBe(200);
    expect(browser.text).not.toContain('/http/PROJECT/KEY');
    expect((await house.ask('POST', '/', { headers: BROWSER })).status).toBe(405);
  });

  it.each(['s', 'assets', 'explore', 'settings'])('reach a bucket that is called "%s"', async (bucket) => {
    const body = stateText(1, 'lineage');
    await sendSigned(house, { method: 'PUT', path: `/${bucket}/net`, body });
    expect((await sendSigned(house, { path: `/${bucket}/net`, headers: BROWSER })).text).toBe(body);
    // As Google's clients read the same object.
    const headers = { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}`, ...BROWSER };
    const read = await house.ask('GET', `/${bucket}/net/default.tfstate`, { as: null, headers });
    expect(read.text).toBe(body);
  });
});
