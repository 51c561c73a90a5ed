import {
  DEFAULT_WORKSPACE,
  formatAddress,
  isAddress,
  makeAddress,
  parseAddress,
  type Address,
  type AddressProblem,
} from '../../core/address.ts';

/** Where clients learn which services a host has (HashiCorp's "Remote Service Discovery"). */
export const DISCOVERY_PATH = '/.well-known/terraform.json';
/** What the API's paths begin with. */
export const API_PREFIX = '/api/v2/';

/** The names under which terraform looks for the API, by the version that it speaks. */
export const API_SERVICES = ['tfe.v2', 'tfe.v2.1', 'tfe.v2.2', 'state.v2'] as const;

/** Where the API of a server is, by those names. */
export function servicesAt(url: string): Readonly<Record<string, string>> {
  return Object.fromEntries(API_SERVICES.map((name) => [name, `${url}${API_PREFIX}`]));
}
/** Where configurations are sent to, and logs read from, by clients that show no credential there. */
export const RUN_FILES_PREFIX = '/api/v2/run-files/';
/** The authorization server of `terraform login` (RFC 6749, with the proof key of RFC 7636). */
export const AUTHORIZATION_PATH = '/oauth/authorization';
export const TOKEN_PATH = '/oauth/token';
/** Where terraform sends who logs in at a host without such a server. */
export const TOKENS_PAGE = '/app/settings/tokens';
/** The client of `login.v1`, and the ports on which it listens for the code: the upper one is not among them. */
export const LOGIN_CLIENT = 'terraform-cli';
export const LOGIN_PORTS: readonly [number, number] = [10_000, 10_010];

/** Where the pages are that terraform prints the addresses of. */
export const APP_PREFIX = '/app/';

/** What a lock is called that was taken at this door. */
export const HCP_ALIAS = 'hcp';

/** Documents of JSON:API. */
export const JSON_API_TYPE = 'application/vnd.api+json';

/** The oldest API that the `cloud` block takes is 2.5; 2.6 is asked for by import blocks in runs. */
export const API_VERSION = '2.6';
/** Terraform renders structured output for this name alone (`internal/cloud/backend.go`). */
export const APP_NAME = 'HCP Terraform';

/** What terraform says of each lock (`internal/cloud/state.go`, `Lock`). */
export const TERRAFORMS_REASON = 'Locked by Terraform';

/** A workspace's name as most have it: a key of one segment, in the workspace `default`. */
const PLAIN = /[A-Za-z0-9_-]/;
const ALPHANUMERIC = /[A-Za-z0-9]/;

/**
 * The name of a workspace that an address has, in the organization of its project. Letters, digits, `-` and `_` stand for
 * themselves, and so does a dot before a letter or digit. `..` is "/", `.-` is what parts key and workspace, and `._XX` is any
 * other byte, in hexadecimal: `net/app.tfstate@dev` is `net..app.tfstate.-dev`.
 */
export function workspaceName({ key, workspace }: Address): string {
  const suffix = workspace === DEFAULT_WORKSPACE ? '' : `.-${escaped(workspace)}`;
  return `${escaped(key)}${suffix}`;
}

/** The address of a workspace; each has one name only, so that no two names are one state. */
export function readWorkspaceName(project: string, name: string): Address | AddressProblem {
  const parts = unescaped(name);
  const [key, workspace, more] = parts ?? [];
  const address = makeAddress(project, key ?? '', workspace);
  if (parts === null || more !== undefined || workspace === DEFAULT_WORKSPACE)
    return { problem: NAME_PROBLEM };
  if (!isAddress(address)) return address;
  return workspaceName(address) === name ? address : { problem: NAME_PROBLEM };
}

const NAME_PROBLEM =
  'a workspace name is made of letters, digits, "-" and "_"; in names of states from other backends ".." is "/", ".-" begins a workspace, and "._XX" is any other byte';

function escaped(text: string): string {
  const characters = [...text];
  return characters
    .map((character, index) => {
      if (PLAIN.test(character)) return character;
      if (character === '/') return '..';
      if (character === '.' && ALPHANUMERIC.test(characters[index + 1] ?? '')) return '.';
      return [...new TextEncoder().encode(character)]
        .map((byte) => `._${byte.toString(16).padStart(2, '0')}`)
        .join('');
    })
    .join('');
}

