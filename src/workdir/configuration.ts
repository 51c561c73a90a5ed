import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendFault } from '../ports/state-client.ts';
import { findBackendBlocks, findBackendBlocksInJson } from './hcl.ts';
import type { FoundBlock } from './literal-scanner.ts';

/** The block that says where a folder's states are, and the file that it stands in. */
export interface ConfiguredBackend extends FoundBlock {
  readonly file: string;
}

/** More files in one folder are no module. */
const FILES_MAX = 5_000;

/**
 * Reads a folder's files as terraform does (internal/configs/parser_config_dir.go, module_merge.go): a block in an override
 * file takes the place of the one in the others; two blocks otherwise are an error.
 * @returns null where there is no backend block: states are local
 */
export async function readConfiguration(folder: string): Promise<ConfiguredBackend | null> {
  const files = await configurationFiles(folder);
  const primary = await findIn(folder, files.primary);
  const overrides = await findIn(folder, files.overrides);
  const [first, second] = primary;
  if (first !== undefined && second !== undefined) {
    const where = `${describe(first)} and ${describe(second)}`;
    throw new BackendFault(
      'configuration',
      `there are two backend or cloud blocks: ${where}`,
      'terraform accepts only one: remove the other one.',
    );
  }
  // Files are read in the order of their names, and a later override wins.
  return overrides.at(-1) ?? first ?? null;
}

/** Whether there are any Terraform files in a folder. */
export async function hasConfiguration(folder: string): Promise<boolean> {
  return selectFiles(await list(folder)).length > 0;
}

/** The names of a folder's Terraform files in the order in which they are read, those apart that override the others. */
export async function configurationFiles(
  folder: string,
): Promise<{ readonly primary: readonly string[]; readonly overrides: readonly string[] }> {
  const names = selectFiles(await list(folder));
  return { primary: names.filter((name) => !isOverride(name)), overrides: names.filter(isOverride) };
}

async function findIn(folder: string, names: readonly string[]): Promise<readonly ConfiguredBackend[]> {
  const found: ConfiguredBackend[] = [];
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    const blocks = name.endsWith('.json')
      ? findBackendBlocksInJson(name, text)
      : await findBackendBlocks(name, text);
    found.push(...blocks.map((block) => ({ ...block, file: name })));
  }
  return found;
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (fault) {
    throw new BackendFault('missing', `the folder ${folder} cannot be read`, '', fault);
  }
}

/** Configuration files by name; OpenTofu's `x.tofu` takes the place of `x.tf`. */
function selectFiles(names: readonly string[]): readonly string[] {
  const all = new Set(names);
  const selected = names.filter((name) => {
    if (name.startsWith('.') || name.endsWith('~') || (name.startsWith('#') && name.endsWith('#')))
      return false;
    const plain = /^(.*)\.tf(\.json)?$/.exec(name);
    if (plain !== null) return !all.has(`${plain[1]}.tofu${plain[2] ?? ''}`);
    return /\.tofu(?:\.json)?$/.test(name);
  });
  if (selected.length > FILES_MAX)
    throw new BackendFault('configuration', `the folder has more than ${FILES_MAX} files`);
  return selected.sort();
}

function isOverride(name: string): boolean {
  return /(?:^|_)override\.(?:tf|tofu)(?:\.json)?$/.test(name);
}

function describe({ kind, type, file, line }: ConfiguredBackend): string {
  return `${kind}${type === '' ? '' : ` "${type}"`} in ${file}${line === 0 ? '' : `, line ${line}`}`;
}
