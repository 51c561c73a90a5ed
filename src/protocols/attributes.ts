import type { Environment } from '../ports/environment.ts';
import { BackendFault } from '../ports/state-client.ts';

/** A backend block's attributes, or those of a block within it: what HCL, JSON, a record or the command line gave. */
export interface BackendAttributes {
  readonly [name: string]: AttributeValue;
}
export type AttributeValue = null | boolean | number | string | readonly AttributeValue[] | BackendAttributes;

/** A text, from the first of: the attribute, the variables of the environment. Empty texts count as unset, as in terraform. */
export function readText(
  attributes: BackendAttributes,
  name: string,
  env: Environment = {},
  ...variables: readonly string[]
): string | null {
  const value = attributes[name] ?? null;
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value !== null && typeof value === 'object') throw misfit(name, 'a text');
  for (const variable of variables) {
    const text = env[variable];
    if (text !== undefined && text !== '') return text;
  }
  return null;
}

/** A text that must be there. */
export function requireText(
  backend: string,
  attributes: BackendAttributes,
  name: string,
  env: Environment = {},
  ...variables: readonly string[]
): string {
  const text = readText(attributes, name, env, ...variables);
  if (text !== null) return text;
  const or = variables.length > 0 ? ` or set ${variables.join(' or ')}` : '';
  throw new BackendFault(
    'configuration',
    `the ${backend} backend needs "${name}"`,
    `Write it in the backend block, give --backend-config ${name}=…${or}.`,
  );
}

/** A truth value; `"true"` from the command line or the environment is one as well. */
export function readBoolean(
  attributes: BackendAttributes,
  name: string,
  env: Environment = {},
  ...variables: readonly string[]
): boolean {
  const text = readText(attributes, name, env, ...variables);
  if (text === null || ['false', '0', 'f', 'F', 'FALSE', 'False'].includes(text)) return false;
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(text)) return true;
  throw misfit(name, 'true or false');
}

/** A whole number from 0 up. */
export function readCount(
  attributes: BackendAttributes,
  name: string,
  env: Environment = {},
  ...variables: readonly string[]
): number | null {
  const text = readText(attributes, name, env, ...variables);
  if (text === null) return null;
  if (!/^\d{1,9}$/.test(text)) throw misfit(name, 'a whole number');
  return Number(text);
}

export function readTexts(attributes: BackendAttributes, name: string): readonly string[] | null {
  const value = attributes[name] ?? null;
  if (value === null) return null;
  if (!isList(value) || value.some((item) => typeof item !== 'string')) throw misfit(name, 'a list of texts');
  return value.filter((item) => typeof item === 'string');
}

/** A nested block or object; a block is a list of one in the JSON that HCL becomes. */
export function readObject(attributes: BackendAttributes, name: string): BackendAttributes | null {
  const value = attributes[name] ?? null;
  const inner = isList(value) ? (value[0] ?? null) : value;
  if (inner === null) return null;
  if (typeof inner !== 'object' || isList(inner)) throw misfit(name, 'an object');
  return inner;
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

function misfit(name: string, wanted: string): BackendFault {
  return new BackendFault('configuration', `"${name}" in the backend's configuration is not ${wanted}`);
}
