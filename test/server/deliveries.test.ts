import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { Deliveries, type Connection } from '../../src/server/deliveries.ts';
import { procAddress, unacknowledged } from '../../src/server/unacknowledged.ts';
import { eventually } from '../support/eventually.ts';

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SCENARIO = new URL('./fixtures/vanishing-clients.mjs', import.meta.url).pathname;

/** A connection whose client may vanish, hang up, or speak. */
class Client {
  isAcknowledging = true;
  lost = 0;
  readonly told: boolean[] = [];
  readonly connection = {
    bytesRead: 100,
    destroyed: false,
    errored: null as Error | null,
    readableEnded: false,
    destroy(): void {
      this.destroyed = true;
    },
  };

  get socket(): Connection {
    return this.connection as unknown as Connection;
  }
}

/** Deliveries of a grant to one client, in time that the test moves. */
class Bench {
  readonly client: Client = new Client();
  readonly clock: ManualClock = new ManualClock(0);
  tells = true;
  /** How often the system was asked. */
  looks = 0;

  constructor() {
    const look = async (sockets: readonly Connection[]): Promise<ReadonlySet<Connection> | null> => {
      this.looks += 1;
      return this.tells ? new Set(this.client.isAcknowledging ? [] : sockets) : null;
    };
    const deliveries = new Deliveries({ clock: this.clock, log: QUIET, look });
    deliveries.watch(
      this.client.socket,
      () => (this.client.lost += 1),
      (isUnheard) => void this.client.told.push(isUnheard),
    );
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1_000);
      await new Promise(setImmediate);
    }
  }
}

describe('a grant that was sent', () => {
  it('is not looked for in the tables of the system when its client has gone on to ask since', async () => {
    const bench = new Bench();
    bench.client.connection.bytesRead += 300;
    await bench.pass(10);
    expect(bench).toMatchObject({ looks: 0, client: { lost: 0, told: [] } });
  });

  it('stands once the system of its client has acknowledged it, whatever becomes of the connection then', async () => {
    const bench = new Bench();
    await bench.pass(4);
    Object.assign(bench.client.connection, { destroyed: true, errored: new Error('reset') });
    bench.client.isAcknowledging = false;
    await bench.pass(60);
    expect(bench.client.lost).toBe(0);
  });

  it('is taken back once, and its connection cut, when its client acknowledges nothing for fifteen seconds', async () => {
    const bench = new Bench();
    bench.client.isAcknowledging = false;
    await bench.pass(14);
    expect(bench.client).toMatchObject({ lost: 0, told: [true], connection: { destroyed: false } });
    await bench.pass(2);
    expect(bench.client).toMatchObject({ lost: 1, told: [true, false], connection: { destroyed: true } });
    await bench.pass(60);
    expect(bench.client.lost).toBe(1);
  });

  it('is taken back when the connection breaks while it is not acknowledged, as by a client whose machine was reset', async () => {
    const bench = new Bench();
    bench.client.isAcknowledging = false;
    await bench.pass(4);
    Object.assign(bench.client.connection, { destroyed: true, errored: new Error('reset') });
    await bench.pass(3);
    expect(bench.client.lost).toBe(1);
  });

  it.each([
    ['closes in order', { destroyed: true, readableEnded: true }],
    ['asks for something else', { bytesRead: 200 }],
  ])('stands when its client %s, though the acknowledgement took long', async (_, deed) => {
    const bench = new Bench();
    bench.client.isAcknowledging = false;
    await bench.pass(4);
    Object.assign(bench.client.connection, deed);
    await bench.pass(60);
    expect(bench.client).toMatchObject({ lost: 0, told: [true, false] });
  });

  it('stands where the system does not tell', async () => {
    const bench = new Bench();
    bench.tells = false;
    await bench.pass(60);
    expect(bench.client.lost).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('what a system says of its connections', () => {
  const open: { close?: () => unknown; destroy?: () => unknown }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) (one.destroy ?? one.close)?.call(one);
  });

  it.each(['127.0.0.1', '::1', '::'])(
    'is which have bytes that are not acknowledged, at %s',
    async (host) => {
      const server = createServer().listen(0, host);
      open.push(server);
      await once(server, 'listening');
      const taken: Socket[] = [];
      server.on('connection', (socket) => {
        open.push(socket);
        taken.push(socket);
      });
      const peers = await Promise.all(
        [1, 2].map(async () => {
          const peer = connect((server.address() as AddressInfo).port, host === '::' ? '127.0.0.1' : host);
          open.push(peer);
          await once(peer, 'connect');
          return peer;
        }),
      );
      await eventually('both are there', () => taken.length === 2);
      const silent = taken.find(({ remotePort }) => remotePort === peers[0]?.localPort);
      peers[0]?.pause();
      // More than the other side takes, which nobody reads there.
      silent?.write(Buffer.alloc(50_000_000));
      await eventually(
        'one of them has too much',
        async () => ((await unacknowledged(taken))?.size ?? 0) > 0,
      );
      expect([...((await unacknowledged(taken)) ?? [])]).toEqual([silent]);
    },
  );

  it('has addresses in words of the machine', () => {
    expect(procAddress('10.1.2.3')).toBe('0302010A');
    expect(procAddress('::1')).toBe('00000000000000000000000001000000');
    expect(procAddress('::ffff:127.0.0.1')).toBe('0000000000000000FFFF00000100007F');
    expect(procAddress('fe80::12:3456%eth0')).toBe('000080FE000000000000000056341200');
  });
});

/** What the scenario saw. */
interface Vanished {
  readonly inApi: readonly string[];
  readonly onCommandLine: readonly string[];
  readonly left: readonly string[];
  readonly leftTheLine: number;
  readonly takenBack: number;
}

const hasNetworks = spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
if (!hasNetworks) console.log('no network of its own can be made here: clients that vanish are not tried');

describe.runIf(hasNetworks)('clients whose network is cut without a word', () => {
  it('lose their place in line, and a grant that they cannot have heard of, which is shown to be unheard, within 20 seconds', async () => {
    const child = spawn('unshare', ['-rn', process.execPath, SCENARIO], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child, 'exit');
    const { inApi, onCommandLine, left, leftTheLine, takenBack } = JSON.parse(said) as Vanished;
    expect([inApi, left]).toEqual([['ghost-granted'], []]);
    expect(onCommandLine[0]).toMatch(/acme\/granted +holds, not acknowledged/);
    expect(onCommandLine[1]).toContain('its client has not acknowledged that it was granted');
    expect(leftTheLine).toBeLessThan(20);
    expect(takenBack).toBeLessThan(22);
  });
});