/** The parts that `.-` divides; null where an escape is none. */
function unescaped(name: string): readonly string[] | null {
  const parts: number[][] = [[]];
  const add = (...bytes: number[]): void => void parts.at(-1)?.push(...bytes);
  for (let at = 0; at < name.length; at += 1) {
    const character = name.charAt(at);
    if (character !== '.') {
      if (!PLAIN.test(character)) return null;
      add(character.charCodeAt(0));
      continue;
    }
    const next = name.charAt(at + 1);
    const byte = /^_([0-9a-f]{2})/.exec(name.slice(at + 1, at + 4))?.[1];
    if (byte !== undefined) add(Number.parseInt(byte, 16));
    else if (next === '.') add(0x2f);
    else if (next === '-') parts.push([]);
    else if (ALPHANUMERIC.test(next)) add(0x2e);
    else return null;
    at += byte === undefined ? (next === '.' || next === '-' ? 1 : 0) : 3;
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return parts.map((bytes) => decoder.decode(Uint8Array.from(bytes)));
  } catch {
    return null;
  }
}

/** Names are told from each other by the kind before them; all that is known of a thing is in its ID. */
function makeId(kind: string, text: string): string {
  return `${kind}-${Buffer.from(text).toString('base64url')}`;
}

function readId(kind: string, id: string): string | null {
  if (!id.startsWith(`${kind}-`)) return null;
  const text = Buffer.from(id.slice(kind.length + 1), 'base64url').toString('utf8');
  return makeId(kind, text) === id ? text : null;
}

export function workspaceId(address: Address): string {
  return makeId('ws', formatAddress(address));
}

export function readWorkspaceId(id: string): Address | null {
  return readAddress(readId('ws', id));
}

/** A state as its version's ID tells it: content that comes again has the same ID. */
export interface StateVersionName {
  readonly address: Address;
  readonly serial: bigint;
  /** Lower-case hex. */
  readonly md5: string;
}

export function stateVersionId({ address, serial, md5 }: StateVersionName): string {
  return makeId('sv', `${serial} ${md5} ${formatAddress(address)}`);
}

export function readStateVersionId(id: string): StateVersionName | null {
  const [, serial = '', md5 = '', place = ''] = STATE_VERSION.exec(readId('sv', id) ?? '') ?? [];
  const address = readAddress(place);
  return address === null ? null : { address, serial: BigInt(serial), md5 };
}

const STATE_VERSION = /^(\d{1,20}) ([0-9a-f]{32}) (.+)$/s;

/** An output of a version of a state. */
export function outputId(version: StateVersionName, name: string): string {
  return makeId('wsout', `${name} ${stateVersionId(version)}`);
}

export function readOutputId(
  id: string,
): { readonly version: StateVersionName; readonly name: string } | null {
  const text = readId('wsout', id) ?? '';
  const space = text.lastIndexOf(' ');
  const version = readStateVersionId(text.slice(space + 1));
  return version === null || space <= 0 ? null : { version, name: text.slice(0, space) };
}

/** A project of HCP's inside an organization; null is the one that is always there. */
export function projectId(organization: string, name: string | null): string {
  return makeId('prj', name === null ? organization : `${organization} ${name}`);
}

export function readProjectId(
  id: string,
): { readonly organization: string; readonly name: string | null } | null {
  const text = readId('prj', id);
  if (text === null) return null;
  const space = text.indexOf(' ');
  return space === -1
    ? { organization: text, name: null }
    : { organization: text.slice(0, space), name: text.slice(space + 1) };
}

/** A tag of an organization, by its name. */
export function tagId(organization: string, name: string): string {
  return makeId('tag', `${organization} ${name}`);
}

/** The plan or the apply of a run has the run's ID but for its kind. */
export function phaseId(phase: 'plan' | 'apply', runId: string): string {
  return `${phase}-${runId.slice('run-'.length)}`;
}

/** The run of a plan or an apply; null where the ID is of another kind. */
export function runOfPhase(phase: 'plan' | 'apply', id: string): string | null {
  return id.startsWith(`${phase}-`) ? `run-${id.slice(phase.length + 1)}` : null;
}

/** The name in a tag's ID; null for one of another organization. */
export function readTagId(organization: string, id: string): string | null {
  const text = readId('tag', id);
  return text?.startsWith(`${organization} `) === true ? text.slice(organization.length + 1) : null;
}

export function userId(subject: string): string {
  return makeId('user', subject);
}

function readAddress(text: string | null): Address | null {
  const address = text === null || text === '' ? null : parseAddress(text);
  return address !== null && isAddress(address) ? address : null;
}
