import { once } from 'node:events';
import { createServer, request as sendRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineFault } from '../../src/ports/engine.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Door, DoorReply, DoorRequest } from '../../src/protocols/door.ts';
import { readBody } from '../../src/protocols/wire/read-body.ts';
import { dispatch } from '../../src/server/dispatch.ts';
import { systemEntropy } from '../../src/server/runtime.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { Traffic } from '../../src/server/traffic.ts';
import { eventually } from '../support/eventually.ts';
import { RawConnection } from '../support/raw-connection.ts';
import { ask, type Answer } from '../support/request.ts';

const MEBIBYTE = 1_048_576;

/** A door whose answers a test decides. */
class PlayedDoor implements Door {
  readonly name = 'played';
  readonly routes = { paths: ['/played', '/played/*'] };
  play: (request: DoorRequest) => Promise<DoorReply> = async () => reply(200, 'played');

  answer(request: DoorRequest): Promise<DoorReply> {
    return this.play(request);
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return reply(503, message);
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return reply(429, `again in ${retryAfterSeconds}`);
  }
}

function reply(status: number, text: string | null, more: Partial<DoorReply> = {}): DoorReply {
  const body = text === null ? null : Buffer.from(text);
  return { operation: 'play', status, headers: {}, body, ...more };
}

