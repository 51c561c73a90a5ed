import { statSync } from 'node:fs';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../house/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../house/connection.ts';
import { formatSize } from '../house/figures.ts';
import { keepingFailure } from '../house/keeping-failure.ts';
import { writeNewFile } from '../house/new-file.ts';
import { text } from '../options.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = defineCommand({
  description:
    'Writes everything that a house keeps, as it is at this moment, into a new file: from a running house, or from a data directory. States in it are sealed; the master key is not in it and must be kept elsewhere.',
  args: [{ name: 'file', help: 'a file that is not there yet', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'from this data directory; its house may be running or not', { environment: false }),
  },
  examples: [
    { line: 'statehouse backup house-$(date +%F).db', says: 'from a running house, which goes on meanwhile' },
    {
      line: 'statehouse backup house.db --data ./statehouse-data',
      says: 'on the machine itself, without a credential',
    },
  ],
  run: async ({ args: [file = ''], options, terminal, stopped }) => {
    if (options.data === undefined) {
      const house = new HouseClient(readConnection(options), stopped);
      const copy = await house.stream('POST', '/backup', { long: true });
      const total = Number(copy.headers['content-length'] ?? 0);
      await writeNewFile(file, counted(house.body(copy), total, terminal));
      terminal.status('');
      const damage = copy.headers['x-statehouse-damage'];
      if (damage !== undefined) terminal.note(`Warning: ${String(damage)}`);
    } else {
      const { backUp } = await import('../../engines/sqlite/files/backup.ts');
      try {
        const { damage } = await backUp(options.data, file);
        if (damage !== null) terminal.note(`Warning: ${damage}`);
      } catch (fault) {
        throw keepingFailure(fault);
      }
    }
    const { size } = statSync(file);
    if (terminal.json) terminal.result({ file, size });
    else terminal.say(`${file}: ${formatSize(size)}`);
    terminal.note('The master key is not in it: keep a copy of that elsewhere, or this cannot be read.');
    return DONE;
  },
});

/** The same chunks, with a line that says how many have come. A copy that breaks off is an error of its stream. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  total: number,
  terminal: Terminal,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    terminal.status(`${formatSize(bytes)} of ${formatSize(total)}`);
    yield chunk;
  }
}
