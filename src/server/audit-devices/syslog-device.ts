import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { SEND_MS, type AuditDevice } from './device.ts';

export type SyslogTransport = 'udp' | 'tcp' | 'tls';

/** Facility 13 ("log audit"), severity 6 ("informational"): RFC 5424, section 6.2.1. */
const PRIORITY = 13 * 8 + 6;

/**
 * A syslog collector: one message of RFC 5424 a record. Over TCP and TLS messages are framed by counting octets (RFC 6587,
 * RFC 5425). Taken means that the connection took it; over UDP, that it was sent.
 */
export class SyslogDevice implements AuditDevice {
  readonly name: string;
  readonly #host: string;
  readonly #port: number;
  readonly #transport: SyslogTransport;
  #socket: Socket | null = null;

  constructor(host: string, port: number, transport: SyslogTransport) {
    this.name = `syslog${transport === 'udp' ? '' : `+${transport}`}:${host}:${port}`;
    this.#host = host;
    this.#port = port;
    this.#transport = transport;
  }

  async send(lines: readonly string[]): Promise<void> {
    const messages = lines.map((line) => Buffer.from(messageOf(line)));
    await (this.#transport === 'udp' ? this.#sendEach(messages) : this.#sendFramed(messages));
  }

  async reopen(): Promise<void> {
    this.#socket?.destroy();
    this.#socket = null;
  }

  close(): Promise<void> {
    return this.reopen();
  }

  async #sendEach(messages: readonly Buffer[]): Promise<void> {
    const socket = createSocket(this.#host.includes(':') ? 'udp6' : 'udp4');
    try {
      for (const message of messages) {
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject);
          socket.send(message, this.#port, this.#host, (fault) =>
            fault === null ? resolve() : reject(fault),
          );
        });
      }
    } finally {
      socket.close();
    }
  }

  async #sendFramed(messages: readonly Buffer[]): Promise<void> {
    const framed = Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message]));
    const socket = await this.#connected();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => reject(new Error('the connection was closed'));
      socket.once('close', end);
      socket.write(framed, (fault) => {
        socket.off('close', end);
        if (fault === null || fault === undefined) resolve();
        else reject(fault);
      });
    });
  }

  async #connected(): Promise<Socket> {
    const open = this.#socket;
    if (open !== null && !open.destroyed && open.writable) return open;
    const [host, port] = [this.#host, this.#port];
    const isTls = this.#transport === 'tls';
    const socket = isTls ? connectTls({ host, port, servername: host }) : connect({ host, port });
    // A fault shows where something is sent; nobody reads what a collector says.
    socket.on('error', () => socket.destroy()).resume();
    // A collector that has gone must be seen before the next record is sent to it.
    socket.on('end', () => socket.destroy());
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(SEND_MS) }).catch(
      (fault: unknown) => {
        socket.destroy();
        throw fault;
      },
    );
    socket.unref();
    this.#socket = socket;
    return socket;
  }
}

function messageOf(line: string): string {
  const host =
    hostname()
      .replaceAll(/[^!-~]/g, '')
      .slice(0, 255) || '-';
  return `<${PRIORITY}>1 ${new Date().toISOString()} ${host} statehouse ${process.pid} audit - ${line}`;
}
