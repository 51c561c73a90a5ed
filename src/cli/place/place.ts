import { resolve } from 'node:path';
import {
  DEFAULT_WORKSPACE,
  formatAddress,
  isAddress,
  parseAddress,
  type Address,
} from '../../core/address.ts';
import { BackendFault, type StateClient } from '../../ports/state-client.ts';
import type { ArgumentSpec, Invocation } from '../command.ts';
import { Failure, wrongUse } from '../failure.ts';
import { TARGET_OPTIONS, withTarget, type OpenTarget } from '../folder/target.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection, type Connection } from '../server/connection.ts';
import { openServed } from '../server/open-served.ts';
import { readAddress } from '../server/read-address.ts';

/** The options of every command that takes an address or a folder. */
export const PLACE_OPTIONS: typeof TARGET_OPTIONS & typeof CONNECTION_OPTIONS = {
  ...TARGET_OPTIONS,
  ...CONNECTION_OPTIONS,
};

/** The argument that names a state; without it, that of this folder is meant. */
export const PLACE: ArgumentSpec = placeArgument(isPlace, 'a folder such as . or ./live/prod');

/** The same where other arguments may be files: a folder is then told by the slash at its end. */
export const PLACE_BESIDE_FILES: ArgumentSpec = placeArgument(
  (word) => (isFolder(word) ? /(?:^|\/)\.{0,2}$/.test(word) : isPlace(word)),
  'a folder that ends with "/" (or . or ..)',
);

function placeArgument(leading: (word: string) => boolean, folder: string): ArgumentSpec {
  const help = `PROJECT/KEY[@WORKSPACE] on a server, or ${folder}; without it, this folder`;
  return { name: 'place', help, required: false, leading, completes: 'address' };
}

/** Where a Statehouse server keeps a state, and how to ask it. */
export interface Served {
  readonly house: HouseClient;
  readonly connection: Connection;
  readonly address: Address;
  /** The address as text. */
  readonly name: string;
}

/** A state that is named by its address, or by its folder. */
export interface OpenPlace {
  readonly client: StateClient;
  readonly workspace: string;
  /** What people call it: the address, or where the backend keeps it. */
  readonly name: string;
  /** null for an address. */
  readonly folder: OpenTarget | null;
  /** The server that keeps this state; null where none does, or where the backend's secret must not be sent to it. */
  readonly served: () => Promise<Served | null>;
}

type PlaceInvocation = Pick<
  Invocation<typeof PLACE_OPTIONS>,
  'options' | 'terminal' | 'env' | 'cwd' | 'stopped'
>;

/** Opens a state by its address or folder, and closes it when the command is done. */
export async function withPlace<T>(
  invocation: PlaceInvocation,
  place: string | undefined,
  purpose: 'reads' | 'changes',
  use: (place: OpenPlace) => Promise<T>,
): Promise<T> {
  const { options, cwd, stopped } = invocation;
  if (place !== undefined && place !== '' && !isFolder(place)) return withAddress(invocation, place, use);
  const at = { ...invocation, cwd: resolve(cwd, options.chdir ?? '.', place ?? '') };
  return withTarget({ ...at, options: { ...options, chdir: undefined } }, purpose, (folder) => {
    const { client, workspace } = folder;
    return use({
      client,
      workspace,
      name: client.locate(workspace),
      folder,
      served: () => servedFolder(folder, options, stopped),
    });
  });
}

async function withAddress<T>(
  { options, stopped }: PlaceInvocation,
  place: string,
  use: (place: OpenPlace) => Promise<T>,
): Promise<T> {
  const address = inWorkspace(readAddress(place), options.workspace);
  const connection = readConnection(options);
  const client = openServed(address, connection);
  const name = formatAddress(address);
  const served = { house: new HouseClient(connection, stopped), connection, address, name };
  const { workspace } = address;
  try {
    return await use({ client, workspace, name, folder: null, served: () => Promise.resolve(served) });
  } catch (fault) {
    throw fault instanceof BackendFault ? inWordsOf(fault, connection) : fault;
  } finally {
    await client.close();
  }
}

function inWorkspace(address: Address, workspace: string | undefined): Address {
  if (workspace === undefined || workspace === address.workspace) return address;
  if (address.workspace === DEFAULT_WORKSPACE) return { ...address, workspace };
  throw wrongUse(
    `the address names workspace ${address.workspace}, and --workspace names ${workspace}`,
    'Give one of them.',
  );
}

/** What a client of a backend says, to one who has named a server. */
function inWordsOf(fault: BackendFault, { url, credential }: Connection): Failure {
  const next =
    fault.kind === 'unreachable'
      ? `Check whether a server runs at ${url}: --server URL or STATEHOUSE_SERVER names another one.`
      : fault.kind !== 'denied'
        ? fault.next
        : credential === null
          ? 'Set STATEHOUSE_CREDENTIAL, or pass --credential ID.SECRET.'
          : `The credential ${credential.id} may be revoked, or may not do this.`;
  return new Failure(fault.message, { next, details: { kind: fault.kind }, cause: fault });
}

/** The server of a folder's state: with the credential of the backend, or with the user's own for this very server. */
async function servedFolder(
  { client, workspace }: OpenTarget,
  options: PlaceInvocation['options'],
  stopped: AbortSignal,
): Promise<Served | null> {
  const at = (await client.server?.(workspace)) ?? null;
  if (at === null) return null;
  const { address, ...backend } = at;
  const connection = backend.credential === null ? ownConnection(backend.url, options) : backend;
  if (connection === null) return null;
  return {
    house: new HouseClient(connection, stopped),
    connection,
    address,
    name: formatAddress(address),
  };
}

function ownConnection(url: string, options: PlaceInvocation['options']): Connection | null {
  const own = readConnection(options);
  return own.credential !== null && new URL(own.url).origin === new URL(url).origin ? own : null;
}

/** The server that keeps the state. @throws Failure where none does */
export async function servedOr({ client, served }: OpenPlace, what: string, next = ''): Promise<Served> {
  const found = await served();
  if (found !== null) return found;
  throw new Failure(`only a Statehouse server can ${what}, and this is the ${client.backend} backend`, {
    next: [next, 'For a state that a server keeps, name its address: PROJECT/KEY[@WORKSPACE], with --server.']
      .filter((line) => line !== '')
      .join('\n'),
  });
}

function isPlace(word: string): boolean {
  return isFolder(word) || isAddress(parseAddress(word));
}

function isFolder(word: string): boolean {
  return /^(?:\.{1,2}(?:\/|$)|\/)/.test(word);
}
