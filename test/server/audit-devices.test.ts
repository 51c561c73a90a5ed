import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log, LogFields } from '../../src/ports/log.ts';
import type { AuditDevices } from '../../src/server/audit-devices/devices.ts';
import { openDevices } from '../../src/server/audit-devices/open.ts';
import { readDevices, type DeviceSetting } from '../../src/server/audit-devices/read-device.ts';
import { verifyKept } from '../../src/server/verify-kept.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

const NET = '/http/acme/net';
const SECRET = 'pa55word-of-the-collector';

function devicesOf(text: string): readonly DeviceSetting[] {
  const read = readDevices(text);
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

describe('an audit device', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'statehouse-audit-'));
    path = join(directory, 'audit.log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const lines = (file = path): Record<string, unknown>[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const open = (text: string, auditRequired = false): Promise<TestHouse> =>
    TestHouse.open({ auditDevices: devicesOf(text), auditRequired });

  it('that is a file has every record, as the API shows it, and is reopened after it was moved', async () => {
    await using house = await open(`file:${path}`);
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    await house.ask('POST', NET, { body: sampleState(1) });
    await house.ask('LOCK', NET, { body: sampleLock('mine') });
    await house.ask('GET', NET, { as: reader });
    const { headers } = await house.ask('POST', NET, { body: sampleState(2), as: reader });
    await house.ask('GET', NET, { as: { id: reader.id, secret: 'w'.repeat(40) } });
    const actions = ['credential-create', 'credential-create', 'write', 'lock', 'read', 'write', 'enter'];
    await eventually('all are there', () => lines().length === actions.length);
    expect(lines().map(({ action }) => action)).toEqual(actions);
    expect(lines()[5]).toMatchObject({
      address: 'acme/net',
      refused: 'forbidden',
      subject: 'token:reader',
      credential: reader.id,
      door: 'http',
      requestId: headers['x-request-id'],
    });
    expect(lines()[2]).toMatchObject({ refused: null, detail: { version: 1 } });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const secret of [reader.secret, 'wwww']) expect(readFileSync(path, 'utf8')).not.toContain(secret);

    renameSync(path, `${path}.1`);
    process.emit('SIGHUP');
    await house.ask('UNLOCK', NET, { body: sampleLock('mine') });
    await eventually('the new file has it', () => lines().length === 1);
    expect(lines()).toMatchObject([{ action: 'unlock' }]);
    expect(lines(`${path}.1`)).toHaveLength(actions.length);
  });

  it('is told where the log ends when the server stops, as the API tells it and the log is verified by', async () => {
    const store = { kind: 'directory', path: join(directory, 'data') } as const;
    const masterKeys = Buffer.alloc(32, 7).toString('base64');
    const house = await TestHouse.open({ auditDevices: devicesOf(`file:${path}`), store, masterKeys });
    await house.ask('POST', NET, { body: sampleState(1) });
    const answer = await house.ask('GET', '/api/v1/audit/head');
    const { head } = JSON.parse(answer.text) as { head: string };
    const reader = await house.credential('reader', [{ role: 'admin', pattern: 'acme/*' }]);
    expect((await house.ask('GET', '/api/v1/audit/head', { as: reader })).status).toBe(403);
    await house.close();
    const told = lines().filter(({ action }) => action === 'audit-head');
    const { head: last } = told[told.length - 1]!['detail'] as { head: string };
    const kept = { store, masterKeys, masterKeyFile: null, exposedSecrets: false };
    expect((await verifyKept(kept, [head, last])).auditHead).toBe(last);
  });

  it('that is a syslog collector gets a message of RFC 5424 for each, over UDP and over TCP', async () => {
    const datagrams: string[] = [];
    const udp = createSocket('udp4').on('message', (message) => void datagrams.push(message.toString()));
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    let heard = '';
    const sockets: Socket[] = [];
    const tcp = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (chunk) => (heard += chunk.toString()));
    }).listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const ports = [udp.address().port, (tcp.address() as AddressInfo).port];
    {
      await using house = await open(`syslog:127.0.0.1:${ports[0]},syslog+tcp:127.0.0.1:${ports[1]}`);
      await house.ask('POST', NET, { body: sampleState(1) });
      await eventually('both have it', () => /"write"/.test(heard) && datagrams.length === 2);
    }
    const message = /^<110>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ statehouse \d+ audit - (\{.*\})$/;
    expect(JSON.parse(message.exec(datagrams[1] ?? '')?.[1] ?? 'null')).toMatchObject({ action: 'write' });
    const length = Number(/^\d+/.exec(heard)?.[0]);
    const [first, rest] = [heard.slice(String(length).length + 1).slice(0, length), heard.slice(length + 4)];
    expect(first).toMatch(message);
    expect(rest.slice(rest.indexOf('<'))).toMatch(message);
    udp.close();
    for (const socket of sockets) socket.destroy();
    tcp.close();
  });

  it('that is an HTTP collector gets JSON lines, and the records that came while it was down', async () => {
    const bodies: string[] = [];
    const seen: (string | undefined)[] = [];
    let status = 503;
    const server = createHttpServer((request, response) => {
      text(request).then((body) => {
        if (status === 200) bodies.push(body);
        seen.push(request.headers.authorization);
        return response.writeHead(status).end();
      }, response.destroy);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const logged: (LogFields | undefined)[] = [];
    const say = (_: string, fields?: LogFields): void => void logged.push(fields);
    const log: Log = { debug: say, info: say, warn: say, error: say };
    const url = `http://audit:${SECRET}@127.0.0.1:${port}/in?token=${SECRET}`;
    const devices = openDevices(devicesOf(url), { required: false, log }) as AuditDevices;
    const note = { action: 'write', subject: 'token:ci', door: 'http', detail: {} };
    devices.write({ at: 0, address: null, note });
    await eventually('it was tried', () => seen.length > 0);
    devices.write({ at: 1, address: null, note });
    await devices.accepted();
    status = 200;
    await eventually('both arrive', () => bodies.join('').split('\n').length === 3, 5_000);
    expect(seen[0]).toBe(`Basic ${Buffer.from(`audit:${SECRET}`).toString('base64')}`);
    // The collector has the records a moment before the device has its answer.
    await eventually('the device knows', () => devices.standings[0]?.waiting === 0);
    expect(devices.standings).toEqual([
      { name: `http://127.0.0.1:${port}/in`, taken: 2, dropped: 0, waiting: 0 },
    ]);
    await devices.close();
    expect(logged.length).toBeGreaterThan(0);
    expect(JSON.stringify([logged, devices.standings])).not.toContain(SECRET);
    server.closeAllConnections();
    server.close();
  });

  describe('that is down', () => {
    const dead = 'syslog+tcp:127.0.0.1:1';

    it('holds nothing up', async () => {
      await using house = await open(dead);
      expect((await house.ask('POST', NET, { body: sampleState(1) })).status).toBe(200);
    });

    it('holds nothing up while another takes the records, though one must', async () => {
      await using house = await open(`${dead},file:${path}`, true);
      expect((await house.ask('POST', NET, { body: sampleState(1) })).status).toBe(200);
      expect(lines().at(-1)).toMatchObject({ action: 'write' });
      await house.ask('GET', NET);
      expect(lines().at(-1)).toMatchObject({ action: 'read' });
    });

    it('has nothing answered, where one must take each record, until it does again', async () => {
      await using house = await open(`file:${path}`, true);
      await house.ask('POST', NET, { body: sampleState(1) });
      // A directory in its place cannot be written to.
      renameSync(path, `${path}.1`);
      rmSync(path, { force: true });
      const blocked = mkdtempSync(`${path}-`);
      renameSync(blocked, path);
      process.emit('SIGHUP');
      const { status, text: said } = await house.ask('GET', NET);
      expect([status, said.includes('lineage')]).toEqual([503, false]);
      expect((await house.ask('GET', NET)).status).toBe(503);
      rmSync(path, { recursive: true });
      await eventually('it goes on', async () => (await house.ask('GET', NET)).status === 200, 5_000);
      expect(lines().map(({ action }) => action)).toContain('read');
    });
  });

  it.each(['file:', 'syslog:host', 'syslog:host:99999', `ftp://u:${SECRET}@host`, 'https://', ''])(
    'is not %s, and what was given is not told',
    (given) => {
      const read = readDevices(given);
      expect(read).toMatchObject({ problem: expect.stringContaining('expected file:PATH') });
      expect(JSON.stringify(read)).not.toContain(SECRET);
    },
  );
});
