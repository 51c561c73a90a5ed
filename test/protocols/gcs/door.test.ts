import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDigest } from '../../../src/protocols/wire/digest.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import { sampleLock, sampleState } from '../../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

const UPLOAD = '/upload/storage/v1/b/acme/o';
const OBJECTS = '/storage/v1/b/acme/o';

describe('the gcs door', () => {
  let house: TestHouse;
  let count = 0;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  const newKey = (): string => `net/${++count}`;
  const send = (
    method: string,
    path: string,
    {
      body,
      headers = {},
      as = TEST_ADMIN,
    }: { body?: string; headers?: Record<string, string>; as?: Pair } = {},
  ): Promise<Answer> =>
    house.ask(method, path, {
      as: null,
      headers: { authorization: `Bearer ${as.id}.${as.secret}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const put = (
    name: string,
    body: string,
    more = '',
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    send('POST', `${UPLOAD}?uploadType=media&name=${encodeURIComponent(name)}${more}`, { body, headers });
  const object = (name: string, query = ''): string => `${OBJECTS}/${encodeURIComponent(name)}${query}`;

  it('deletes nothing whose generation is named beside a condition that does not hold', async () => {
    const key = newKey();
    await put(`${key}/default.tfstate`, sampleState(1));
    const locked = json(await put(`${key}/default.tflock`, sampleLock('kept'))) as { generation: string };
    const other = Number(locked.generation) + 1;
    for (const [name, generation, condition] of [
      ['default.tfstate', '1', '2'],
      ['default.tflock', locked.generation, String(other)],
    ]) {
      const path = object(`${key}/${name}`, `?generation=${generation}&ifGenerationMatch=${condition}`);
      expect(await send('DELETE', path)).toMatchObject({ status: 412 });
      expect(await send('GET', object(`${key}/${name}`))).toMatchObject({ status: 200 });
    }
  });

  it('lists the versions of one state, in pages, and of a deleted one, too', async () => {
    const name = `${newKey()}/default.tfstate`;
    for (const serial of [1, 2, 3]) await put(name, sampleState(serial));
    const list = (query: string): Promise<Answer> =>
      send('GET', `${OBJECTS}?versions=true&prefix=${encodeURIComponent(name)}${query}`);
    const first = json(await list('&maxResults=2')) as { nextPageToken: string; items: object[] };
    expect(first.items).toMatchObject([{ generation: '3' }, { generation: '2' }]);
    expect(first.items.map((item) => 'timeDeleted' in item)).toEqual([false, true]);
    const second = json(await list(`&maxResults=2&pageToken=${first.nextPageToken}`));
    expect(second).toMatchObject({ items: [{ generation: '1' }] });
    expect(second).not.toHaveProperty('nextPageToken');
    await send('DELETE', object(name));
    const gone = json(await list('')) as { items: object[] };
    expect(gone.items.map((item) => 'timeDeleted' in item)).toEqual([true, true, true]);
    expect(await list('&pageToken=x')).toMatchObject({ status: 400 });
    expect(await send('GET', `${OBJECTS}?versions=true&prefix=net`)).toMatchObject({ status: 501 });
  });

  it('numbers versions as generations, and writes and deletes on condition of one', async () => {
    const name = `${newKey()}/default.tfstate`;
    const first = await put(name, sampleState(1), '&ifGenerationMatch=0');
    expect(json(first)).toMatchObject({
      kind: 'storage#object',
      name,
      generation: '1',
      metageneration: '1',
      md5Hash: createHash('md5').update(sampleState(1)).digest('base64'),
    });
    expect(await put(name, sampleState(2), '&ifGenerationMatch=0')).toMatchObject({ status: 412 });
    // As Google's library for Python writes it.
    expect(await put(name, sampleState(2), '&ifMetaGenerationNotMatch=1')).toMatchObject({ status: 412 });
    expect(await put(name, sampleState(2), '&ifGenerationMatch=1')).toMatchObject({ status: 200 });
    expect((await send('GET', object(name, '?alt=media&generation=1'))).text).toBe(sampleState(1));
    expect(await send('GET', object(name, '?alt=media&generation=7'))).toMatchObject({ status: 404 });
    expect(await send('GET', object(name, '?ifGenerationNotMatch=2'))).toMatchObject({ status: 304 });
    expect(await send('DELETE', object(name, '?ifGenerationMatch=1'))).toMatchObject({ status: 412 });
    expect(await send('DELETE', object(name, '?ifGenerationMatch=2'))).toMatchObject({ status: 204 });
    expect(await send('GET', object(name))).toMatchObject({ status: 404 });
    // A deletion whose answer was lost comes again.
    expect(await send('DELETE', object(name))).toMatchObject({ status: 204 });
  });

  it('tells the CRC32C of what is read whole, of a large state after a restart, too', async () => {
    const name = `${newKey()}/default.tfstate`;
    const body = sampleState(1).replace('{', `{${' '.repeat(300_000)}`);
    await put(name, body);
    const wanted = /crc32c=([^,]+),md5=/.exec(
      String((await send('GET', object(name, '?alt=media'))).headers['x-goog-hash']),
    )?.[1];
    const digest = newDigest('crc32c');
    digest.update(Buffer.from(body));
    expect(wanted).toBe(Buffer.from(digest.digest()).toString('base64'));
    // A door that has not seen it come.
    await using other = await TestHouse.open();
    const moved = `${newKey()}/default.tfstate`;
    const [project, key] = ['acme', moved.replace(/\/default\.tfstate$/, '')];
    await other.ask('POST', `/http/${project}/${key}`, { body });
    const read = await other.ask('GET', object(moved, '?alt=media'), {
      as: null,
      headers: { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}` },
    });
    expect(read.headers['x-goog-hash']).toContain(`crc32c=${wanted}`);
    expect(read.text).toBe(body);
  });

  it('patches what is so already, and nothing else', async () => {
    const name = `${newKey()}/default.tfstate`;
    await put(name, sampleState(1));
    const patch = (target: string, change: object): Promise<Answer> =>
      send('PATCH', target, { body: JSON.stringify(change) });
    expect(json(await patch(object(name), { metadata: {} }))).toMatchObject({ name, metageneration: '1' });
    expect(await patch(object(`${newKey()}/default.tfstate`), {})).toMatchObject({ status: 404 });
    const refused = await patch(object(name), { metadata: { a: 'b' }, cacheControl: 'x' });
    expect(refused).toMatchObject({ status: 501 });
    expect(refused.text).toContain('the change of metadata, cacheControl');
    expect(json(await patch('/storage/v1/b/acme', { versioning: { enabled: true } }))).toMatchObject({
      versioning: { enabled: true },
    });
    expect(await patch('/storage/v1/b/acme', { versioning: { enabled: false } })).toMatchObject({
      status: 501,
    });
    expect(await send('PATCH', object(name), { body: '[1]' })).toMatchObject({ status: 400 });
  });

  it('copies a state, and brings an old version back by a copy onto its own name', async () => {
    const [name, other] = [`${newKey()}/default.tfstate`, `${newKey()}/default.tfstate`];
    for (const serial of [1, 2]) await put(name, sampleState(serial));
    const to = `b/acme/o/${encodeURIComponent(other)}`;
    const rewritten = json(await send('POST', object(name, `/rewriteTo/${to}`)));
    expect(rewritten).toMatchObject({ done: true, resource: { name: other, generation: '1' } });
    expect((await send('GET', `/acme/${other}`)).text).toBe(sampleState(2));
    const unmet = await send('POST', object(name, `/copyTo/${to}?ifSourceGenerationMatch=1`));
    expect(unmet).toMatchObject({ status: 412 });
    const back = `/copyTo/b/acme/o/${encodeURIComponent(name)}?sourceGeneration=1`;
    expect(json(await send('POST', object(name, back)))).toMatchObject({ generation: '3' });
    expect(json(await send('GET', `/acme/${name}`))).toMatchObject({ serial: 3 });
    const none = await send('POST', object('net/none/default.tfstate', `/copyTo/${to}`));
    expect(none).toMatchObject({ status: 404 });
  });

  it('lists as newer ones of Go’s client ask, which name every parameter', async () => {
    const name = `${newKey()}/default.tfstate`;
    await put(name, sampleState(1));
    const empty = 'endOffset=&matchGlob=&pageToken=&startOffset=&softDeleted=false&versions=false';
    const answer = await send('GET', `/storage/v1/b/acme/o?delimiter=%2F&prefix=${name}&${empty}`);
    expect(json(answer)).toMatchObject({ items: [{ name }] });
  });

  it('reads by the XML API at the root of the host, in part as well', async () => {
    const name = `${newKey()}/dev.tfstate`;
    await put(name, sampleState(1));
    const whole = await send('GET', `/acme/${name}`);
    expect(whole.text).toBe(sampleState(1));
    expect(whole.headers).toMatchObject({ 'x-goog-generation': '1', 'x-goog-metageneration': '1' });
    const part = await send('GET', `/acme/${name}`, { headers: { range: 'bytes=2-5' } });
    expect(part).toMatchObject({ status: 206, text: sampleState(1).slice(2, 6) });
    const etag = String(whole.headers['etag']);
    expect(await send('GET', `/acme/${name}`, { headers: { 'if-none-match': etag } })).toMatchObject({
      status: 304,
    });
    const absent = await send('GET', '/acme/net/none/default.tfstate');
    expect(absent.status).toBe(404);
    expect(absent.text).toContain('<Code>notFound</Code>');
  });

  it('keeps nothing of a body that does not match what was said of it', async () => {
    const name = `${newKey()}/default.tfstate`;
    const related = (said: object): Promise<Answer> =>
      send('POST', `${UPLOAD}?uploadType=multipart`, {
        headers: { 'content-type': 'multipart/related; boundary=b' },
        body: `--b\r\n\r\n${JSON.stringify({ name, ...said })}\r\n--b\r\n\r\n${sampleState(1)}\r\n--b--`,
      });
    for (const said of [{ md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' }, { crc32c: 'AAAAAA==' }, { crc32c: '?' }]) {
      const answer = await related(said);
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.text).toContain('does not match');
    }
    expect(await send('GET', object(name))).toMatchObject({ status: 404 });
    const md5Hash = createHash('md5').update(sampleState(1)).digest('base64');
    expect(await related({ md5Hash })).toMatchObject({ status: 200 });
  });

  describe('an upload in pieces', () => {
    const begin = async (name: string, more = ''): Promise<string> => {
      const begun = await send(
        'POST',
        `${UPLOAD}?uploadType=resumable&name=${encodeURIComponent(name)}${more}`,
      );
      expect(begun.status).toBe(200);
      const { pathname, search } = new URL(String(begun.headers['location']));
      return pathname + search;
    };
    const piece = (at: string, range: string, body = ''): Promise<Answer> =>
      send('PUT', at, { body, headers: { 'content-range': `bytes ${range}` } });

    it('goes on after a lost answer, and says how far it is', async () => {
      const name = `${newKey()}/default.tfstate`;
      const [text, at] = [sampleState(1), await begin(name)];
      expect(await piece(at, '*/*')).toMatchObject({ status: 308 });
      expect(await piece(at, '0-9/*', text.slice(0, 10))).toMatchObject({
        status: 308,
        headers: { range: 'bytes=0-9' },
      });
      expect(await piece(at, '0-9/*', text.slice(0, 10))).toMatchObject({
        status: 308,
        headers: { range: 'bytes=0-9' },
      });
      const quiet = await send('PUT', at, {
        headers: { 'content-range': 'bytes */*', 'x-guploader-no-308': 'yes' },
      });
      expect(quiet).toMatchObject({ status: 200, headers: { 'x-http-status-code-override': '308' } });
      const rest = `10-${text.length - 1}/${text.length}`;
      expect(json(await piece(at, rest, text.slice(10)))).toMatchObject({ generation: '1' });
      expect(json(await piece(at, rest, text.slice(10)))).toMatchObject({ generation: '1' });
      expect((await send('GET', `/acme/${name}`)).text).toBe(text);
    });

    it('begins also at the path that gsutil takes', async () => {
      const name = `${newKey()}/default.tfstate`;
      const begun = await send('POST', `/resumable${UPLOAD}?uploadType=resumable`, {
        body: JSON.stringify({ name }),
        headers: { 'content-type': 'application/json' },
      });
      expect(begun).toMatchObject({ status: 200, headers: { location: expect.stringContaining(UPLOAD) } });
    });

    it('is bound to its name, its conditions and whoever began it, and can be cancelled', async () => {
      const name = `${newKey()}/default.tfstate`;
      const other = await house.credential('other', [{ role: 'writer', pattern: 'acme/*' }]);
      const at = await begin(name, '&ifGenerationMatch=0');
      const text = sampleState(5);
      const all = `0-${text.length - 1}/${text.length}`;
      expect(await piece(at.replace('net', 'tent'), all, text)).toMatchObject({ status: 404 });
      expect(await send('PUT', at, { as: other, body: text })).toMatchObject({ status: 404 });
      await put(name, sampleState(1));
      expect(await piece(at, all, text)).toMatchObject({ status: 412 });
      expect(await send('DELETE', at)).toMatchObject({ status: 499 });
      expect(await piece(at, '*/*')).toMatchObject({ status: 404 });
      expect((await send('GET', `/acme/${name}`)).text).toBe(sampleState(1));
    });

    it.each(['bytes 5-1/*', 'bytes a-b/c', '0-9/10', 'bytes 0-9/5'])(
      'refuses the range %s',
      async (range) => {
        const at = await begin(`${newKey()}/default.tfstate`);
        expect(await send('PUT', at, { headers: { 'content-range': range } })).toMatchObject({ status: 400 });
      },
    );
  });

  it('gives a lock that is put again again, and answers its release that comes again', async () => {
    const name = `${newKey()}/default.tflock`;
    const lock = sampleLock('one');
    const granted = json(await put(name, lock, '&ifGenerationMatch=0'));
    expect(json(await put(name, lock, '&ifGenerationMatch=0'))).toMatchObject({
      generation: granted['generation'],
    });
    const at = object(name, `?ifGenerationMatch=${String(granted['generation'])}`);
    expect(await send('DELETE', at)).toMatchObject({ status: 204 });
    expect(await send('DELETE', at)).toMatchObject({ status: 204 });
    const strange = object(name, '?ifGenerationMatch=99');
    expect(await send('DELETE', strange)).toMatchObject({ status: 404 });
    const again = { 'x-goog-api-client': 'gl-go/1.23 gccl-invocation-id/x gccl-attempt-count/2' };
    expect(await send('DELETE', strange, { headers: again })).toMatchObject({ status: 204 });
  });

  it('releases no lock for a generation that it cannot read', async () => {
    const name = `${newKey()}/default.tflock`;
    await put(name, sampleLock('held'));
    expect(await send('DELETE', object(name, '?generation=x'))).toMatchObject({ status: 400 });
    expect((await send('GET', `/acme/${name}`)).text).toContain('held');
  });

  it('shows whoever was refused the lock that it was refused for, even if that has gone meanwhile', async () => {
    const name = `${newKey()}/default.tflock`;
    const run = { 'user-agent': 'Terraform/1.11.4' };
    const held = json(await put(name, sampleLock('first'), '&ifGenerationMatch=0', run));
    expect(await put(name, sampleLock('second'), '&ifGenerationMatch=0', run)).toMatchObject({ status: 412 });
    await send('DELETE', object(name, `?ifGenerationMatch=${String(held['generation'])}`), { headers: run });
    expect((await send('GET', `/acme/${name}`, { headers: run })).text).toContain('first');
    expect(json(await send('GET', object(name), { headers: run }))).toMatchObject({
      generation: held['generation'],
    });
    expect(await send('GET', `/acme/${name}`, { headers: run })).toMatchObject({ status: 404 });
  });

  it('lists by prefix and delimiter, page by page, with the locks that are held', async () => {
    const key = newKey();
    for (const workspace of ['a', 'b', 'c']) await put(`${key}/${workspace}.tfstate`, sampleState(1));
    await put(`${key}/deeper/a.tfstate`, sampleState(1));
    await put(`${key}/b.tflock`, sampleLock('held'));
    const names: string[] = [];
    let token = '';
    do {
      const page = json(
        await send(
          'GET',
          `${OBJECTS}?prefix=${encodeURIComponent(`${key}/`)}&delimiter=/&maxResults=2&pageToken=${token}`,
        ),
      ) as { items: { name: string }[]; prefixes: string[]; nextPageToken?: string };
      names.push(...page.items.map((item) => item.name), ...page.prefixes);
      token = page.nextPageToken ?? '';
    } while (token !== '');
    expect(names.sort()).toEqual(
      ['a.tfstate', 'b.tflock', 'b.tfstate', 'c.tfstate', 'deeper/'].map((name) => `${key}/${name}`),
    );
    expect(await send('GET', `${OBJECTS}?pageToken=?`)).toMatchObject({ status: 400 });
  });

  it.each([
    ['a name without a prefix', 'default.tfstate', sampleState(1), '', 400, 'give the backend block one'],
    ['another name', 'net/a.txt', 'x', '', 400, 'ends with neither'],
    ['a way up', 'net/../a/default.tfstate', sampleState(1), '', 400, 'segment'],
    ['no state', 'net/x/default.tfstate', 'hello', '', 400, ''],
    ['no lock info', 'net/x/default.tflock', 'hello', '', 400, 'lock info'],
    [
      'a key of Cloud KMS',
      'net/x/default.tfstate',
      sampleState(1),
      '&kmsKeyName=k',
      400,
      'kms_encryption_key',
    ],
    ['a public ACL', 'net/x/default.tfstate', sampleState(1), '&predefinedAcl=publicRead', 501, 'private'],
    [
      'a condition that is no number',
      'net/x/default.tfstate',
      sampleState(1),
      '&ifGenerationMatch=x',
      400,
      'number',
    ],
  ])('refuses %s, and says why', async (_, name, body, more, status, text) => {
    const answer = await put(name, body, more);
    expect(answer.status).toBe(status);
    expect(json(answer)).toMatchObject({ error: { code: status, errors: [{ domain: 'global' }] } });
    expect(answer.text).toContain(text);
  });

  it.each([
    ['POST', object('net/1/default.tfstate', '/compose')],
    ['DELETE', '/storage/v1/b/acme'],
    ['GET', '/storage/v1/b/acme/iam'],
    ['PUT', '/acme/net/1/default.tfstate'],
  ])('says of %s %s that it is not done here', async (method, path) => {
    const answer = await send(method, path);
    expect(answer.status).toBe(501);
  });

  it('leaves paths without a bearer token to others', async () => {
    expect(await house.ask('GET', '/acme/net/1/default.tfstate', { as: null })).toMatchObject({
      status: 404,
    });
    expect(await house.ask('GET', OBJECTS, { as: null })).toMatchObject({ status: 401 });
  });
});

function json({ text }: Answer): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
