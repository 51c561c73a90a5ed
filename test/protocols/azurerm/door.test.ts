import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../../../src/protocols/azurerm/sas-text.ts';
import { eventually } from '../../support/eventually.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { comeFromElsewhere, type Answer } from '../../support/request.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

type Headers = Readonly<Record<string, string>>;

const ACCOUNT = TEST_ADMIN.id.toLowerCase();
const TERRAFORM = { 'user-agent': 'HashiCorp Terraform/1.11.4 (+https://www.terraform.io)' };

describe('the azurerm door', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const newBlob = (): string => `/azure/${ACCOUNT}/acme/net/${++count}`;
  const send = (
    method: string,
    path: string,
    {
      body,
      headers = {},
      as = TEST_ADMIN,
    }: { body?: string | Uint8Array; headers?: Headers; as?: Pair } = {},
  ): Promise<Answer> =>
    house.ask(method, path, {
      as: null,
      headers: {
        authorization: `Bearer ${as.id}.${as.secret}`,
        'x-ms-version': '2023-11-03',
        ...(method === 'PUT' && body === undefined ? { 'content-length': '0' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  const put = (blob: string, body: string, headers: Headers = {}): Promise<Answer> =>
    send('PUT', blob, { body, headers: { 'x-ms-blob-type': 'BlockBlob', ...headers } });
  const lease = (blob: string, action: string, headers: Headers = {}, as = TEST_ADMIN): Promise<Answer> =>
    send('PUT', `${blob}?comp=lease`, { headers: { 'x-ms-lease-action': action, ...headers }, as });
  const acquire = (blob: string, id: string, duration = '-1', as = TEST_ADMIN): Promise<Answer> =>
    lease(blob, 'acquire', { 'x-ms-lease-duration': duration, 'x-ms-proposed-lease-id': id }, as);
  const tell = (blob: string, id: string, info = sampleLock(id)): Promise<Answer> =>
    send('PUT', `${blob}?comp=metadata`, {
      headers: { 'x-ms-lease-id': id, 'x-ms-meta-terraformlockid': Buffer.from(info).toString('base64') },
    });
  const infoOf = ({ headers }: Answer): string =>
    Buffer.from(String(headers['x-ms-meta-terraformlockid'] ?? ''), 'base64').toString();

  describe('of leases', () => {
    it('shows a lease whose holder never told its lock info with what is known of it, so that it can be broken', async () => {
      const blob = newBlob();
      const id = randomUUID();
      await put(blob, sampleState(1));
      expect(await acquire(blob, id)).toMatchObject({ status: 201, headers: { 'x-ms-lease-id': id } });
      const known = JSON.parse(infoOf(await send('HEAD', blob))) as object;
      expect(known).toMatchObject({ ID: id, Who: 'token:admin-N23456' });
      // The first half of a release, whose second half never comes.
      await tell(blob, id);
      await send('PUT', `${blob}?comp=metadata`, { headers: { 'x-ms-lease-id': id } });
      expect(infoOf(await send('HEAD', blob))).toBe(sampleLock(id));
      expect(await lease(blob, 'release', { 'x-ms-lease-id': id })).toMatchObject({ status: 200 });
      expect(infoOf(await send('HEAD', blob))).toBe('');
    });

    it('answers each step that comes again as it did the first time', async () => {
      const blob = newBlob();
      const id = randomUUID();
      for (let times = 0; times < 2; times += 1) {
        expect(await put(blob, '')).toMatchObject({ status: 201 });
      }
      for (let times = 0; times < 2; times += 1)
        expect(await acquire(blob, id)).toMatchObject({ status: 201 });
      for (let times = 0; times < 2; times += 1) expect(await tell(blob, id)).toMatchObject({ status: 200 });
      for (let times = 0; times < 2; times += 1) {
        const stored = await put(blob, sampleState(1), { 'x-ms-lease-id': id });
        expect(stored).toMatchObject({ status: 201 });
      }
      for (let times = 0; times < 2; times += 1)
        expect(await lease(blob, 'release', { 'x-ms-lease-id': id })).toMatchObject({ status: 200 });
      expect(await acquire(blob, id)).toMatchObject({ status: 409 });
    });

    it('tells a run that looks that there is no lease, and shows it the lock that it was then refused for', async () => {
      const blob = newBlob();
      const [mine, theirs] = [randomUUID(), randomUUID()];
      await put(blob, sampleState(1));
      await acquire(blob, theirs);
      await tell(blob, theirs);
      const looked = await send('HEAD', blob, { headers: TERRAFORM });
      expect(looked.headers).toMatchObject({ 'x-ms-lease-status': 'unlocked' });
      expect((await send('HEAD', blob)).headers).toMatchObject({
        'x-ms-lease-status': 'locked',
        'x-ms-lease-state': 'leased',
        'x-ms-lease-duration': 'infinite',
      });
      const asked = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1', ...TERRAFORM };
      const refused = await send('PUT', `${blob}?comp=lease`, {
        headers: { ...asked, 'x-ms-proposed-lease-id': mine },
      });
      expect(refused).toMatchObject({ status: 409, headers: { 'x-ms-error-code': 'LeaseAlreadyPresent' } });
      await lease(blob, 'release', { 'x-ms-lease-id': theirs });
      // Terraform waits only for what it sees.
      expect(infoOf(await send('HEAD', blob, { headers: TERRAFORM }))).toMatch(
        /held by token:admin.*; see https?:\/\/[\w.:]+\/s\//,
      );
      expect(infoOf(await send('HEAD', blob))).toBe('');
    });

    it('gives no lease to a run that found no state, once another has made it, since terraform would not release it', async () => {
      const blob = newBlob();
      const bob = await house.credential(`bob-${count}`, [{ role: 'writer', pattern: 'acme/*@*' }]);
      const touch = { 'x-ms-blob-type': 'BlockBlob' };
      expect(await send('PUT', blob, { body: '', headers: touch, as: bob })).toMatchObject({ status: 201 });
      await put(blob, sampleState(1));
      const refused = await acquire(blob, randomUUID(), '-1', bob);
      expect(refused).toMatchObject({ status: 409 });
      expect(refused.text).toContain('run the command again');
      await eventually('nobody holds the lock', async () => infoOf(await send('HEAD', blob)) === '');
      expect(await acquire(blob, randomUUID(), '-1', bob)).toMatchObject({ status: 201 });
    });

    it('ends a lease of 15 seconds in its time, or later where it is renewed', async () => {
      const blob = newBlob();
      const id = randomUUID();
      await put(blob, sampleState(1));
      expect(await acquire(blob, id, '15')).toMatchObject({ status: 201 });
      expect((await send('HEAD', blob)).headers['x-ms-lease-duration']).toBe('fixed');
      const until = async (): Promise<number> =>
        (await house.engine.world({ project: 'acme', key: `net/${count}`, workspace: 'default' })).holders[0]
          ?.until ?? 0;
      const first = await until();
      expect(first - Date.now()).toBeLessThanOrEqual(15_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await lease(blob, 'renew', { 'x-ms-lease-id': id })).toMatchObject({ status: 200 });
      expect(await until()).toBeGreaterThan(first);
      expect((await until()) - Date.now()).toBeLessThanOrEqual(15_000);
    });

    it('gives a lease another ID, asked for once or twice, and none that somebody has or had', async () => {
      const blob = newBlob();
      const [first, second] = [randomUUID(), randomUUID()];
      await put(blob, sampleState(1));
      await acquire(blob, first);
      await tell(blob, first);
      const change = (from: string, to: string): Promise<Answer> =>
        lease(blob, 'change', { 'x-ms-lease-id': from, 'x-ms-proposed-lease-id': to });
      for (let times = 0; times < 2; times += 1)
        expect(await change(first, second)).toMatchObject({
          status: 200,
          headers: { 'x-ms-lease-id': second },
        });
      // The lock info has the ID that ends the lease.
      expect(infoOf(await send('HEAD', blob))).toContain(second);
      expect(await put(blob, sampleState(2), { 'x-ms-lease-id': first })).toMatchObject({ status: 412 });
      expect(await change(second, first)).toMatchObject({ status: 409 });
      expect(await change(randomUUID(), randomUUID())).toMatchObject({ status: 409 });
      expect(await put(blob, sampleState(2), { 'x-ms-lease-id': second })).toMatchObject({ status: 201 });
      expect(await lease(blob, 'release', { 'x-ms-lease-id': second })).toMatchObject({ status: 200 });
    });

    it('breaks a lease at once for an operator alone, and keeps what its holder writes too late', async () => {
      const blob = newBlob();
      const id = randomUUID();
      const grants = [{ role: 'writer', pattern: 'acme/*@*' }] as const;
      const bob = await house.credential(`bob-${count}`, grants);
      await put(blob, sampleState(1));
      await acquire(blob, id);
      const stranger = await send('PUT', `${blob}?comp=lease`, {
        headers: { 'x-ms-lease-action': 'break' },
        as: bob,
      });
      expect(stranger).toMatchObject({ status: 403 });
      const period = { 'x-ms-lease-break-period': '30' };
      expect(await lease(blob, 'break', period)).toMatchObject({
        status: 202,
        headers: { 'x-ms-lease-time': '0' },
      });
      expect(await lease(blob, 'break')).toMatchObject({
        status: 409,
        headers: { 'x-ms-error-code': 'LeaseNotPresentWithLeaseOperation' },
      });
      const late = await put(blob, sampleState(2), { 'x-ms-lease-id': id });
      expect(late).toMatchObject({
        status: 412,
        headers: { 'x-ms-error-code': 'LeaseNotPresentWithBlobOperation' },
      });
      expect(late.text).toContain('statehouse rescue');
      expect(await lease(blob, 'renew', { 'x-ms-lease-id': id })).toMatchObject({ status: 409 });
    });

    it('takes the lock back whose grant nobody heard of', async () => {
      const blob = newBlob();
      const [holder, waiter] = [randomUUID(), randomUUID()];
      await put(blob, sampleState(1));
      await acquire(blob, holder);
      await acquire(blob, waiter);
      const leaving = new AbortController();
      const asked = house
        .ask('PUT', `${blob}?comp=lease`, {
          headers: {
            'x-ms-lease-action': 'acquire',
            'x-ms-lease-duration': '-1',
            'x-ms-proposed-lease-id': waiter,
            'content-length': '0',
          },
          signal: leaving.signal,
        })
        .catch(() => null);
      await house.untilParked(1);
      leaving.abort();
      await asked;
      await house.untilParked(0);
      await lease(blob, 'release', { 'x-ms-lease-id': holder });
      await eventually('nobody holds the lock', async () => infoOf(await send('HEAD', blob)) === '');
    });
  });

  describe('of states', () => {
    it('never empties a state, and keeps no blob without bytes', async () => {
      const blob = newBlob();
      expect(await put(blob, '')).toMatchObject({ status: 201 });
      expect(await send('HEAD', blob)).toMatchObject({ status: 404 });
      await put(blob, sampleState(1));
      expect(await put(blob, '')).toMatchObject({
        status: 409,
        headers: { 'x-ms-error-code': 'BlobAlreadyExists' },
      });
      expect((await send('GET', blob)).text).toBe(sampleState(1));
    });

    it('shows a lock where there is no state yet as a blob without bytes', async () => {
      const blob = newBlob();
      const id = randomUUID();
      await acquire(blob, id);
      expect(await send('GET', blob)).toMatchObject({ status: 200, text: '' });
      expect(await send('HEAD', blob)).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
      await lease(blob, 'release', { 'x-ms-lease-id': id });
      expect(await send('GET', blob)).toMatchObject({ status: 404 });
    });

    it('takes the first state on the condition that the blob without bytes is as it was told', async () => {
      const blob = newBlob();
      const id = randomUUID();
      await acquire(blob, id);
      const { headers } = await send('HEAD', blob);
      const onlyIf = (tag: unknown) => ({ 'x-ms-lease-id': id, 'if-match': String(tag) });
      expect(await put(blob, sampleState(1), onlyIf('"0x000000000000FFF"'))).toMatchObject({ status: 412 });
      expect(await put(blob, sampleState(1), onlyIf(headers.etag))).toMatchObject({ status: 201 });
    });

    it('reads in part, on conditions, and old versions by their snapshot', async () => {
      const blob = newBlob();
      const first = await put(blob, sampleState(1));
      const snapshot = await send('PUT', `${blob}?comp=snapshot`);
      const second = await put(blob, sampleState(2), { 'if-match': String(first.headers.etag) });
      expect(second).toMatchObject({ status: 201 });
      const part = await send('GET', blob, { headers: { 'x-ms-range': 'bytes=4-7', range: 'bytes=0-1' } });
      expect(part).toMatchObject({ status: 206, text: sampleState(2).slice(4, 8) });
      expect(part.headers['content-range']).toBe(`bytes 4-7/${sampleState(2).length}`);
      expect(await send('GET', blob, { headers: { 'x-ms-range': 'bytes=99999-' } })).toMatchObject({
        status: 416,
        headers: { 'x-ms-error-code': 'InvalidRange' },
      });
      const etag = String(second.headers.etag);
      expect(await send('GET', blob, { headers: { 'if-none-match': etag } })).toMatchObject({ status: 304 });
      const stale = await put(blob, sampleState(3), { 'if-match': String(first.headers.etag) });
      expect(stale).toMatchObject({ status: 412, headers: { 'x-ms-error-code': 'ConditionNotMet' } });
      expect(await put(blob, sampleState(3), { 'if-none-match': '*' })).toMatchObject({
        status: 409,
        headers: { 'x-ms-error-code': 'BlobAlreadyExists' },
      });
      const old = `${blob}?snapshot=${String(snapshot.headers['x-ms-snapshot'])}`;
      expect((await send('GET', old)).text).toBe(sampleState(1));
      for (const id of ['2026-11-20T06:14:26.0000001Z', 'x', '2026-11-20T06:14:26.0000000Z'])
        expect(await send('GET', `${blob}?versionid=${id}`)).toMatchObject({ status: 404 });
      const deleted = await send('DELETE', blob, { headers: { 'if-match': String(first.headers.etag) } });
      expect(deleted).toMatchObject({ status: 412 });
      // The answer may have been lost.
      for (let times = 0; times < 2; times += 1)
        expect(await send('DELETE', blob)).toMatchObject({ status: 202 });
      expect(await send('GET', blob)).toMatchObject({ status: 404 });
      expect((await send('GET', old)).text).toBe(sampleState(1));
    });

    it('holds a body against its digests, and keeps nothing of one that differs', async () => {
      const blob = newBlob();
      const md5 = (text: string): string => createHash('md5').update(text).digest('base64');
      const wrong = await put(blob, sampleState(1), { 'content-md5': md5('other') });
      expect(wrong).toMatchObject({ status: 400, headers: { 'x-ms-error-code': 'Md5Mismatch' } });
      const crc = await put(blob, sampleState(1), { 'x-ms-content-crc64': 'AAAAAAAAAAA=' });
      expect(crc).toMatchObject({ status: 400, headers: { 'x-ms-error-code': 'Crc64Mismatch' } });
      expect(await put(blob, sampleState(1), { 'content-md5': 'no' })).toMatchObject({ status: 400 });
      expect(await send('GET', blob)).toMatchObject({ status: 404 });
      // CRC-64 of "123456789", as Go's library computes it, over a body that is no state.
      const right = await put(blob, '123456789', { 'x-ms-content-crc64': 'iJh5CoYUi64=' });
      expect(right.headers['x-ms-error-code']).not.toBe('Crc64Mismatch');
    });

    it('puts blocks together in the order of their list, again after a lost answer, and only for who sent them', async () => {
      const blob = newBlob();
      const state = sampleState(1, { size: 3_000 });
      const ids = ['one', 'two', 'three'].map((id) => Buffer.from(id.padEnd(8)).toString('base64'));
      const parts = [state.slice(0, 1_000), state.slice(1_000, 2_000), state.slice(2_000)];
      const block = (id: string, body: string, as = TEST_ADMIN): Promise<Answer> =>
        send('PUT', `${blob}?comp=block&blockid=${encodeURIComponent(id)}`, { body, as });
      const list = (some: readonly string[], as = TEST_ADMIN): Promise<Answer> =>
        send('PUT', `${blob}?comp=blocklist`, {
          body: `<?xml version="1.0"?><BlockList>${some.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`,
          as,
        });
      await Promise.all(ids.map((id, index) => block(id, parts[index] ?? '')));
      // One that comes again takes the place of the first.
      expect(await block(ids[1] ?? '', parts[1] ?? '')).toMatchObject({ status: 201 });
      const bob = await house.credential(`bob-${count}`, [{ role: 'writer', pattern: 'acme/*@*' }]);
      expect(await list(ids, bob)).toMatchObject({
        status: 400,
        headers: { 'x-ms-error-code': 'InvalidBlockList' },
      });
      const waiting = await send('GET', `${blob}?comp=blocklist&blocklisttype=uncommitted`);
      expect(waiting.text.match(/<Name>/g)).toHaveLength(3);
      for (let times = 0; times < 2; times += 1) expect(await list(ids)).toMatchObject({ status: 201 });
      expect((await send('GET', blob)).text).toBe(state);
      expect(await list([...ids].reverse())).toMatchObject({ status: 400 });
      const open = await house.house.uploads.list(
        {
          identity: { subject: 'token:test-admin', grants: [{ role: 'admin', pattern: '*' }] },
          door: 'test',
        },
        'acme',
      );
      expect(open).toMatchObject({ uploads: [] });
    });

    it('lists in pages, by prefix and delimiter, with the lock info if asked', async () => {
      const key = `list-${++count}`;
      const container = `/azure/${ACCOUNT}/${key}`;
      for (const name of ['a/x', 'a/xenv:dev', 'a/xenv:prod', 'b'])
        await put(`${container}/${name}`, sampleState(1));
      const id = randomUUID();
      await acquire(`${container}/b`, id);
      const list = async (query: string): Promise<string> =>
        (await send('GET', `${container}?restype=container&comp=list${query}`)).text;
      const names = (text: string): readonly string[] =>
        [...text.matchAll(/<Name>([^<]*)<\/Name>/g)].map(([, name = '']) => name);
      expect(names(await list(''))).toEqual(['a/x', 'a/xenv:dev', 'a/xenv:prod', 'b']);
      expect(names(await list('&prefix=a%2Fxenv%3A'))).toEqual(['a/xenv:dev', 'a/xenv:prod']);
      expect(names(await list('&delimiter=%2F'))).toEqual(['a/', 'b']);
      const seen: string[] = [];
      for (let marker = '', page = 0; page < 5; page += 1) {
        const text = await list(`&maxresults=1&marker=${marker}`);
        seen.push(...names(text));
        marker = /<NextMarker>(.*)<\/NextMarker>/.exec(text)?.[1] ?? '';
        if (marker === '') break;
      }
      expect(seen).toEqual(['a/x', 'a/xenv:dev', 'a/xenv:prod', 'b']);
      expect(await list('&include=metadata')).toContain(
        Buffer.from(`{"ID":"${id}"`).toString('base64').slice(0, 20),
      );
      expect(await list('&marker=!')).toContain('InvalidQueryParameterValue');
      expect(await list('&maxresults=0')).toContain('InvalidQueryParameterValue');
    });
  });

  describe('of old versions', () => {
    it('lists those of one state as versions and as snapshots, in pages, and of a deleted state, too', async () => {
      const blob = newBlob();
      const prefix = `net%2F${count}`;
      for (const serial of [1, 2, 3]) await put(blob, sampleState(serial));
      const list = async (query: string): Promise<string> =>
        (
          await send(
            'GET',
            `/azure/${ACCOUNT}/acme?restype=container&comp=list&prefix=${prefix}&include=${query}`,
          )
        ).text;
      const [first, second] = [
        await list('versions&maxresults=2'),
        await list('versions&maxresults=2&marker=2'),
      ];
      expect(first.match(/<IsCurrentVersion>\w+/g)).toEqual([
        '<IsCurrentVersion>true',
        '<IsCurrentVersion>false',
      ]);
      expect(first).toContain('<NextMarker>2</NextMarker>');
      expect(second).toContain('<NextMarker></NextMarker>');
      const [oldest = ''] = /(?<=<VersionId>)[^<]+/.exec(second) ?? [];
      expect((await send('GET', `${blob}?versionid=${oldest}`)).text).toBe(sampleState(1));
      const snapshots = await list('snapshots,metadata');
      expect(snapshots.match(/<Snapshot>/g)).toHaveLength(2);
      expect(snapshots.match(/<Blob>/g)).toHaveLength(3);
      await send('DELETE', blob);
      expect((await list('deletedwithversions,versions')).match(/<IsCurrentVersion>false/g)).toHaveLength(3);
      expect(await list('deleted')).toContain('NotSupported');
      expect(await list('versions&marker=x')).toContain('InvalidQueryParameterValue');
      expect(await list('everything')).toContain('InvalidQueryParameterValue');
    });
  });

  describe('of bad requests', () => {
    it.each<[string, string, string, Headers, number, string]>([
      ['a page blob', 'PUT', '', { 'x-ms-blob-type': 'PageBlob' }, 400, 'InvalidHeaderValue'],
      ['no type of blob', 'PUT', '', {}, 400, 'InvalidHeaderValue'],
      ['a copy', 'PUT', '', { 'x-ms-copy-source': 'https://x/y' }, 400, 'NotSupported'],
      [
        'metadata of its own',
        'PUT',
        '',
        { 'x-ms-blob-type': 'BlockBlob', 'x-ms-meta-a': '1' },
        400,
        'NotSupported',
      ],
      ['a key of its own', 'PUT', '', { 'x-ms-encryption-key': 'x' }, 400, 'NotSupported'],
      ['no action of a lease', 'PUT', '?comp=lease', {}, 400, 'InvalidHeaderValue'],
      [
        'a lease of 14 seconds',
        'PUT',
        '?comp=lease',
        { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '14' },
        400,
        'InvalidHeaderValue',
      ],
      [
        'a lease ID that is none',
        'PUT',
        '?comp=lease',
        { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1', 'x-ms-proposed-lease-id': 'mine' },
        400,
        'InvalidHeaderValue',
      ],
      [
        'a release of nothing',
        'PUT',
        '?comp=lease',
        { 'x-ms-lease-action': 'release', 'x-ms-lease-id': randomUUID() },
        409,
        'LeaseNotPresentWithLeaseOperation',
      ],
      ['metadata of nothing', 'PUT', '?comp=metadata', {}, 404, 'BlobNotFound'],
      ['a snapshot of nothing', 'PUT', '?comp=snapshot', {}, 404, 'BlobNotFound'],
      ['a block without an ID', 'PUT', '?comp=block', {}, 400, 'InvalidQueryParameterValue'],
      ['a list that is no XML', 'PUT', '?comp=blocklist', {}, 400, 'InvalidXmlDocument'],
      ['tags', 'PUT', '?comp=tags', {}, 400, 'NotSupported'],
      ['a query that is no UTF-8', 'GET', '?comp=%ff', {}, 400, 'InvalidInput'],
      [
        'a version of the service that is none',
        'GET',
        '',
        { 'x-ms-version': 'latest' },
        400,
        'InvalidHeaderValue',
      ],
      ['the deletion of snapshots', 'DELETE', '', { 'x-ms-delete-snapshots': 'only' }, 400, 'NotSupported'],
    ])('refuses %s by its name', async (_, method, query, headers, status, code) => {
      const blob = newBlob();
      const answer = await send(method, `${blob}${query}`, { headers });
      expect(answer).toMatchObject({ status, headers: { 'x-ms-error-code': code } });
      expect(answer.text).toContain(`<Code>${code}</Code>`);
      expect(await send('GET', blob)).toMatchObject({ status: 404 });
    });

    it.each([
      [`/azure/${ACCOUNT}/acme/net/..%2Fapp`, 'a key has no'],
      [`/azure/${ACCOUNT}/acme/net//app`, 'nor contain'],
      [`/azure/${ACCOUNT}/acme/appenv:default`, 'the workspace default is the blob without'],
      [`/azure/${ACCOUNT}/-acme/app`, 'a project name is made of'],
      [`/azure/${ACCOUNT}/acme/app.tflock`, 'that names a lock'],
      ['/azure/No-Account/acme/app', 'invalid account'],
    ])('says what is wrong with the name of %s', async (path, words) => {
      const answer = await put(path, sampleState(1));
      expect(answer.status).toBe(400);
      expect(answer.text).toContain(words);
    });

    it('keeps no state that is none, and no lock info that is none', async () => {
      const blob = newBlob();
      expect(await put(blob, 'hello')).toMatchObject({ status: 400 });
      const id = randomUUID();
      await acquire(blob, id);
      expect(await tell(blob, id, 'no json')).toMatchObject({ status: 400 });
      expect(await tell(blob, id, sampleLock('x'.repeat(5_000)))).toMatchObject({ status: 400 });
      const other = await tell(blob, randomUUID());
      expect(other).toMatchObject({
        status: 412,
        headers: { 'x-ms-error-code': 'LeaseIdMismatchWithBlobOperation' },
      });
      expect(await send('PUT', `${blob}?comp=metadata`)).toMatchObject({
        status: 412,
        headers: { 'x-ms-error-code': 'LeaseIdMissing' },
      });
    });
  });

  describe('of who asks', () => {
    const signed = (
      path: string,
      { secret, date, account = ACCOUNT }: { secret: string; date: Date; account?: string },
    ): Headers => {
      const headers = { 'x-ms-date': date.toUTCString(), 'x-ms-version': '2023-11-03' };
      const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
      const text = `GET\n\n\n\n\n\n\n\n\n\n\n\n${lines.join('')}/${account}${path}`;
      const signature = signatureOf(secret, text).toString('base64');
      return { ...headers, authorization: `SharedKey ${account}:${signature}` };
    };
    const get = (path: string, headers: Headers): Promise<Answer> =>
      house.ask('GET', path, { as: null, headers });

    it('reads by Shared Key and Shared Key Lite, at a path and at a host of its own', async () => {
      const blob = newBlob();
      await put(blob, sampleState(1));
      const { secret } = TEST_ADMIN;
      const now = new Date();
      expect(await get(blob, signed(blob, { secret, date: now }))).toMatchObject({ status: 200 });
      const short = blob.replace('/azure', '');
      expect(await get(short, signed(short, { secret, date: now }))).toMatchObject({ status: 200 });
      const bare = blob.replace(`/azure/${ACCOUNT}`, '');
      const host = { host: `${ACCOUNT}.blob.state.example.com` };
      expect(await get(bare, { ...signed(bare, { secret, date: now }), ...host })).toMatchObject({
        status: 200,
      });
      const lite = { 'x-ms-date': now.toUTCString(), 'x-ms-version': '2023-11-03' };
      const text = `GET\n\n\n\nx-ms-date:${lite['x-ms-date']}\nx-ms-version:2023-11-03\n/${ACCOUNT}${blob}`;
      const authorization = `SharedKeyLite ${ACCOUNT}:${signatureOf(secret, text).toString('base64')}`;
      expect(await get(blob, { ...lite, authorization })).toMatchObject({ status: 200 });
    });

    it('refuses a wrong key, a clock that is off, another account, and whoever brings nothing', async () => {
      const blob = newBlob();
      const { secret } = TEST_ADMIN;
      const date = new Date();
      comeFromElsewhere();
      const wrong = await get(blob, signed(blob, { secret: 'AAAA', date }));
      expect(wrong).toMatchObject({ status: 403, headers: { 'x-ms-error-code': 'AuthenticationFailed' } });
      expect(wrong.text).toContain('storage_account_name to its id');
      const late = await get(blob, signed(blob, { secret, date: new Date(Date.now() - 16 * 60_000) }));
      expect(late.text).toContain('set the clock of the client');
      const other = blob.replace(ACCOUNT, 'another');
      expect((await get(other, signed(other, { secret, date }))).text).toContain('of another account');
      const bearer = await get(blob, { authorization: 'Bearer nobody.atall', 'x-ms-version': '2023-11-03' });
      expect(bearer).toMatchObject({ status: 403 });
      const none = await get(blob, { 'x-ms-version': '2023-11-03' });
      expect(none).toMatchObject({
        status: 401,
        headers: { 'x-ms-error-code': 'NoAuthenticationInformation' },
      });
      expect(none.headers['www-authenticate']).toContain('authorization_uri=');
      const head = await house.ask('HEAD', blob, { as: null, headers: { 'x-ms-version': '2023-11-03' } });
      expect(head).toMatchObject({ status: 401, text: '' });
    });

    it('gives a token for an id and a secret, and the keys of an account to its credential alone', async () => {
      const { id, secret } = TEST_ADMIN;
      const token = (fields: Record<string, string>): Promise<Answer> =>
        house.ask('POST', '/adfs/oauth2/v2.0/token', {
          as: null,
          body: new URLSearchParams(fields).toString(),
        });
      const login = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
      const given = JSON.parse((await token(login)).text) as { access_token: string };
      const manager = (path: string, method: string, bearer = given.access_token): Promise<Answer> =>
        house.ask(method, `/azure/resource-manager/subscriptions/s/resourceGroups/r/providers/${path}`, {
          as: null,
          headers: { authorization: `Bearer ${bearer}` },
        });
      const at = (account: string): string => `Microsoft.Storage/storageAccounts/${account}`;
      const keys = JSON.parse((await manager(`${at(ACCOUNT)}/listKeys`, 'POST')).text) as object;
      expect(keys).toMatchObject({ keys: [{ value: secret, permissions: 'FULL' }] });
      const account = JSON.parse((await manager(at('any0'), 'GET')).text) as {
        properties: { primaryEndpoints: { blob: string } };
      };
      expect(account.properties.primaryEndpoints.blob).toMatch(/^https:\/\/.*\/azure\/any0\/$/);
      expect(await manager(`${at('another')}/listKeys`, 'POST')).toMatchObject({ status: 403 });
      comeFromElsewhere();
      expect(await manager(`${at(ACCOUNT)}/listKeys`, 'POST', 'nobody.atall')).toMatchObject({ status: 401 });
      expect(await token({ ...login, client_secret: 'wrong' })).toMatchObject({ status: 401 });
      expect(await token({ ...login, grant_type: 'password' })).toMatchObject({ status: 400 });
      expect(await manager('Microsoft.Compute/virtualMachines/x', 'GET')).toMatchObject({ status: 404 });
    });
  });
});
