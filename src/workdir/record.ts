import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendFault } from '../ports/state-client.ts';
import type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';

/** What `terraform init` wrote down about the backend. */
export interface BackendRecord {
  readonly type: string;
  /** What was set, by the block or by -backend-config; the rest is left out. */
  readonly attributes: BackendAttributes;
}

/** Reads `.terraform/terraform.tfstate`, which is not a state but the record of the backend; null when it does not exist. */
export async function readRecord(dataFolder: string): Promise<BackendRecord | null> {
  const path = join(dataFolder, 'terraform.tfstate');
  const text = await readFile(path, 'utf8').catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === 'ENOENT' || fault.code === 'ENOTDIR') return null;
    throw new BackendFault('denied', `${path} cannot be read: ${fault.code ?? ''}`, '', fault);
  });
  if (text === null || text === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (fault) {
    throw new BackendFault(
      'corrupt',
      `${path} is not valid JSON`,
      'Run "terraform init" to write it again.',
      fault,
    );
  }
  const backend = member(value, 'backend');
  if (backend === undefined || backend === null) return null;
  const type = member(backend, 'type');
  const config = member(backend, 'config');
  if (typeof type !== 'string') {
    throw new BackendFault(
      'corrupt',
      `${path} does not name a backend`,
      'Run "terraform init" to write it again.',
    );
  }
  return { type, attributes: dropUnset(config) };
}

/**
 * The attributes that differ between block and record: the block was changed after the last init.
 * What only the record has came from -backend-config and stands.
 */
export function differences(block: BackendAttributes, record: BackendAttributes): readonly string[] {
  return Object.keys(block).filter((name) => !same(normalise(block[name]), normalise(record[name])));
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function dropUnset(config: unknown): BackendAttributes {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return {};
  return Object.fromEntries(
    Object.entries(config as BackendAttributes).filter(([, value]) => value !== null),
  );
}

/** A block is a list of one or an object; unset, empty and false mean the same; a number or truth may be a text. */
function normalise(value: AttributeValue | undefined): unknown {
  if (value === undefined || value === null || value === '' || value === false) return null;
  if (Array.isArray(value)) {
    const items = value as readonly AttributeValue[];
    const [only] = items;
    if (items.length === 1 && typeof only === 'object') return normalise(only);
    return items.length === 0 ? null : items.map(normalise);
  }
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([name, inner]) => [name, normalise(inner)] as const);
  const set = members.filter(([, inner]) => inner !== null).sort(([a], [b]) => (a < b ? -1 : 1));
  return set.length === 0 ? null : Object.fromEntries(set);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
