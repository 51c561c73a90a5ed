import type { Environment } from '../ports/environment.ts';
import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { BackendFault } from '../ports/state-client.ts';
import type { BackendAttributes } from '../protocols/attributes.ts';
import { parseAttributes } from './hcl.ts';

/**
 * Reads what `-backend-config` was given, in order: `key=value` pairs, and files of attributes. An empty one forgets all
 * before it (terraform internal/command/init.go).
 */
export async function readOverrides(given: readonly string[], folder: string): Promise<BackendAttributes> {
  let attributes: BackendAttributes = {};
  for (const item of given) {
    if (item === '') attributes = {};
    else attributes = { ...attributes, ...(await readOverride(item, folder)) };
  }
  return attributes;
}

/** The `-backend-config` of `TF_CLI_ARGS_init`, as `terraform init` would have got it. */
export function overridesFromEnvironment(env: Environment): readonly string[] {
  const words = splitWords(`${env['TF_CLI_ARGS'] ?? ''} ${env['TF_CLI_ARGS_init'] ?? ''}`);
  return words.flatMap((word, index) => {
    const [, value] = /^--?backend-config(?:=([^]*))?$/.exec(word) ?? [];
    if (value !== undefined) return [value];
    return /^--?backend-config$/.test(word) ? [words[index + 1] ?? ''] : [];
  });
}

async function readOverride(item: string, folder: string): Promise<BackendAttributes> {
  const equals = item.indexOf('=');
  if (equals === -1) return readFileOf(item, folder);
  const name = item.slice(0, equals).trim();
  const value = item.slice(equals + 1);
  // Only lists and objects are written as HCL; everything else is taken as it stands.
  if (!/^\s*[[{]/.test(value)) return { [name]: value };
  const parsed = await parseAttributes('--backend-config', `value = ${value}\n`);
  return { [name]: parsed['value'] ?? null };
}

async function readFileOf(item: string, folder: string): Promise<BackendAttributes> {
  const path = isAbsolute(item) ? item : resolve(folder, item);
  const text = await readFile(path, 'utf8').catch((fault: unknown) => {
    throw new BackendFault(
      'configuration',
      `the --backend-config file ${item} cannot be read`,
      'Expected a file, or a pair name=value.',
      fault,
    );
  });
  if (!path.endsWith('.json')) return parseAttributes(item, text);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as BackendAttributes;
  } catch {
    // Reported below, together with JSON that is not an object.
  }
  throw new BackendFault('configuration', `the --backend-config file ${item} does not contain a JSON object`);
}

/** Splits as a shell does, with single and double quotes and backslashes. */
function splitWords(text: string): readonly string[] {
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? [];
  return words.map((word) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
      (_, escaped?: string, double?: string, single?: string) =>
        escaped ?? single ?? (double ?? '').replace(/\\(["\\])/g, '$1'),
    ),
  );
}
