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
  try {
    return blocksOf(asObject(JSON.parse(text)));
  } catch (fault) {
    if (fault instanceof BackendFault) throw fault;
    const why = fault instanceof Error ? fault.message : '';
    throw new BackendFault('configuration', `${file} is not valid JSON: ${why}`, '', fault);
  }
}

/** Parses a file of plain attributes, as `-backend-config=FILE` names one. */
export async function parseAttributes(file: string, text: string): Promise<BackendAttributes> {
  return asObject(await parseHcl(file, text));
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
