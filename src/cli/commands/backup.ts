import { statSync } from 'node:fs';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { formatSize } from '../figures.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { writeNewFile } from '../server/new-file.ts';
import { text } from '../options.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = defineCommand({
  description:
    'Writes a consistent copy of all data into a new file, from a running server or from a data directory. The states in it are encrypted. The master key is not in it: keep it elsewhere.',
  args: [{ name: 'file', help: 'a file that does not exist yet', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    data: text('DIR', 'read this data directory; its server may be running or not', { environment: false }),
  },
  examples: [
    {
      line: 'statehouse backup statehouse-$(date +%F).db',
      says: 'from a running server, which continues meanwhile',
    },
    {
      line: 'statehouse backup statehouse.db --data ./statehouse-data',
      says: 'on the machine itself, without a credential',
    },
  ],
  run: async ({ args: [file = ''], options, terminal, stopped }) => {
    if (options.data === undefined) {
      const house = new HouseClient(readConnection(options), stopped);
      const copy = await house.stream('backup', {});
      const total = Number(copy.headers['content-length'] ?? 0);
      await writeNewFile(file, counted(copy.body(), total, terminal));
      terminal.status('');
      const damage = copy.headers['x-statehouse-damage'];
      if (damage !== undefined) terminal.note(`Warning: ${String(damage)}`);
    } else {
      const { backUp, lostInLog } = await import('../../engines/sqlite/files/backup.ts');
      try {
        const lost = lostInLog(options.data);
        const { damage } = await backUp(options.data, file);
        if (lost !== null) terminal.note(`Warning: ${lost}`);
        if (damage !== null) terminal.note(`Warning: ${damage}`);
      } catch (fault) {
        throw keepingFailure(fault);
      }
    }
    const { size } = statSync(file);
    if (terminal.json) terminal.result({ file, size });
    else terminal.say(`${file}: ${formatSize(size)}`);
    terminal.note(
      'The backup does not contain the master key. Keep a copy of the master key elsewhere: the backup cannot be read without it.',
    );
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
