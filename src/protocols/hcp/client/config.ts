import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { readObject, readText, type BackendAttributes } from '../../attributes.ts';
import { readCertificates, type TrustedCertificates } from '../../trusted-certificates.ts';
import { hostKey, readCliConfig, type CliConfig } from './cli-config.ts';

/** The blocks that reach HCP: they name workspaces in different ways. */
export type HcpBlock = 'cloud' | 'remote';

/** Which workspaces of an organization are a folder's. */
export type WorkspaceChoice =
  /** One, which stands for `default`. */
  | { readonly by: 'name'; readonly name: string }
  /** All whose names begin so; the rest of the name is the workspace. */
  | { readonly by: 'prefix'; readonly prefix: string }
  /** All that have the tags, and are in the project where one is named. A tag without a value is a name alone. */
  | {
      readonly by: 'tags';
      readonly tags: readonly (readonly [key: string, value: string])[];
      readonly project: string | null;
    };

/** The settings of the two blocks (terraform internal/cloud/backend.go, `resolveCloudConfig`; internal/backend/remote/backend.go). */
export interface HcpConfig {
  readonly block: HcpBlock;
  /** As it is written: `app.terraform.io`, or with a port. */
  readonly hostname: string;
  readonly organization: string;
  readonly workspaces: WorkspaceChoice;
  /** The project that a workspace of that name is made in; null for the organization's own. */
  readonly project: string | null;
  readonly token: string | null;
  /** Where the API is, by the `host` block of terraform's own configuration; null where the host is to be asked. */
  readonly api: string | null;
  readonly ca: TrustedCertificates | null;
  /** Whether any certificate will do. */
  readonly insecure: boolean;
}

const HOSTNAME = 'app.terraform.io';

/** @throws BackendFault when it is not valid */
export async function readHcpConfig(
  block: HcpBlock,
  attributes: BackendAttributes,
  env: Environment,
): Promise<HcpConfig> {
  const isCloud = block === 'cloud';
  const from = (variable: string): readonly string[] => (isCloud ? [variable] : []);
  const hostname = readText(attributes, 'hostname', env, ...from('TF_CLOUD_HOSTNAME')) ?? HOSTNAME;
  if (hostKey(hostname) === null) throw invalid(`its hostname "${hostname}" is not the name of a host`);
  const organization = readText(attributes, 'organization', env, ...from('TF_CLOUD_ORGANIZATION'));
  if (organization === null) {
    const or = isCloud ? ', or in TF_CLOUD_ORGANIZATION' : '';
    throw invalid(
      'it needs "organization"',
      `Write it in the block, or give --backend-config organization=…${or}.`,
    );
  }
  const inner = readObject(attributes, 'workspaces') ?? {};
  const cli = await readCliConfig(env);
  return {
    block,
    hostname,
    organization,
    workspaces: isCloud ? cloudWorkspaces(inner, env) : remoteWorkspaces(inner),
    project: isCloud ? projectOf(inner, env) : null,
    token: readText(attributes, 'token') ?? tokenFor(hostname, env, cli),
    api: cli.services.get(hostKey(hostname) ?? '') ?? null,
    ca: readCertificates(env),
    insecure: false,
  };

  function invalid(why: string, next = ''): BackendFault {
    return new BackendFault('configuration', `the ${block} block is not valid: ${why}`, next);
  }

  function cloudWorkspaces(workspaces: BackendAttributes, variables: Environment): WorkspaceChoice {
    const name = readText(workspaces, 'name');
    const tags = readTags(workspaces['tags'] ?? null);
    if (name !== null && tags !== null) throw invalid('workspaces have a name or tags, not both');
    if (name !== null) return { by: 'name', name };
    const project = projectOf(workspaces, variables);
    if (tags !== null) return { by: 'tags', tags, project };
    const selected = readText({}, '', variables, 'TF_WORKSPACE');
    if (selected !== null) return { by: 'name', name: selected };
    if (project !== null) return { by: 'tags', tags: [], project };
    throw invalid(
      'its workspaces have neither a name nor tags',
      'Write workspaces { name = "…" }, or set TF_WORKSPACE.',
    );
  }

  function remoteWorkspaces(workspaces: BackendAttributes): WorkspaceChoice {
    const [name, prefix] = [readText(workspaces, 'name'), readText(workspaces, 'prefix')];
    if (name !== null && prefix === null) return { by: 'name', name };
    if (prefix !== null && name === null) return { by: 'prefix', prefix };
    throw invalid('workspaces need a name or a prefix', 'Write workspaces { name = "…" }.');
  }

  function readTags(value: BackendAttributes[string]): readonly (readonly [string, string])[] | null {
    if (value === null || value === undefined) return null;
    const pairs = Array.isArray(value)
      ? value.map((key) => [key, ''] as const)
      : typeof value === 'object'
        ? Object.entries(value)
        : [];
    if (pairs.some(([key, text]) => typeof key !== 'string' || typeof text !== 'string'))
      throw invalid('tags are a list of texts, or a map of them');
    return pairs.length === 0 ? null : pairs.map(([key, text]) => [String(key), String(text)] as const);
  }
}

function projectOf(workspaces: BackendAttributes, env: Environment): string | null {
  return readText(workspaces, 'project', env, 'TF_CLOUD_PROJECT');
}

/** A variable of the host's own comes first, and then what terraform's configuration has (`cliconfig/credentials.go`). */
function tokenFor(hostname: string, env: Environment, { tokens }: CliConfig): string | null {
  const host = hostKey(hostname);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(TOKEN_PREFIX) || value === undefined || value === '') continue;
    const said = name.slice(TOKEN_PREFIX.length);
    const spelled = said.replaceAll('__', '-').replaceAll('_', '.');
    if ([said, spelled].some((one) => hostKey(one) === host)) return value;
  }
  return tokens.get(host ?? '') ?? null;
}

const TOKEN_PREFIX = 'TF_TOKEN_';
