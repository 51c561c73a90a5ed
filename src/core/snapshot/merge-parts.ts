import { isStateHeader, readStateHeader, type StateHeader } from '../state-header.ts';
import { instanceAddress } from './address.ts';
import { elementsOf, firstValue, membersOf, type Span } from './json-spans.ts';
import { isJsonObject, member, parseJson, printJson, type JsonObject } from './json.ts';
import type { EncryptedSnapshot, SnapshotProblem } from './snapshot.ts';

/** A larger state is not taken apart in memory. */
const MERGE_BYTES_MAX: number = 256 * 1024 * 1024;

/** A piece of a state's text. */
export interface Part {
  /** What people call it. */
  readonly label: string;
  readonly text: string;
}

export interface ResourcePart extends Part {
  /** All that is said of it beside its instances, in one form. */
  readonly head: string;
  /** By what tells them apart, in the state's order. */
  readonly instances: ReadonlyMap<string, Part>;
  /** Where their list stands in the text; null where there is none. */
  readonly list: Span | null;
}

/** A state, taken apart into pieces of its own text. */
export interface StateParts {
  readonly type: 'parts';
  readonly text: string;
  readonly header: StateHeader;
  /** The values of the top-level members, and where they stand. */
  readonly members: ReadonlyMap<string, Part & Span>;
  readonly resources: ReadonlyMap<string, ResourcePart>;
  readonly outputs: ReadonlyMap<string, Part>;
  readonly checks: ReadonlyMap<string, Part>;
}

/** Takes a state apart. One that has the same thing twice is a problem: none of the two may be lost. */
export function readParts(bytes: Uint8Array): StateParts | EncryptedSnapshot | SnapshotProblem {
  if (bytes.length > MERGE_BYTES_MAX)
    return { problem: `a state of more than ${MERGE_BYTES_MAX} bytes cannot be merged` };
  const header = readStateHeader(bytes);
  if (!isStateHeader(header)) return header;
  if (header.encrypted) return { type: 'encrypted', serial: header.serial, lineage: header.lineage };
  const text = decode(bytes);
  if (text === null || !isJsonObject(parseJson(text))) return { problem: 'the state is not JSON in UTF-8' };
  try {
    return partsOf(text, header);
  } catch (fault) {
    if (fault instanceof Malformed) return { problem: fault.message };
    throw fault;
  }
}

/** Whether two pieces say the same, however they are laid out. Numbers are compared as they are written. */
export function sameText(a: string | null, b: string | null): boolean {
  if (a === b) return true;
  return a !== null && b !== null && oneForm(a) === oneForm(b);
}

/** What a state has where something else belongs; never leaves this module. */
class Malformed extends Error {}

function partsOf(text: string, header: StateHeader): StateParts {
  const start = firstValue(text);
  const members = new Map<string, Part & Span>();
  for (const { name, start: from, end } of membersOf(text, start)) {
    if (members.has(name)) throw new Malformed(`the state has the member "${name}" twice`);
    members.set(name, { label: name, text: text.slice(from, end), start: from, end });
  }
  return {
    type: 'parts',
    text,
    header,
    members,
    resources: resourcesOf(members.get('resources')?.text ?? 'null'),
    outputs: outputsOf(members.get('outputs')?.text ?? 'null'),
    checks: checksOf(members.get('check_results')?.text ?? 'null'),
  };
}

function resourcesOf(text: string): ReadonlyMap<string, ResourcePart> {
  const resources = new Map<string, ResourcePart>();
  for (const span of listOf(text, 'resources')) {
    const part = resourceOf(text.slice(span.start, span.end));
    add(resources, part.label, part);
  }
  return resources;
}

function resourceOf(text: string): ResourcePart {
  const resource = objectOf(text, 'resource');
  const { instances: _instances, ...head } = resource;
  const [mode, resourceType, name] = ['mode', 'type', 'name'].map((field) => textOf(resource, field));
  const module = member(resource, 'module') ?? '';
  if ((mode !== 'managed' && mode !== 'data') || typeof module !== 'string')
    throw new Malformed('a resource of the state has an unknown mode or module');
  const about = { mode, module, resourceType: resourceType ?? '', name: name ?? '' } as const;
  const list = membersOf(text, 0).find((found) => found.name === 'instances') ?? null;
  const instances = new Map<string, Part>();
  for (const span of list === null ? [] : listOf(text.slice(list.start, list.end), 'instances')) {
    const from = list?.start ?? 0;
    const piece = text.slice(from + span.start, from + span.end);
    const instance = objectOf(piece, 'instance');
    const deposed = member(instance, 'deposed');
    const address = instanceAddress(about, member(instance, 'index_key'));
    const label = typeof deposed === 'string' ? `${address} (deposed ${deposed})` : address;
    add(instances, label, { label, text: piece });
  }
  return { label: instanceAddress(about, undefined), text, head: printJson(head), instances, list };
}

function outputsOf(text: string): ReadonlyMap<string, Part> {
  if (text === 'null') return new Map();
  objectOf(text, 'outputs');
  const outputs = new Map<string, Part>();
  for (const { name, nameStart, end } of membersOf(text, 0))
    add(outputs, name, { label: `output.${name}`, text: text.slice(nameStart, end) });
  return outputs;
}

function checksOf(text: string): ReadonlyMap<string, Part> {
  const checks = new Map<string, Part>();
  for (const span of listOf(text, 'check_results')) {
    const piece = text.slice(span.start, span.end);
    const check = objectOf(piece, 'check result');
    const label = `${printJson(member(check, 'object_kind') ?? null)} ${printJson(member(check, 'config_addr') ?? null)}`;
    add(checks, label, { label, text: piece });
  }
  return checks;
}

function add<T>(parts: Map<string, T>, key: string, part: T): void {
  if (parts.has(key)) throw new Malformed(`the state has ${key} twice`);
  parts.set(key, part);
}

function listOf(text: string, what: string): readonly Span[] {
  if (text === 'null') return [];
  if (!text.startsWith('[')) throw new Malformed(`the state's ${what} is not a list`);
  return elementsOf(text, 0);
}

function objectOf(text: string, what: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new Malformed(`the state's ${what} is not an object`);
  return value;
}

function textOf(object: JsonObject, name: string): string {
  const value = member(object, name);
  if (typeof value !== 'string')
    throw new Malformed(`the ${name} of a resource in the state is not a string`);
  return value;
}

/** The same for every layout of a value. An output's piece has its name before it. */
function oneForm(text: string): string {
  const named = /^"(?:[^"\\]|\\.)*"\s*:/.exec(text)?.[0] ?? '';
  return printJson(parseJson(text.slice(named.length)) ?? null);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
