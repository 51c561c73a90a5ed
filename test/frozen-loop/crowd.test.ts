import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { signAsk } from '../support/ask-signed.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { basic } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';
import { LATE_MS, slowestAnswer } from '../support/slowest-answer.ts';
import type { Pair } from '../support/test-admin.ts';

// Many who send next to nothing, and few who announce everything: neither may keep others from writing.

const CROWD = 1_000;
const LARGEST = 512 * 1_024 * 1_024;
const SECONDS = 3;

describe(`beside ${CROWD} connections that send a byte a second, and two that announce the largest state`, () => {
  it('others write, and are answered in time', { timeout: 120_000 }, async () => {
    await using house = await TestHouse.open();
    const sandbox = await house.credential('sandbox', [{ role: 'writer', pattern: 'sandbox/*' }]);
    const team = await house.credential('team', [{ role: 'writer', pattern: 'acme/*' }]);
    const heads = await headsOf(house, sandbox);
    const sockets: Socket[] = [];
    try {
      for (let at = 0; at < CROWD; at += 1)
        sockets.push(await begin(house.url, heads[at % heads.length] ?? ''));
      for (const path of ['a', 'b']) sockets.push(await begin(house.url, plainHead(sandbox, path, LARGEST)));
      let serial = 0;
      const wait = await slowestAnswer(house.url, async () => {
        for (let second = 0; second < SECONDS; second += 1) {
          for (const socket of sockets.slice(0, CROWD)) socket.write(' ');
          for (let writes = 0; writes < 5; writes += 1) {
            const body = sampleState((serial += 1));
            expect((await house.ask('POST', '/http/acme/net', { body, as: team })).status).toBe(200);
          }
          await sleep(1_000);
        }
      });
      expect(wait).toBeLessThan(LATE_MS);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

/** The beginnings of requests with a body: one at each door, and one by nobody. */
async function headsOf({ url }: TestHouse, as: Pair): Promise<readonly string[]> {
  const { host } = new URL(url);
  const signed = await signAsk(
    url,
    {
      method: 'PUT',
      path: '/sandbox/c',
      service: 's3',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    },
    as,
  );
  const lines = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const scope = 'Credential=SHNOBODYNOBODY12/20260101/us-east-1/dynamodb/aws4_request';
  const nobody = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=${'a1'.repeat(32)}`;
  return [
    plainHead(as, 'd', 10_000),
    `PUT /sandbox/c HTTP/1.1\r\n${lines.join('')}content-length: 10000\r\n\r\n`,
    `POST / HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${nobody}\r\ncontent-length: 10000\r\n\r\n`,
    `POST /http/sandbox/e HTTP/1.1\r\nhost: ${host}\r\ncontent-le`,
  ];
}

function plainHead(as: Pair, path: string, length: number): string {
  return `POST /http/sandbox/${path} HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(as)}\r\ncontent-length: ${length}\r\n\r\n{`;
}

async function begin(url: string, head: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  socket.write(head);
  return socket;
}
