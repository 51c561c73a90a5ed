import { resolve } from 'node:path';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { presentState } from '../folder/content.ts';
import { readVersionOf } from '../folder/versions.ts';
import { writeSecret } from '../folder/write-secret.ts';
import { text } from '../options.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description: 'Prints the state, byte for byte as the backend keeps it.',
  args: [PLACE],
  options: {
    ...PLACE_OPTIONS,
    out: text('FILE', 'write it into this file, which only you may read', { environment: false }),
    version: text('ID', 'this version, as "statehouse history" lists it', { environment: false }),
  },
  examples: [
    { line: 'statehouse pull --out before.tfstate', says: 'keeps a copy' },
    { line: 'statehouse pull app/net.tfstate --version 41', says: 'an old one, on a server' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async ({ client, workspace, name }) => {
      const { options, terminal, cwd } = invocation;
      const bytes =
        options.version === undefined
          ? presentState(await client.read(workspace), name)
          : await readVersionOf(client, workspace, options.version);
      if (options.out === undefined) await terminal.write(bytes);
      else {
        // A state has secrets in it.
        await writeSecret(resolve(cwd, options.out), bytes);
        if (terminal.json) terminal.result({ written: options.out, bytes: bytes.length });
        else terminal.note(`Wrote ${bytes.length} bytes to ${options.out}.`);
      }
      return DONE;
    }),
});
