import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';

/** Both ends of a connection, as a socket of Node tells them. */
export type Ends = Pick<Socket, 'localPort' | 'remoteAddress' | 'remotePort'>;

/** The system's tables of connections, of this network namespace. Only Linux has them. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;
/** `02A4:0000`: bytes that the peer has not acknowledged, and bytes that nobody has read. */
const QUEUES = /^ [0-9A-F]{2} ([0-9A-F]{8}):/;
const isLittleEndian = endianness() === 'LE';

/**
 * Which connections have sent bytes that the other side's system has not acknowledged.
 * @returns null where this system does not tell
 */
export async function unacknowledged<E extends Ends>(sockets: readonly E[]): Promise<ReadonlySet<E> | null> {
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => null)));
  if (tables.every((table) => table === null)) return null;
  return new Set(sockets.filter((socket) => tables.some((table) => table !== null && isOpen(table, socket))));
}

function isOpen(table: string, { localPort = 0, remoteAddress = '', remotePort = 0 }: Ends): boolean {
  const peer = `${procAddress(remoteAddress)}:${hex(remotePort, 4)}`;
  for (let at = table.indexOf(peer); at !== -1; at = table.indexOf(peer, at + 1)) {
    if (!table.startsWith(`:${hex(localPort, 4)} `, at - 6)) continue;
    const [, sent = '0'] = QUEUES.exec(table.slice(at + peer.length, at + peer.length + 14)) ?? [];
    return Number.parseInt(sent, 16) > 0;
  }
  return false;
}

/** An address as the tables have it: words of 32 bits, as the machine keeps what came from the network. */
export function procAddress(address: string): string {
  const bytes = address.includes(':') ? bytesOfV6(address) : bytesOfV4(address);
  const ordered = isLittleEndian ? bytes.map((_, i) => bytes[i - (i % 4) + 3 - (i % 4)] ?? 0) : bytes;
  return ordered.map((byte) => hex(byte, 2)).join('');
}

function bytesOfV4(address: string): readonly number[] {
  return address.split('.').map(Number);
}

function bytesOfV6(address: string): readonly number[] {
  const [text = ''] = address.split('%');
  const [head = '', tail] = text.split('::');
  const [before, after] = [bytesOfGroups(head), bytesOfGroups(tail ?? '')];
  const gap = Math.max(0, 16 - before.length - after.length);
  return [...before, ...Array.from({ length: gap }, () => 0), ...after];
}

function bytesOfGroups(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfV4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
