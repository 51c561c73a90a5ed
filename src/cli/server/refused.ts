import type { RefusedWriteShape } from '../../api/shapes/refused.ts';
import { buffer } from 'node:stream/consumers';
import { formatAddress, type Address } from '../../core/address.ts';
import { Failure } from '../failure.ts';
import { formatAgo, formatSize } from '../figures.ts';
import type { Terminal } from '../terminal.ts';
import type { HouseClient } from './client.ts';

/** The refused writes of a state that the server keeps, for people or for programs. */
export async function showRefused(house: HouseClient, address: Address, terminal: Terminal): Promise<void> {
  const name = formatAddress(address);
  const { writes } = await house.ask('list-refused', { query: { address: name } });
  if (terminal.json) terminal.result({ address: name, writes });
  else if (writes.length === 0) terminal.say(`No refused write of ${name} is kept that you may read.`);
  else {
    terminal.table(['ID', 'REFUSED', 'WHY', 'BY', 'DOOR', 'SERIAL', 'AGAINST', 'SIZE'], writes.map(rowOf));
    terminal.note(`"statehouse rescue ${name} ID" merges one into the newest state.`);
  }
}

/** One of them with its bytes. @throws Failure when it is not kept */
export async function fetchRefused(
  house: HouseClient,
  address: Address,
  id: string,
): Promise<{ readonly write: RefusedWriteShape; readonly bytes: Uint8Array }> {
  const name = formatAddress(address);
  const { writes } = await house.ask('list-refused', { query: { address: name } });
  const write = writes.find((one) => one.id === id);
  if (write === undefined) {
    throw new Failure(`no refused write ${id} of ${name} is kept that you may read`, {
      next: `"statehouse rescue ${name}" lists them.`,
      details: { reason: 'absent' },
    });
  }
  const response = await house.stream('download-refused', { query: { address: name, id } });
  return { write, bytes: await buffer(response.body()) };
}

function rowOf(write: RefusedWriteShape): readonly string[] {
  const { id, at, refused, reason, subject, door, serial, newest, size } = write;
  return [
    id,
    formatAgo(at),
    reason === null ? refused : `${refused} (${reason})`,
    subject,
    door,
    serial,
    newest === null ? '–' : `version ${newest.version}, serial ${newest.serial}`,
    formatSize(size),
  ];
}
