import type { Environment } from '../ports/environment.ts';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { DEFAULT_WORKSPACE, workspaceProblem } from '../core/address.ts';
import { BackendFault } from '../ports/state-client.ts';
import type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';
import type { BackendChoice } from '../protocols/backend.ts';
import { DEFAULT_BACKEND } from '../protocols/backends.ts';
import { hasConfiguration, readConfiguration } from './configuration.ts';
import { overridesFromEnvironment, readOverrides } from './overrides.ts';
import { differences, readRecord } from './record.ts';

/** What the user said beside the folder. */
export interface FolderOptions {
  readonly folder: string;
  readonly env: Environment;
  /** Whether what the configuration names may neither be run nor be read; false by default. */
  readonly noExternal?: boolean;
  /** A type of backend named outright: the folder's own block and record are then not looked at. */
  readonly backend?: string | undefined;
  readonly backendConfig?: readonly string[];
  readonly workspace?: string | undefined;
}

/** Where a folder's states are, and which of them is meant. */
export interface Target {
  readonly choice: BackendChoice;
  readonly workspace: string;
  /** Where the choice comes from, for people: `main.tf, line 2`. */
  readonly source: string;
  /** What the files and the record of the last init disagree about; empty when they agree. */
  readonly disagreements: readonly string[];
  /** The folder has no Terraform files, and no backend was named outright. */
  readonly bare: boolean;
}

/** The source of a backend that the user named, whatever the folder says. */
export const NAMED_OUTRIGHT = '--backend';
const NO_BLOCK = 'no backend block';

/** Finds a folder's backend as terraform does, without `terraform init`. */
export async function findTarget(options: FolderOptions): Promise<Target> {
  const { folder, env, noExternal = false } = options;
  const dataFolder = dataFolderOf(folder, env);
  const workspace = options.workspace ?? (await selectedWorkspace(dataFolder, env));
  const problem = workspaceProblem(workspace);
  if (problem !== null)
    throw new BackendFault('configuration', `invalid workspace name "${workspace}": ${problem}`);
  const given = await readOverrides(options.backendConfig ?? [], folder);
  if (options.backend !== undefined) {
    const choice = { type: options.backend, attributes: given, folder, env, noExternal };
    return { choice, workspace, source: NAMED_OUTRIGHT, disagreements: [], bare: false };
  }
  const found = await findBackend(folder, dataFolder, env, Object.keys(given).length > 0);
  const attributes = settle({ ...found.attributes, ...given }, found.fallback, found.source);
  const { type, source, disagreements } = found;
  const bare = source === NO_BLOCK && !(await hasConfiguration(folder));
  const choice = { type, attributes, folder, env, noExternal };
  return { choice, workspace, source: bare ? 'no .tf files' : source, disagreements, bare };
}

/** `TF_DATA_DIR`, or `.terraform`. */
export function dataFolderOf(folder: string, env: Environment): string {
  const configured = env['TF_DATA_DIR'] ?? '';
  if (configured === '') return join(folder, '.terraform');
  return isAbsolute(configured) ? configured : resolve(folder, configured);
}

/** `TF_WORKSPACE`, or what `terraform workspace select` wrote down. */
async function selectedWorkspace(dataFolder: string, env: Environment): Promise<string> {
  const fromEnv = env['TF_WORKSPACE'] ?? '';
  if (fromEnv !== '') return fromEnv;
  const text = await readFile(join(dataFolder, 'environment'), 'utf8').catch(() => '');
  return text.trim() === '' ? DEFAULT_WORKSPACE : text.trim();
}

interface FolderConfiguration {
  readonly type: string;
  readonly attributes: BackendAttributes;
  /** What the record has for attributes that are no literals in the files. */
  readonly fallback: BackendAttributes;
  readonly source: string;
  readonly disagreements: readonly string[];
}

async function findBackend(
  folder: string,
  dataFolder: string,
  env: Environment,
  given: boolean,
): Promise<FolderConfiguration> {
  const [block, record] = await Promise.all([readConfiguration(folder), readRecord(dataFolder)]);
  if (block === null) {
    const disagreements =
      record === null || record.type === DEFAULT_BACKEND
        ? []
        : [`the files have no backend block, but terraform was initialised with the ${record.type} backend`];
    return {
      type: DEFAULT_BACKEND,
      attributes: {},
      fallback: {},
      source: NO_BLOCK,
      disagreements,
    };
  }
  const type = block.kind === 'backend' ? block.type : block.kind;
  const source = `${block.file}${block.line === 0 ? '' : `, line ${block.line}`}`;
  if (record === null) {
    const late = await readOverrides(overridesFromEnvironment(env), folder);
    return { type, attributes: { ...block.attributes, ...late }, fallback: {}, source, disagreements: [] };
  }
  if (record.type !== type) {
    const disagreements = [
      `${source} has the ${type} backend, but terraform was initialised with ${record.type}`,
    ];
    return { type, attributes: block.attributes, fallback: {}, source, disagreements };
  }
  const literals = Object.fromEntries(
    Object.entries(block.attributes).filter(([, value]) => !isTemplate(value)),
  );
  const changed = given ? [] : differences(literals, record.attributes);
  const disagreements = changed.map(
    (name) => `${name} in ${source} has changed since terraform was initialised`,
  );
  return {
    type,
    attributes: { ...record.attributes, ...block.attributes },
    fallback: record.attributes,
    source,
    disagreements,
  };
}

/** Replaces expressions by the values that the last init recorded; OpenTofu allows variables in backend blocks. */
function settle(
  attributes: BackendAttributes,
  fallback: BackendAttributes,
  source: string,
): BackendAttributes {
  const settled = Object.entries(attributes).map(([name, value]): readonly [string, AttributeValue] => {
    if (!isTemplate(value)) return [name, value];
    const known = fallback[name] ?? null;
    if (known !== null) return [name, known];
    throw new BackendFault(
      'configuration',
      `"${name}" in the backend block (${source}) is an expression whose value is not known here`,
      `Give it with --backend-config ${name}=…, or run tofu init first.`,
    );
  });
  return Object.fromEntries(settled);
}

function isTemplate(value: AttributeValue): boolean {
  if (typeof value === 'string') return value.includes('${') || value.includes('%{');
  return typeof value === 'object' && value !== null && Object.values(value).some(isTemplate);
}
