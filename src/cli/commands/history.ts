import { formatAddress } from '../../core/address.ts';
import type { VersionShape } from '../../api/shapes/state.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { formatAgo, formatSize } from '../figures.ts';
import { readAddress } from '../server/read-address.ts';
import { wholeNumber } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Lists the versions of a state on a server, newest first, also those of a deleted state.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    limit: wholeNumber({ fallback: 20, from: 1, to: 1_000_000 }, 'N', 'show at most N', {
      environment: false,
    }),
  },
  examples: [{ line: 'statehouse history app/net.tfstate', says: 'the newest twenty' }],
  run: async ({ args: [place], options, terminal, stopped }) => {
    const address = formatAddress(readAddress(place));
    const { limit } = options;
    const house = new HouseClient(readConnection(options), stopped);
    const { items, more } = await house.list('list-versions', { address }, limit);
    if (terminal.json) {
      terminal.result({ address, versions: items, more });
      return DONE;
    }
    if (items.length === 0)
      throw new Failure(`there is no state at ${address}`, {
        next: '"statehouse states" lists all states.',
      });
    terminal.table(['VERSION', 'SERIAL', 'SIZE', 'WRITTEN', 'BY', 'DOOR', 'REMARK'], items.map(rowOf));
    if (more) terminal.note(`There are more than ${limit}: --limit shows more.`);
    return DONE;
  },
});

function rowOf(version: VersionShape): readonly string[] {
  const { serial, size, at, subject, door, forced, restoredFrom, encrypted, lockId } = version;
  const remarks = [
    restoredFrom === null ? null : `restored from version ${restoredFrom}`,
    forced ? 'forced' : null,
    lockId === null ? 'no lock' : null,
    encrypted ? 'encrypted by OpenTofu' : null,
  ];
  return [
    String(version.version),
    serial,
    formatSize(size),
    formatAgo(at),
    subject,
    door,
    remarks.filter((remark) => remark !== null).join(', '),
  ];
}
