import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { amountOf } from '../support/amount.ts';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask, basic } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

/** As many as this machine lets a process have files open; the house raises its own limit as Node.js does. */
const CROWD = Math.min(amountOf('STATEHOUSE_CROWD', { few: 2_500, many: 10_000 }), openFilesMax() - 500);
/** Both take half a minute in the long run, where there is nothing else to do. */
const TIMEOUT_MS = 360_000;
/** Connections are opened so many at a time, as a kernel's backlog allows. */
const WAVE = 500;
/** How often each asks whether the server's end is still there. */
const PROBE_MS = 2_000;

describe(`${CROWD} connections`, { timeout: TIMEOUT_MS }, () => {
  it('that send half a request are put up with, cut off in time, and keep nobody else waiting', async () => {
    await using house = await HouseProcess.start();
    await ask(house.url, 'POST', '/http/acme/a', { body: sampleState(1) });
    const sockets = await crowd(house.url);
    try {
      for (const socket of sockets) {
        socket.resume();
        socket.write(`POST /http/acme/a HTTP/1.1\r\nauthorization: ${basic(TEST_ADMIN)}\r\ncontent-le`);
      }
      const began = performance.now();
      for (let serial = 2; serial <= 20; serial += 1) {
        const written = await ask(house.url, 'POST', '/http/acme/a', { body: sampleState(serial) });
        expect(written.status).toBe(200);
      }
      expect(performance.now() - began).toBeLessThan(60_000);
      await eventually('half requests are cut off', () => sockets.every(({ closed }) => closed), 120_000);
      expect((await ask(house.url, 'GET', '/readyz')).status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it('that wait for one lock are parked, and all of them leave the line when they go', async () => {
    await using house = await HouseProcess.start();
    await ask(house.url, 'LOCK', '/http/acme/a', { body: sampleLock('holder') });
    const other = await otherCredential(house);
    // As they come: whoever is let in and says nothing for long is cut off.
    const sockets = await crowd(house.url, async (wave, before) => {
      for (const [index, socket] of wave.entries()) {
        const body = sampleLock(`waiter-${before + index}`);
        const head = `LOCK /http/acme/a?wait=10m HTTP/1.1\r\nhost: h\r\nauthorization: ${basic(TEST_ADMIN)}\r\n`;
        socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
      }
      const after = before + wave.length;
      await eventually('all are parked', async () => (await parked(house)) === after, 120_000);
    });
    try {
      // The crowd may have all that one credential may have of a line; others still get a place in it.
      const refused = await ask(house.url, 'LOCK', '/http/acme/a', { body: sampleLock('late'), as: other });
      expect(JSON.parse(refused.text)).toMatchObject({
        ID: 'holder',
        Info: expect.stringContaining(`${CROWD} wait in line`) as string,
      });
      for (const socket of sockets) socket.destroy();
      await eventually('all have left', async () => (await parked(house)) === 0, 120_000);
      await ask(house.url, 'UNLOCK', '/http/acme/a', { body: sampleLock('holder') });
      const next = await ask(house.url, 'LOCK', '/http/acme/a', { body: sampleLock('next') });
      expect(next.status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

function openFilesMax(): number {
  const { userLimits } = process.report.getReport() as {
    userLimits: { open_files: { hard: number | string } };
  };
  const { hard } = userLimits.open_files;
  return hard === 'unlimited' ? Infinity : Number(hard);
}

/** @param greet what each wave does before the next one comes, and how many came before it */
async function crowd(
  url: string,
  greet: (wave: readonly Socket[], before: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  while (sockets.length < CROWD) {
    const size = Math.min(WAVE, CROWD - sockets.length);
    const wave = Array.from({ length: size }, () => connect(Number(port), hostname));
    await Promise.all(wave.map((socket) => once(socket, 'connect')));
    for (const socket of wave) {
      socket.on('error', () => undefined);
      // A kernel that is short of time drops packets on the loopback interface too, and a reset is not sent again.
      socket.setKeepAlive(true, PROBE_MS);
    }
    await greet(wave, sockets.length);
    await untilAccepted(Number(port), hostname);
    sockets.push(...wave);
  }
  return sockets;
}

/** Connections are accepted in their order, so when a later one is answered, none is left in the kernel's backlog. */
async function untilAccepted(port: number, hostname: string): Promise<void> {
  const socket = connect(port, hostname);
  socket.write('GET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
}

/** A second credential that may lock. */
async function otherCredential({ url }: HouseProcess): Promise<Pair> {
  const made = await ask(url, 'POST', '/api/v1/credentials', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'other', grants: [{ role: 'writer', pattern: '*' }] }),
  });
  expect(made.status).toBe(201);
  return JSON.parse(made.text) as Pair;
}

/** How many requests the house holds open now, by its own count. */
async function parked({ url }: HouseProcess): Promise<number> {
  const { text } = await ask(url, 'GET', '/metrics');
  return Number(/^statehouse_parked_requests (\d+)$/m.exec(text)?.[1]);
}
