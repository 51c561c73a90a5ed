import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { domainToASCII } from 'node:url';
import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { fieldOf, textOf } from '../../wire/json-value.ts';
import { API_SERVICES } from '../layout.ts';

/** What terraform's own configuration says of hosts, by {@link hostKey} (terraform internal/command/cliconfig). */
export interface CliConfig {
  readonly tokens: ReadonlyMap<string, string>;
  /** Where the API of a host is, which is then not asked of the host. */
  readonly services: ReadonlyMap<string, string>;
}

/** A larger file is none that a person wrote. */
const FILE_BYTES_MAX: number = 1024 * 1024;

/** Reads the file that `TF_CLI_CONFIG_FILE` names or, without one, those of the user: also what `terraform login` wrote. */
export async function readCliConfig(env: Environment): Promise<CliConfig> {
  const tokens = new Map<string, string>();
  const services = new Map<string, string>();
  for (const path of await filesOf(env)) {
    const content = await parsed(path);
    for (const [host, body] of blocksIn(content, 'credentials')) {
      const token = textOf(body, 'token');
      if (token !== null && !tokens.has(host)) tokens.set(host, token);
    }
    for (const [host, body] of blocksIn(content, 'host')) {
      const named = fieldOf(body, 'services');
      const url = API_SERVICES.map((name) => textOf(named, name)).find((one) => one !== null);
      if (url !== undefined && url !== null && !services.has(host)) services.set(host, url);
    }
  }
  return { tokens, services };
}

/** A host's name as two are compared: in small letters and ASCII, without the port of https; null for what is no host. */
export function hostKey(hostname: string): string | null {
  const [, name = '', port] = /^([^:/?#@\s]+)(?::(\d{1,5}))?$/.exec(hostname) ?? [];
  const ascii = domainToASCII(name).toLowerCase();
  if (ascii === '') return null;
  return port === undefined || port === '443' ? ascii : `${ascii}:${port}`;
}

async function filesOf(env: Environment): Promise<readonly string[]> {
  const named = env['TF_CLI_CONFIG_FILE'] ?? env['TERRAFORM_CONFIG'] ?? '';
  if (named !== '') return [named];
  const home = env['HOME'] ?? homedir();
  const folders = [
    join(home, '.terraform.d'),
    join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'opentofu'),
  ];
  const found: string[] = [join(home, '.terraformrc'), join(home, '.tofurc')];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    const wanted = names.filter((name) => name.endsWith('.tfrc') || name.endsWith('.tfrc.json'));
    found.push(...wanted.sort().map((name) => join(folder, name)));
  }
  return found;
}

/** What a file says; nothing where there is none, or where it speaks of no host. */
async function parsed(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.length > FILE_BYTES_MAX || !/\b(?:credentials|host)\b/.test(text)) return null;
  try {
    if (path.endsWith('.json') || text.trimStart().startsWith('{')) return JSON.parse(text);
    const { parse } = await import('@cdktn/hcl2json');
    return await parse(path, text);
  } catch {
    // The reason would show a piece of a file that has secrets in it.
    const next = 'Look at it with "terraform version", which reads it too.';
    throw new BackendFault(
      'configuration',
      `${path} is not valid: terraform's configuration was expected`,
      next,
    );
  }
}

/** The blocks of a kind, by host: HCL's parser has a list of each, JSON one object. */
function blocksIn(content: unknown, kind: string): readonly (readonly [host: string, body: unknown])[] {
  const named = fieldOf(content, kind);
  if (typeof named !== 'object' || named === null) return [];
  return Object.entries(named).flatMap(([name, bodies]: readonly [string, unknown]) => {
    const host = hostKey(name);
    const all: readonly unknown[] = Array.isArray(bodies) ? bodies : [bodies];
    return host === null ? [] : all.map((body) => [host, body] as const);
  });
}
