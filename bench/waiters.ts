import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { eventually } from '../test/support/eventually.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask, basic } from '../test/support/request.ts';
import { sampleLock } from '../test/support/sample-state.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, megabytes, milliseconds, seconds } from './table.ts';
import { usageOf } from './usage.ts';

const WAITERS = 10_000;
const WAVE = 500;
const HANDOVERS = 200;

/** (d) Very many that wait for one lock: what they cost while they wait, and how fast the lock goes from one to the next. */
export async function waiters(): Promise<Section> {
  await using house = await HouseProcess.start();
  await lock(house, 'holder');
  const before = await usageOf(house.pid);
  const sockets = await open(house.port);
  const connected = await usageOf(house.pid);
  const began = performance.now();
  for (const [index, socket] of sockets.entries()) socket.write(asking(index));
  await eventually('all are parked', async () => (await parked(house)) === WAITERS, 600_000);
  const parkMs = performance.now() - began;
  const during = await usageOf(house.pid);
  progress(`waiters: ${WAITERS} parked in ${seconds(parkMs)}`);
  const handMs = await handOver(house, sockets);
  for (const socket of sockets) socket.destroy();
  const perWaiter = (during.rssBytes - before.rssBytes) / WAITERS / 1_000;
  return {
    name: 'waiters',
    title: '10,000 waiters on one lock',
    text: `${WAITERS.toLocaleString('en')} connections each ask for one held lock with \`?wait=10m\` and are held open. Then the lock goes through the first
${HANDOVERS} of them: each releases it as soon as it has it.`,
    table: markdownTable(
      ['', ''],
      [
        ['server before', megabytes(before.rssBytes)],
        ['with the connections open', megabytes(connected.rssBytes)],
        ['with all of them parked', megabytes(during.rssBytes)],
        ['memory a waiter, connection included', `${perWaiter.toFixed(1)} kB`],
        ['time to park them all', seconds(parkMs)],
        ['parked a second', Math.round((WAITERS / parkMs) * 1_000).toLocaleString('en')],
        [`one release and grant, with all the others in line`, milliseconds(handMs)],
      ],
    ),
  };
}

/** @returns milliseconds from one grant to the next */
async function handOver(house: HouseProcess, sockets: readonly Socket[]): Promise<number> {
  const granted = (socket: Socket): Promise<unknown> => once(socket, 'data');
  let next = granted(sockets[0] as Socket);
  await ask(house.url, 'UNLOCK', '/http/bench/waiters', { body: sampleLock('holder') });
  await next;
  const began = performance.now();
  for (let index = 0; index < HANDOVERS; index += 1) {
    next = granted(sockets[index + 1] as Socket);
    await ask(house.url, 'UNLOCK', '/http/bench/waiters', { body: sampleLock(`waiter-${index}`) });
    await next;
  }
  return (performance.now() - began) / HANDOVERS;
}

function asking(index: number): string {
  const body = sampleLock(`waiter-${index}`);
  const head = [
    'LOCK /http/bench/waiters?wait=10m HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: ${basic(TEST_ADMIN)}`,
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

async function open(port: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < WAITERS) {
    const wave = Array.from({ length: WAVE }, () => connect(port, '127.0.0.1'));
    await Promise.all(wave.map((socket) => once(socket, 'connect')));
    sockets.push(...wave);
  }
  return sockets;
}

async function lock({ url }: HouseProcess, lockId: string): Promise<void> {
  await ask(url, 'LOCK', '/http/bench/waiters', { body: sampleLock(lockId) });
}

async function parked({ url }: HouseProcess): Promise<number> {
  const { text } = await ask(url, 'GET', '/metrics');
  return Number(/^statehouse_parked_requests (\d+)$/m.exec(text)?.[1]);
}
