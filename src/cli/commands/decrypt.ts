import { formatAddress } from '../../core/address.ts';
import type { OfflineStore } from '../../server/read-kept.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE, type ExitCode } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { KEY_OPTIONS, PLACE_OPTIONS, placeConfiguration } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { writeNewFile } from '../server/new-file.ts';
import { readAddress } from '../server/read-address.ts';
import { text } from '../options.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = defineCommand({
  description:
    'Prints a state from the data directory, byte for byte as it was sent, for when the server cannot run. It changes nothing, and a server may be running. It also reads old versions and deleted states, and it works when other parts of the data are damaged.',
  args: [{ name: 'address', help: 'PROJECT/KEY[@WORKSPACE]', required: true }],
  options: {
    ...PLACE_OPTIONS,
    ...KEY_OPTIONS,
    version: text('N', 'this version; the default is the newest', { environment: false }),
    out: text('FILE', 'write it into a new file that only its owner may read', { environment: false }),
  },
  examples: [
    { line: 'statehouse decrypt app/net.tfstate > terraform.tfstate', says: 'the newest version' },
    {
      line: 'statehouse decrypt app/net.tfstate --version 7 --data backup.db --master-key-file master.key',
      says: 'an old one, out of a backup',
    },
  ],
  run: async ({ args: [place], options, terminal }) => {
    const address = readAddress(place);
    const { version } = options;
    if (version !== undefined && !/^[1-9]\d{0,15}$/.test(version))
      throw wrongUse(`--version: invalid version "${version}": expected a whole number from 1 up`);
    const { readKept } = await import('../../server/read-kept.ts');
    const number = version === undefined ? null : Number(version);
    return readKept<ExitCode>(placeConfiguration(options), address, number, async (kept) => {
      if (kept === null)
        throw new Failure(
          `there is no ${version === undefined ? 'state' : `version ${version}`} at ${formatAddress(address)}`,
        );
      await give(kept, options.out, terminal);
      return DONE;
    }).catch((fault: unknown) => {
      throw keepingFailure(fault);
    });
  },
});

async function give(
  { version, bytes }: OfflineStore,
  out: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const { number, serial, sha256, size } = version;
  const plain = bytes.plain();
  const chunks = plain instanceof Uint8Array ? [plain] : plain;
  if (out === undefined) {
    if (terminal.json)
      throw wrongUse('--json needs --out: a state is printed as it is', 'Give --out FILE with --json.');
    for await (const chunk of chunks) await terminal.write(chunk);
    return;
  }
  await writeNewFile(out, chunks);
  if (terminal.json) terminal.result({ file: out, version: number, serial: serial.toString(), size, sha256 });
  else terminal.say(`${out}: version ${number}, serial ${serial}`);
}