describe('an exchange', () => {
  let server: Server;
  let url: string;
  let door: PlayedDoor;
  let metrics: Metrics;
  let faults: string[];
  let fatal: EngineFault[];

  beforeEach(async () => {
    door = new PlayedDoor();
    metrics = new Metrics(
      {
        parked: 0,
        inFlightBytes: 0,
        seals: 0,
        listen: () => () => undefined,
        lockFigures: () => Promise.reject(new Error('not asked')),
        storedFigures: () => Promise.reject(new Error('not asked')),
        lockIdle: 0,
        lag: null,
        webhooks: { counts: { sent: 0, failed: 0, givenUp: 0, dropped: 0 } },
        backups: { last: () => Promise.resolve(null) },
      },
      null,
    );
    faults = [];
    fatal = [];
    const say = (): void => undefined;
    const log: Log = { debug: say, info: say, warn: say, error: (message) => void faults.push(message) };
    const clock = { now: () => Date.now(), after: () => () => undefined };
    const traffic = new Traffic({ requestRate: 0, trustedProxies: [] }, { clock, log });
    const handler = dispatch({
      doors: [door],
      log,
      metrics,
      entropy: systemEntropy,
      traffic,
      reach: { publicUrl: null, domain: null },
      deliveries: { watch: () => undefined },
      fatal: (fault) => void fatal.push(fault),
    });
    server = createServer(handler);
    server.on('checkContinue', handler);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const send = (method: string, target: string, body?: string): Promise<Answer> =>
    ask(url, method, target, { as: null, ...(body === undefined ? {} : { body }) });
  const count = async (line: string): Promise<boolean> => (await metrics.text()).body.includes(line);

  /** Says what one connection hears when it sends each text in turn and waits for the answer to it. */
  async function converse(...texts: readonly string[]): Promise<{ heard: string[]; closed: boolean }> {
    await using connection = await RawConnection.open(url);
    const heard: string[] = [];
    for (const text of texts) {
      const before = connection.heard.length;
      connection.send(text);
      await eventually(
        'an answer',
        () => /\r\n\r\n/.test(connection.heard.slice(before)) || connection.closed,
      );
      heard.push(connection.heard.slice(before).split('\r\n')[0] ?? '');
    }
    return { heard, closed: connection.closed };
  }

  describe('goes on after a refusal', () => {
    it('names each request anew, whatever the client calls it, in its answer and to its door', async () => {
      const seen: string[] = [];
      door.play = async ({ id }) => {
        seen.push(id);
        return reply(200, 'played');
      };
      const named = { headers: { 'x-request-id': 'mine' }, as: null };
      const answers = [await ask(url, 'GET', '/played', named), await ask(url, 'GET', '/played', named)];
      expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(seen);
      expect(new Set(seen).size).toBe(2);
      expect(seen.every((id) => /^[0-9A-F]{16}$/.test(id))).toBe(true);
      expect((await send('GET', '/nowhere')).headers['x-request-id']).toMatch(/^[0-9A-F]{16}$/);
    });

    it('on the same connection, when nothing or little of the request was left unread', async () => {
      const { heard } = await converse(
        'GET /nowhere HTTP/1.1\r\nhost: h\r\n\r\n',
        `GET /played?${'x'.repeat(9_000)} HTTP/1.1\r\nhost: h\r\n\r\n`,
        'POST /played HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n0123456789',
        'GET /played HTTP/1.1\r\nhost: h\r\n\r\n',
      );
      expect(heard).toEqual([
        'HTTP/1.1 404 Not Found',
        'HTTP/1.1 414 URI Too Long',
        'HTTP/1.1 200 OK',
        'HTTP/1.1 200 OK',
      ]);
    });

    it('once a short body of unknown length has come, so that its sender is not cut off before it reads', async () => {
      door.play = async () => reply(400, 'refused');
      await using connection = await RawConnection.open(url);
      connection.send('POST /played HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(connection.closed).toBe(false);
      connection.send('0\r\n\r\n');
      await eventually('the answer comes', () => connection.heard.endsWith('refused'));
      expect(connection.heard.toLowerCase()).not.toContain('connection: close');
    });

    it('on another one, when much is still to come: the answer is heard, and the sender cut off', async () => {
      door.play = async () => reply(413, 'too large');
      await using connection = await RawConnection.open(url);
      connection.send(`POST /played HTTP/1.1\r\nhost: h\r\ncontent-length: ${600 * MEBIBYTE}\r\n\r\n`);
      const sending = setInterval(() => connection.send('x'.repeat(65_536)), 20);
      try {
        await eventually('the answer comes', () => connection.heard.endsWith('too large'));
        expect(connection.heard.toLowerCase()).toContain('connection: close');
        await eventually('the sender is cut off', () => connection.closed, 5_000);
      } finally {
        clearInterval(sending);
      }
    });

    it('and not for a sender that never sends what it announced', async () => {
      await using connection = await RawConnection.open(url);
      connection.send('POST /played HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n012');
      await eventually('the answer comes', () => connection.heard.includes('played'));
      await eventually('the sender is cut off', () => connection.closed, 5_000);
    });
  });

  it.each<readonly [target: string, path: string]>([
    ['http://proxied.test/played/a?b=c', '/played/a'],
    ['HTTPS://proxied.test:80/played', '/played'],
  ])('knows the path of a whole URL, as a client of a proxy sends it: %s', async (target, path) => {
    let seen = '';
    door.play = async (request) => {
      seen = request.path;
      return reply(200, 'played');
    };
    const { heard } = await converse(`GET ${target} HTTP/1.1\r\nhost: proxied.test\r\n\r\n`);
    expect([heard[0], seen]).toEqual(['HTTP/1.1 200 OK', path]);
  });

  it('asks for a body only when somebody wants to read it', async () => {
    const attempt = async (): Promise<{ status: number; asked: boolean }> => {
      const headers = { expect: '100-continue', 'content-length': '4' };
      const request = sendRequest(`${url}/played`, { method: 'PUT', headers, agent: false });
      let asked = false;
      request.once('continue', () => {
        asked = true;
        request.end('body');
      });
      request.flushHeaders();
      const [response] = (await once(request, 'response')) as [{ statusCode: number; resume(): void }];
      response.resume();
      request.destroy();
      return { status: response.statusCode, asked };
    };
    door.play = async () => reply(403, 'no');
    expect(await attempt()).toEqual({ status: 403, asked: false });
    door.play = async (request) => reply(200, String(await readBody(request, 10)));
    expect(await attempt()).toEqual({ status: 200, asked: true });
  });

  it('takes a body that breaks off for a fault of the sender, and never for a whole one', async () => {
    let seen: unknown = null;
    door.play = async (request) => {
      try {
        seen = await readBody(request, 100);
      } catch (fault) {
        seen = fault;
        throw fault;
      }
      return reply(200, 'read');
    };
    for (const text of ['content-length: 10\r\n\r\n012', 'transfer-encoding: chunked\r\n\r\n3\r\n012\r\n']) {
      const connection = await RawConnection.open(url);
      connection.send(`POST /played HTTP/1.1\r\nhost: h\r\n${text}`);
      await new Promise((resolve) => void setTimeout(resolve, 50));
      connection.drop();
      await eventually('the door has seen it', () => seen !== null);
      expect(String(seen)).toContain('the body broke off');
      seen = null;
    }
    expect(faults).toEqual([]);
  });

  it('says a length only where there is one to say', async () => {
    const lengths: unknown[] = [];
    for (const [method, status] of [
      ['GET', 200],
      ['GET', 204],
      ['GET', 304],
      ['HEAD', 200],
    ] as const) {
      door.play = async () => reply(status, null);
      lengths.push((await send(method, '/played')).headers['content-length']);
    }
    expect(lengths).toEqual(['0', undefined, undefined, undefined]);
    let poured = false;
    const body = (async function* (): AsyncGenerator<Uint8Array> {
      poured = true;
      yield Buffer.from('body');
    })();
    door.play = async () => reply(200, null, { body });
    expect((await send('HEAD', '/played')).text).toBe('');
    expect(poured).toBe(false);
  });

  it('streams a large body no faster than it is read', async () => {
    let produced = 0;
    const piece = Buffer.alloc(65_536, 'x');
    door.play = async () =>
      reply(200, null, {
        body: (async function* (): AsyncGenerator<Uint8Array> {
          for (; produced < 64 * MEBIBYTE; produced += piece.length) yield piece;
        })(),
      });
    const request = sendRequest(`${url}/played`, { agent: false });
    request.end();
    const [response] = (await once(request, 'response')) as [
      AsyncIterable<Buffer> & { pause(): void; statusCode: number },
    ];
    response.pause();
    await new Promise((resolve) => void setTimeout(resolve, 500));
    // What fits into the kernel's buffers on both sides, and a little more.
    expect(produced).toBeLessThan(24 * MEBIBYTE);
    let received = 0;
    for await (const chunk of response) received += chunk.length;
    expect(received).toBe(64 * MEBIBYTE);
  });

  it('breaks the connection when the source of a body fails, so that no part is taken for the whole', async () => {
    for (const headers of [{}, { 'content-length': '1000' }]) {
      door.play = async () =>
        reply(200, null, {
          headers: headers as Record<string, string>,
          body: (async function* (): AsyncGenerator<Uint8Array> {
            yield Buffer.from('half');
            await new Promise((resolve) => void setTimeout(resolve, 20));
            throw new EngineFault('a page is damaged');
          })(),
        });
      await expect(send('GET', '/played')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    }
    expect(faults).toEqual(['a reply broke off', 'a reply broke off']);
    expect(
      await count('statehouse_request_duration_seconds_count{door="played",operation="play",status="200"} 2'),
    ).toBe(true);
    expect(await count('statehouse_replies_undelivered_total{door="played",operation="play"} 2')).toBe(true);
  });

  it('lets go of the source of a body when its reader goes', async () => {
    let released = false;
    door.play = async () =>
      reply(200, null, {
        body: (async function* (): AsyncGenerator<Uint8Array> {
          try {
            for (;;) {
              yield Buffer.alloc(1_000);
              await new Promise((resolve) => void setTimeout(resolve, 5));
            }
          } finally {
            released = true;
          }
        })(),
      });
    const connection = await RawConnection.open(url);
    connection.send('GET /played HTTP/1.1\r\nhost: h\r\n\r\n');
    await eventually('some of it has come', () => connection.heard.length > 2_000);
    connection.drop();
    await eventually('the source is let go', () => released);
    expect(faults).toEqual([]);
  });

  describe('whose client goes', () => {
    it('before it is answered: the door is told, at once and once', async () => {
      let gone = false;
      let takenBack = 0;
      door.play = (request) =>
        new Promise((resolve) => {
          request.gone.addEventListener('abort', () => {
            gone = true;
            resolve(reply(200, 'granted', { undelivered: () => void (takenBack += 1) }));
          });
        });
      const connection = await RawConnection.open(url);
      connection.send('LOCK /played HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n');
      await new Promise((resolve) => void setTimeout(resolve, 50));
      connection.drop();
      await eventually('the grant is taken back', () => takenBack > 0);
      expect([gone, takenBack]).toEqual([true, 1]);
      expect(await count('statehouse_replies_undelivered_total{door="played",operation="play"} 1')).toBe(
        true,
      );
    });

    it('after it was answered: nothing is taken back', async () => {
      let takenBack = 0;
      let signal: AbortSignal | null = null;
      door.play = async (request) => {
        signal = request.gone;
        return reply(200, 'granted', { undelivered: () => void (takenBack += 1) });
      };
      expect((await send('LOCK', '/played')).text).toBe('granted');
      server.closeAllConnections();
      await new Promise((resolve) => void setTimeout(resolve, 50));
      expect(takenBack).toBe(0);
      expect((signal as AbortSignal | null)?.aborted).toBe(false);
    });

    it('and a reply that cannot even be begun counts as not delivered', async () => {
      let takenBack = 0;
      door.play = async () =>
        reply(200, 'granted', {
          headers: { 'x-broken': 'line\nfeed' },
          undelivered: () => void (takenBack += 1),
        });
      await expect(send('LOCK', '/played')).rejects.toThrow();
      expect([takenBack, faults]).toEqual([1, ['a reply broke off']]);
    });
  });

  describe('answers a fault in the words of its door', () => {
    it('and never as something that is not there', async () => {
      door.play = async () => {
        throw new EngineFault('the disk is slow');
      };
      const answer = await send('GET', '/played');
      expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('try again in a moment')]);
      expect(fatal).toEqual([]);
      expect(faults).toHaveLength(1);
    });

    it('and stops the house when nothing can be trusted any more', async () => {
      const fault = new EngineFault('the disk is full', { fatal: true });
      door.play = async () => {
        throw fault;
      };
      expect((await send('GET', '/played')).status).toBe(503);
      expect(fatal).toEqual([fault]);
    });
  });

  it('lets no page of another site change anything, and lets such pages read no more than others', async () => {
    const statuses: number[] = [];
    const own = new URL(url).host;
    for (const [method, headers] of [
      ['POST', { origin: 'https://evil.example' }],
      ['POST', { origin: 'null' }],
      ['DELETE', { 'sec-fetch-site': 'cross-site' }],
      ['POST', { 'sec-fetch-site': 'same-site', origin: `http://${own}` }],
      ['POST', { origin: `http://${own}` }],
      ['POST', { origin: 'https://house.example', 'x-forwarded-host': 'house.example' }],
      ['POST', { 'sec-fetch-site': 'same-origin', origin: `http://${own}` }],
      ['GET', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
      ['POST', {}],
    ] as const) {
      const answer = await ask(url, method, '/played', {
        as: null,
        headers: headers as Record<string, string>,
      });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([403, 403, 403, 403, 200, 200, 200, 200, 200]);
  });

  it('tells browsers to run nothing and to keep nothing, whatever its door says', async () => {
    const headers = {
      'content-type': 'text/html',
      'content-security-policy': 'default-src *',
      'x-content-type-options': 'other',
    };
    door.play = async () => reply(200, '<script>', { headers });
    const ours = {
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    };
    expect((await ask(url, 'GET', '/played')).headers).toMatchObject(ours);
    const page = "default-src 'self'";
    door.play = async () => reply(200, 'our own', { page, headers: { 'cache-control': 'no-cache' } });
    const own = { ...ours, 'content-security-policy': page, 'cache-control': 'no-cache' };
    expect((await ask(url, 'GET', '/played')).headers).toMatchObject(own);
  });

  it('refuses headers beyond measure', async () => {
    const { heard } = await converse(
      `GET /played HTTP/1.1\r\nhost: h\r\nx-much: ${'x'.repeat(70_000)}\r\n\r\n`,
    );
    expect(heard).toEqual(['HTTP/1.1 431 Request Header Fields Too Large']);
  });
});
