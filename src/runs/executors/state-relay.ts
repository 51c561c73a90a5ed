import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Connections of one program to its state at a time. */
const CONNECTIONS_MAX = 32;
/** Where the relay is, within, and the program that it is. */
export const RELAY_PLACE = '/run/state';
export const RELAY_PROGRAM = '/run/relay';
const SOCKET = 'socket';
const LISTENS = 'listens';
const HOSTS = 'hosts';
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** What stands within: takes connections at the state's port, and passes them on to the socket. */
const INSIDE = `
const { connect, createServer } = require('node:net');
const { writeFileSync } = require('node:fs');
const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ path: '${RELAY_PLACE}/${SOCKET}', allowHalfOpen: true });
  for (const [one, other] of [[near, far], [far, near]]) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
    one.pipe(other);
  }
});
server.listen(Number(process.argv[1]), '127.0.0.1', () => writeFileSync('${RELAY_PLACE}/${LISTENS}', ''));
`;

/** The server and the port where a state is. */
export interface StatePlace {
  readonly host: string;
  readonly port: number;
}

/**
 * Where a program without a network has to find its state.
 * @throws Error with words for the operator for an address that cannot be had within
 */
export function placeOfState(url: string): StatePlace {
  const { hostname, port, protocol } = new URL(url);
  if ((isIP(hostname) !== 0 && hostname !== '127.0.0.1') || hostname.startsWith('['))
    throw new Error(
      `runs without a network find the server by its name, or at 127.0.0.1: ${hostname} is neither`,
    );
  return { host: hostname, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
}

/** The way of one program to its state, and to nothing else: a socket in a directory of its own. */
export class StateRelay {
  /** What is put at {@link RELAY_PLACE}. */
  readonly directory: string;
  /** What is put at /etc/hosts. */
  readonly hosts: string;
  /** What a shell does within before the program begins. */
  readonly script: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor({ host, port }: StatePlace) {
    // A socket's path has at most 107 bytes, and that of a data directory may be longer.
    this.directory = mkdtempSync(join(tmpdir(), 'statehouse-'));
    this.hosts = join(this.directory, HOSTS);
    writeFileSync(this.hosts, `127.0.0.1 localhost${host === '127.0.0.1' ? '' : ` ${host}`}\n`);
    this.script = [
      `env -i ${RELAY_PROGRAM} -e "$1" ${port} </dev/null >/dev/null 2>&1 &`,
      `for each in 1 2 3 4 5 6 7 8 9 10; do for tenth in 1 2 3 4 5 6 7 8 9 10; do [ -e ${RELAY_PLACE}/${LISTENS} ] && break 2; sleep 0.1; done; done`,
      'shift',
    ].join('\n');
    this.#server = createServer({ allowHalfOpen: true }, (near) =>
      this.#pass(near, connect({ host, port, allowHalfOpen: true })),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    // Without it the program is told that its state cannot be reached.
    this.#server.on('error', () => undefined);
    this.#server.listen(join(this.directory, SOCKET));
  }

  /** The argument that the script expects. */
  static readonly argument: string = INSIDE;

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #pass(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
