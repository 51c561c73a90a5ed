import { spawn } from 'node:child_process';
import { pagePathOf } from '../../api/page-path.ts';
import { formatAddress } from '../../core/address.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { flag } from '../options.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readAddress } from '../server/read-address.ts';

/** What opens a URL in the browser of its user, by platform; the URL is one word more. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [program: string, ...words: string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  linux: ['xdg-open'],
};

export const command: Command = defineCommand({
  description:
    'Opens the page of a server, or of one state on it, in the browser. Where there is no terminal, it prints the URL.',
  args: [
    {
      name: 'address',
      help: 'PROJECT/KEY[@WORKSPACE]; who holds locks if it is left out',
      required: false,
      completes: 'address',
    },
  ],
  options: {
    server: CONNECTION_OPTIONS.server,
    print: flag('only print the URL', { environment: false }),
  },
  examples: [
    { line: 'statehouse open', says: 'who holds locks, and who waits' },
    { line: 'statehouse open app/net.tfstate@dev', says: 'one state' },
  ],
  run: async ({ args: [place], options, terminal }) => {
    const { url } = readConnection({
      server: options.server,
      credential: undefined,
      credentialFile: undefined,
      exposedSecrets: false,
      ca: undefined,
      insecure: false,
    });
    const page = url + (place === undefined ? '/' : pagePathOf(formatAddress(readAddress(place))));
    if (terminal.json) terminal.result({ url: page });
    else terminal.say(page);
    if (!options.print && terminal.onScreen && !(await openPage(page))) {
      terminal.note('No browser could be started: open the URL yourself.');
    }
    return DONE;
  },
});

/** @returns whether a program to open it was started */
async function openPage(url: string): Promise<boolean> {
  const [program, ...words] = OPENERS[process.platform] ?? [];
  if (program === undefined) return false;
  const child = spawn(program, [...words, url], { stdio: 'ignore', detached: true });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
