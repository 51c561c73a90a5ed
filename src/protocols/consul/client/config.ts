import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { BackendAttributes } from '../../attributes.ts';
import { readBoolean, readText, requireText } from '../../attributes.ts';

/** The consul backend's settings (terraform internal/backend/remote-state/consul/backend.go, and `api.DefaultConfig` of Go's client). */
export interface ConsulConfig {
  /** Where Consul's API is: `http://127.0.0.1:8500/`. Ends with a slash. */
  readonly endpoint: URL;
  readonly path: string;
  /** Goes with every request. */
  readonly query: Readonly<Record<string, string>>;
  /** An ACL token; null for the anonymous one. */
  readonly token: string | null;
  /** User and password of Basic authentication, `USER:PASSWORD`; null for none. */
  readonly auth: string | null;
  readonly gzip: boolean;
  readonly locks: boolean;
  /** What node:https takes of certificates. */
  readonly tls: Readonly<Record<string, unknown>>;
  /** The certificates that are trusted in place of the usual ones. */
  readonly ca: { readonly path: string; readonly pem: string } | null;
  readonly insecure: boolean;
}

export interface ConfigSource {
  readonly env: Environment;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** Whether no file may be read that the attributes name. */
  readonly noExternal: boolean;
}

const ADDRESS = '127.0.0.1:8500';

/** @throws BackendFault when it is not valid */
export function readConsulConfig(attributes: BackendAttributes, source: ConfigSource): ConsulConfig {
  const { env } = source;
  const path = requireText('consul', attributes, 'path');
  if (path.startsWith('/')) {
    throw new BackendFault(
      'configuration',
      'the consul backend\'s path begins with "/", which no key of Consul does',
    );
  }
  const ca = readFile(attributes, source, 'ca_file', 'CONSUL_CACERT');
  const cert = readFile(attributes, source, 'cert_file', 'CONSUL_CLIENT_CERT');
  const key = readFile(attributes, source, 'key_file', 'CONSUL_CLIENT_KEY');
  if ((cert === null) !== (key === null)) {
    throw new BackendFault('configuration', 'the consul backend needs cert_file and key_file together');
  }
  const insecure = !readBoolean({ verify: env['CONSUL_HTTP_SSL_VERIFY'] ?? 'true' }, 'verify');
  const serverName = readText({}, '', env, 'CONSUL_TLS_SERVER_NAME');
  const locks = readText(attributes, 'lock') === null || readBoolean(attributes, 'lock');
  return {
    endpoint: readEndpoint(attributes, env),
    path,
    query: {
      ...setting('dc', readText(attributes, 'datacenter')),
      ...setting('ns', readText({}, '', env, 'CONSUL_NAMESPACE')),
      ...setting('partition', readText({}, '', env, 'CONSUL_PARTITION')),
    },
    token: readToken(attributes, source),
    auth: readText(attributes, 'http_auth', env, 'CONSUL_HTTP_AUTH'),
    gzip: readBoolean(attributes, 'gzip'),
    locks,
    tls: {
      ...setting('ca', ca?.pem ?? null),
      ...setting('cert', cert?.pem ?? null),
      ...setting('key', key?.pem ?? null),
      ...setting('servername', serverName),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    },
    ca,
    insecure,
  };
}

/** As Go's client reads the address: a scheme in it wins, and `http` alone may be raised to `https`. */
function readEndpoint(attributes: BackendAttributes, env: Environment): URL {
  const address = readText(attributes, 'address', env, 'CONSUL_HTTP_ADDR') ?? ADDRESS;
  const byEnvironment = readBoolean({}, '', env, 'CONSUL_HTTP_SSL') ? 'https' : 'http';
  const wanted = readText(attributes, 'scheme') ?? byEnvironment;
  const [, named = '', rest = address] = /^([a-z]+):\/\/(.*)$/s.exec(address) ?? [];
  const scheme = named === 'https' ? named : wanted;
  const text = `${scheme}://${rest}`;
  const isKnown = ['', 'http', 'https'].includes(named) && ['http', 'https'].includes(scheme);
  if (!isKnown || !URL.canParse(text)) {
    throw new BackendFault(
      'configuration',
      "the consul backend's address and scheme are not those of an HTTP server",
      'They are written as address = "HOST:8500" and scheme = "http" or "https". Sockets (unix://) are not supported.',
    );
  }
  const url = new URL(text);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** A file of a token wins over everything else, as in Go's client. */
function readToken(attributes: BackendAttributes, { env, folder }: ConfigSource): string | null {
  const path = readText({}, '', env, 'CONSUL_HTTP_TOKEN_FILE');
  const fromFile = path === null ? '' : readGiven(folder, 'CONSUL_HTTP_TOKEN_FILE', path).trim();
  if (fromFile !== '') return fromFile;
  return readText(attributes, 'access_token', env, 'CONSUL_HTTP_TOKEN');
}

function readFile(
  attributes: BackendAttributes,
  { env, folder, noExternal }: ConfigSource,
  name: string,
  variable: string,
): { readonly path: string; readonly pem: string } | null {
  const written = readText(attributes, name);
  if (written !== null && noExternal) {
    throw new BackendFault(
      'configuration',
      `the consul backend's ${name} names a file, which --no-external does not read`,
      `Give it in the environment (${variable}), or leave --no-external out if you trust the folder.`,
    );
  }
  const path = written ?? readText({}, '', env, variable);
  return path === null ? null : { path, pem: readGiven(folder, name, path) };
}

function readGiven(folder: string, name: string, path: string): string {
  try {
    return readFileSync(resolve(folder, path), 'utf8');
  } catch (fault) {
    const message = `the consul backend's ${name} names ${path}, which cannot be read`;
    throw new BackendFault('configuration', message, '', fault);
  }
}

function setting(name: string, value: string | null): Readonly<Record<string, string>> {
  return value === null ? {} : { [name]: value };
}
