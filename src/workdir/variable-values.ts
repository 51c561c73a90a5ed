import { readFile, readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { templateValue, textValue, type RunVariable } from '../core/runs/variables.ts';
import type { Environment } from '../ports/environment.ts';
import { BackendFault } from '../ports/state-client.ts';
import type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';
import { configurationFiles } from './configuration.ts';
import { findVariables, parseAttributes, parseJsonFile } from './hcl.ts';

/** The values that a run of a folder is given, and the names in files that the folder does not declare. */
export interface CollectedVariables {
  readonly variables: readonly RunVariable[];
  readonly undeclared: readonly string[];
}

/** What the variables of a run are collected from. */
export interface VariableSources {
  readonly folder: string;
  readonly env: Environment;
  /** `NAME=VALUE`, which count more than files. */
  readonly values: readonly string[];
  /** Files of values, from the folder on; of two the later one counts. */
  readonly files: readonly string[];
}

const ENVIRONMENT_PREFIX = 'TF_VAR_';
const AUTOMATIC = /^terraform\.tfvars(?:\.json)?$|\.auto\.tfvars(?:\.json)?$/;
/** A text for a variable of these types, or of none, is the value itself; for all others it is an expression. */
const LITERAL_TYPES: ReadonlySet<string | null> = new Set([
  null,
  ...['string', 'number', 'bool'].flatMap((type) => [type, `\${${type}}`]),
]);

/**
 * Collects the variables of a run as terraform does for its cloud block (internal/cloud/cloud_variables.go): values of the command
 * line, of the files that it names, and of `TF_VAR_…`, as far as they are declared. What stands in `terraform.tfvars` and
 * `*.auto.tfvars` counts more than the environment, and travels with the folder.
 * @throws BackendFault for a value of the command line that no variable takes
 */
export async function collectVariables(sources: VariableSources): Promise<CollectedVariables> {
  const { folder, env, values, files } = sources;
  const fromShell = Object.keys(env).filter((name) => name.startsWith(ENVIRONMENT_PREFIX));
  if (values.length === 0 && files.length === 0 && fromShell.length === 0)
    return { variables: [], undeclared: [] };
  const declared = await declaredIn(folder);
  const expressions = new Map<string, string>();
  const told = fromShell.filter((name) => declared.has(name.slice(ENVIRONMENT_PREFIX.length)));
  const automatic = told.length === 0 ? new Set<string>() : await automaticNames(folder);
  for (const name of told) {
    const variable = name.slice(ENVIRONMENT_PREFIX.length);
    if (!automatic.has(variable))
      expressions.set(variable, expressionOfText(env[name] ?? '', declared.get(variable) ?? null));
  }
  const undeclared: string[] = [];
  for (const file of files) {
    for (const [variable, expression] of await readValues(folder, file)) {
      if (declared.has(variable)) expressions.set(variable, expression);
      else undeclared.push(variable);
    }
  }
  for (const given of values) {
    const [, variable, value = ''] = /^\s*([^\s=]+)\s*=(.*)$/s.exec(given) ?? [];
    if (variable === undefined) throw new BackendFault('configuration', 'invalid --var: expected NAME=VALUE');
    const type = declared.get(variable);
    if (type === undefined)
      throw new BackendFault(
        'configuration',
        `invalid --var: no variable "${variable}" is declared in ${folder}`,
        'Declare it with a variable block, or leave the option out.',
      );
    expressions.set(variable, expressionOfText(value, type));
  }
  return { variables: [...expressions].map(([key, value]) => ({ key, value })), undeclared };
}

/** The variables of the root module with their types; a file that overrides others may say another type. */
async function declaredIn(folder: string): Promise<ReadonlyMap<string, string | null>> {
  const { primary, overrides } = await configurationFiles(folder);
  const declared = new Map<string, string | null>();
  for (const file of [...primary, ...overrides]) {
    const found = await findVariables(file, await readFile(join(folder, file), 'utf8'));
    for (const [name, type] of found) declared.set(name, type ?? declared.get(name) ?? null);
  }
  return declared;
}

async function automaticNames(folder: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const file of (await readdir(folder)).filter((name) => AUTOMATIC.test(name)))
    for (const name of Object.keys(await parseValues(folder, file))) names.add(name);
  return names;
}

async function readValues(folder: string, file: string): Promise<readonly (readonly [string, string])[]> {
  const values = await parseValues(folder, file);
  // HCL's parser leaves templates in strings as they are written, and makes one of every other expression.
  const asText = file.endsWith('.json') ? textValue : templateValue;
  return Object.entries(values).map(([name, value]) => [name, expressionOf({ file, name }, value, asText)]);
}

async function parseValues(folder: string, file: string): Promise<BackendAttributes> {
  const path = isAbsolute(file) ? file : resolve(folder, file);
  const text = await readFile(path, 'utf8').catch((fault: unknown) => {
    throw new BackendFault(
      'configuration',
      `the file of variables ${file} cannot be read`,
      'Expected a file such as production.tfvars.',
      fault,
    );
  });
  return file.endsWith('.json') ? parseJsonFile(file, text) : parseAttributes(file, text);
}

function expressionOfText(text: string, type: string | null): string {
  return LITERAL_TYPES.has(type) ? textValue(text) : text;
}

function expressionOf(
  at: { readonly file: string; readonly name: string },
  value: AttributeValue,
  asText: (text: string) => string,
): string {
  if (typeof value === 'string') return asText(value);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new BackendFault(
      'configuration',
      `the value of "${at.name}" in ${at.file} has a number that is too large`,
      'Write it as a text, in quotes: terraform makes a number of it.',
    );
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => expressionOf(at, item, asText)).join(', ')}]`;
  const members = Object.entries(value).map(
    ([name, item]) => `${asText(name)} = ${expressionOf(at, item ?? null, asText)}`,
  );
  return `{${members.join(', ')}}`;
}
