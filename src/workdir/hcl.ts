import type { AttributeValue, BackendAttributes } from '../protocols/attributes.ts';
import { BackendFault } from '../ports/state-client.ts';
import type { FoundBlock } from './literal-scanner.ts';
import { scanForBackend } from './literal-scanner.ts';

/** Finds the blocks that say where states are. Loads HCL's parser only for a file that has one and is not plain. */
export async function findBackendBlocks(file: string, text: string): Promise<readonly FoundBlock[]> {
  // A block's type is written as it is, never quoted or escaped: a file without these words has no such block.
  if (!/\b(?:backend|cloud|state_store)\b/.test(text)) return [];
  return scanForBackend(text) ?? blocksOf(await parseHcl(file, text));
}

/** The same in JSON syntax. */
export function findBackendBlocksInJson(file: string, text: string): readonly FoundBlock[] {
  return blocksOf(parseJsonFile(file, text));
}

/** Parses a file of plain attributes, as `-backend-config=FILE` names one. */
export async function parseAttributes(file: string, text: string): Promise<BackendAttributes> {
  return asObject(await parseHcl(file, text));
}

/**
 * The variables that a file declares, with the types that it names.
 * @returns for each its type as it is written; null where it has none
 */
export async function findVariables(file: string, text: string): Promise<ReadonlyMap<string, string | null>> {
  // The word is written as it is, never quoted or escaped, but in JSON.
  if (!/\bvariable\b/.test(text)) return new Map();
  const root = file.endsWith('.json') ? parseJsonFile(file, text) : await parseHcl(file, text);
  return new Map(
    listOf(root['variable']).flatMap((block) =>
      Object.entries(block).flatMap(([name, bodies]) =>
        listOf(bodies).map(({ type }) => [name, typeof type === 'string' ? type : null] as const),
      ),
    ),
  );
}

/** Reads a file of JSON whose value is an object. */
export function parseJsonFile(file: string, text: string): BackendAttributes {
  try {
    return asObject(JSON.parse(text));
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : '';
    throw new BackendFault('configuration', `${file} is not valid JSON: ${why}`, '', fault);
  }
}

async function parseHcl(file: string, text: string): Promise<BackendAttributes> {
  const { parse } = await import('@cdktn/hcl2json');
  try {
    return asObject(await parse(file, text));
  } catch (fault) {
    throw new BackendFault('configuration', explain(file, fault), 'terraform validate says the same.', fault);
  }
}

/** `parse config: [main.tf:2,15-16: Unclosed …]` becomes `main.tf, line 2: Unclosed …`. */
function explain(file: string, fault: unknown): string {
  const message = fault instanceof Error ? fault.message : String(fault);
  const [, line, what] = /:(\d+),[\d-]+(?:,\d+)?: ([^]*?)\]?$/.exec(message) ?? [];
  return line === undefined ? `${file} is not valid HCL: ${message}` : `${file}, line ${line}: ${what}`;
}

function blocksOf(root: BackendAttributes): readonly FoundBlock[] {
  return listOf(root['terraform']).flatMap((terraform) =>
    (['backend', 'cloud', 'state_store'] as const).flatMap((kind) =>
      listOf(terraform[kind]).flatMap((block): readonly FoundBlock[] => {
        if (kind === 'cloud') return [{ kind, type: '', attributes: block, line: 0 }];
        return Object.entries(block).flatMap(([type, bodies]) =>
          listOf(bodies).map((attributes) => ({ kind, type, attributes, line: 0 })),
        );
      }),
    ),
  );
}

/** Blocks come as a list of objects, or in JSON syntax as one object alone. */
function listOf(value: AttributeValue | undefined): readonly BackendAttributes[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value.map(asObject) : [asObject(value)];
}

function asObject(value: unknown): BackendAttributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as BackendAttributes)
    : {};
}
