import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readBoolean, readCount, readObject, readText, requireText } from '../../attributes.ts';
import { PATH_PREFIX, WORKSPACE_PARAMETER } from '../layout.ts';

/** The http backend's settings (terraform internal/backend/remote-state/http/backend.go). */
export interface HttpConfig {
  readonly address: string;
  readonly updateMethod: string;
  /** null: terraform works without locks. */
  readonly lockAddress: string | null;
  readonly lockMethod: string;
  readonly unlockAddress: string | null;
  readonly unlockMethod: string;
  readonly username: string | null;
  /** Whether terraform would take another user name from the environment. */
  readonly userFromEnvironment: boolean;
  readonly password: string;
  /** OpenTofu only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly skipVerification: boolean;
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly retryMax: number;
  readonly retryWaitMin: number;
  readonly retryWaitMax: number;
}

/** Stands for the workspace's name in an address: the http backend has no workspaces of its own. */
export const WORKSPACE_PLACEHOLDER = '{workspace}';

export function readHttpConfig(attributes: BackendAttributes, env: Environment): HttpConfig {
  const text = (name: string): string | null => readText(attributes, name, env, variable(name));
  const count = (name: string, fallback: number): number =>
    readCount(attributes, name, env, variable(name)) ?? fallback;
  const [certificate, key] = [text('client_certificate_pem'), text('client_private_key_pem')];
  if ((certificate === null) !== (key === null)) {
    throw new BackendFault(
      'configuration',
      'the http backend needs client_certificate_pem and client_private_key_pem together',
    );
  }
  const check = (name: string, url: string | null): string | null => {
    if (url !== null) checkUrl(name, url);
    return url;
  };
  const address = requireText('http', attributes, 'address', env, variable('address'));
  checkUrl('address', address);
  return {
    address,
    updateMethod: text('update_method') ?? 'POST',
    lockAddress: check('lock_address', text('lock_address')),
    lockMethod: text('lock_method') ?? 'LOCK',
    unlockAddress: check('unlock_address', text('unlock_address')),
    unlockMethod: text('unlock_method') ?? 'UNLOCK',
    username: text('username'),
    userFromEnvironment: readText(attributes, 'username') === null,
    password: text('password') ?? '',
    headers: readHeaders(attributes),
    skipVerification: readBoolean(attributes, 'skip_cert_verification'),
    ca: text('client_ca_certificate_pem'),
    certificate,
    key,
    retryMax: count('retry_max', 2),
    retryWaitMin: count('retry_wait_min', 1) * 1_000,
    retryWaitMax: count('retry_wait_max', 30) * 1_000,
  };
}

/** The address of a workspace: by the placeholder, or, at a house, by the parameter that its http door knows. */
export function addressFor(address: string, workspace: string): URL {
  const url = new URL(address.replaceAll(WORKSPACE_PLACEHOLDER, encodeURIComponent(workspace)));
  if (workspace !== 'default' && !address.includes(WORKSPACE_PLACEHOLDER)) {
    url.searchParams.set(WORKSPACE_PARAMETER, workspace);
  }
  return url;
}

/** Whether the address could be the http door of a house; only asking tells. */
export function mayBeHouse(address: string): boolean {
  const { pathname } = new URL(address);
  return pathname.startsWith(PATH_PREFIX) && !address.includes(WORKSPACE_PLACEHOLDER);
}

function variable(name: string): string {
  return `TF_HTTP_${name.toUpperCase()}`;
}

function checkUrl(name: string, url: string): void {
  if (!URL.canParse(url))
    throw new BackendFault('configuration', `the http backend's ${name} is not a valid URL`);
  const { protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new BackendFault('configuration', `the http backend's ${name} must begin with http:// or https://`);
  }
}

function readHeaders(attributes: BackendAttributes): Readonly<Record<string, string>> {
  const given = readObject(attributes, 'headers') ?? {};
  return Object.fromEntries(Object.keys(given).map((name) => [name, readText(given, name) ?? '']));
}
