import { isJsonNumber } from './json.ts';
import { isMaskedArray, isMaskedObject, Secret, type Masked } from './masked.ts';
import type { Instance, Snapshot } from './snapshot.ts';

/** What is in a state, as far as one looks for it: nothing sensitive, and of very large states not all. */
export interface StateContents {
  readonly resources: readonly FoundResource[];
  /** Instances that were left out, because there are too many. */
  readonly more: number;
  /** States that data sources of this one read: `terraform_remote_state`. */
  readonly sources: readonly RemoteSource[];
}

/** One resource instance, as it is looked for. */
export interface FoundResource {
  readonly address: string;
  readonly module: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
  /** `registry.terraform.io/hashicorp/aws` */
  readonly provider: string;
  /** Values that are not sensitive, by their path: `tags.Name`. */
  readonly values: readonly (readonly [path: string, value: string])[];
}

/** What a `terraform_remote_state` reads: a backend, and its settings that are plain text. */
export interface RemoteSource {
  readonly backend: string;
  readonly workspace: string;
  readonly config: Readonly<Record<string, string>>;
}

/** By what one looks for a resource. */
export const RESOURCE_FIELDS = ['address', 'type', 'name', 'provider', 'module', 'value'] as const;
export type ResourceField = (typeof RESOURCE_FIELDS)[number];

const RESOURCES_MAX = 5_000;
const VALUES_OF_RESOURCE_MAX = 64;
const VALUES_MAX = 50_000;
const SOURCES_MAX = 1_000;
/** Shorter ones find everything and nothing. */
const VALUE_LENGTH_MIN = 2;
const PART_LENGTH_MIN = 3;
/** What nobody types: certificates, policies, scripts. */
export const TERM_LENGTH_MAX = 256;

/** What there is to look for in a state. */
export function contentsOf({ instances }: Snapshot): StateContents {
  let left = VALUES_MAX;
  const resources = instances.slice(0, RESOURCES_MAX).map((instance): FoundResource => {
    const { address, module, mode, resourceType, name } = instance;
    const values = valuesOf(instance, Math.min(left, VALUES_OF_RESOURCE_MAX));
    left -= values.length;
    return { address, module, mode, type: resourceType, name, provider: providerOf(instance), values };
  });
  const sources = instances.filter(isRemoteState).slice(0, SOURCES_MAX).flatMap(sourceOf);
  return { resources, more: Math.max(0, instances.length - RESOURCES_MAX), sources };
}

/** What the words of each field are. */
const TERMS: Readonly<Record<ResourceField, (resource: FoundResource) => readonly string[]>> = {
  address: ({ address, type, name }) => [address, address.replace(/\[[^[\]]*\]$/, ''), `${type}.${name}`],
  type: ({ type }) => [type],
  name: ({ name }) => [name, ...partsOf(name)],
  provider({ provider }) {
    const short = provider.slice(provider.indexOf('/') + 1);
    return [provider, short, short.slice(short.lastIndexOf('/') + 1)];
  },
  module({ module }) {
    const plain = module.replaceAll(/\[[^\]]*\]/g, '');
    return [module, plain, ...partsOf(plain.replaceAll(/(?:^|\.)module\./g, ' '))];
  },
  value: ({ values }) => values.flatMap(([, value]) => [value, ...lastPartOf(value)]),
};

/** Whether a resource is found by a word, in lower case. @param field null for any */
export function isFoundBy(resource: FoundResource, field: ResourceField | null, word: string): boolean {
  const fields = field === null ? RESOURCE_FIELDS : [field];
  return fields.some((one) => TERMS[one](resource).some((text) => text.toLowerCase() === word));
}

/** Every word by which something in a state is found, each once; in lower case. */
export function allTerms({ resources }: StateContents): readonly string[] {
  const terms = new Set<string>();
  for (const resource of resources) {
    for (const field of RESOURCE_FIELDS)
      for (const text of TERMS[field](resource)) if (isTerm(text)) terms.add(text.toLowerCase());
  }
  return [...terms];
}

function isTerm(text: string): boolean {
  return text !== '' && text.length <= TERM_LENGTH_MAX;
}

/** `web` and `server` of `web-server`. */
function partsOf(name: string): readonly string[] {
  return name.split(/[^\p{L}\p{N}]+/u).filter((part) => part.length >= PART_LENGTH_MIN);
}

/** The name in an ARN, a path or a self-link. */
function lastPartOf(value: string): readonly string[] {
  const part = value.slice(Math.max(value.lastIndexOf('/'), value.lastIndexOf(':')) + 1);
  return part.length >= PART_LENGTH_MIN && part !== value ? [part] : [];
}

/** `provider["registry.terraform.io/hashicorp/aws"].west` names the source between its quotes. */
function providerOf({ provider }: Pick<Instance, 'provider'>): string {
  return /provider\["([^"]+)"\]/.exec(provider)?.[1] ?? provider;
}

function valuesOf({ attributes }: Instance, max: number): FoundResource['values'] {
  const values: (readonly [string, string])[] = [];
  // What says most comes first: no attribute of a resource says more than its own ID.
  const ordered = attributes.toSorted((a, b) => Number(b.name === 'id') - Number(a.name === 'id'));
  for (const { name, content } of ordered) {
    for (const found of scalarsOf(name, content)) {
      if (values.length >= max) return values;
      values.push(found);
    }
  }
  return values;
}

function* scalarsOf(path: string, value: Masked): Generator<readonly [string, string]> {
  if (value instanceof Secret) return;
  if (typeof value === 'string' || isJsonNumber(value)) {
    const text = typeof value === 'string' ? value : value.value;
    if (text.length >= VALUE_LENGTH_MIN && text.length <= TERM_LENGTH_MAX) yield [path, text];
  } else if (isMaskedArray(value)) {
    for (const [index, item] of value.entries()) yield* scalarsOf(`${path}[${index}]`, item);
  } else if (isMaskedObject(value)) {
    for (const [name, item] of Object.entries(value)) yield* scalarsOf(`${path}.${name}`, item);
  }
}

function isRemoteState({ mode, resourceType }: Instance): boolean {
  return mode === 'data' && resourceType === 'terraform_remote_state';
}

function sourceOf({ attributes }: Instance): readonly RemoteSource[] {
  const of = (name: string): Masked | undefined => attributes.find((one) => one.name === name)?.content;
  const backend = of('backend');
  if (typeof backend !== 'string') return [];
  const workspace = of('workspace');
  const given = of('config');
  // A value of dynamic type is wrapped with its type.
  const isWrapped = isMaskedObject(given) && Object.hasOwn(given, 'value') && Object.hasOwn(given, 'type');
  const config = isWrapped ? given['value'] : given;
  const settings = isMaskedObject(config) ? Object.entries(config) : [];
  const plain = settings.filter((setting): setting is [string, string] => typeof setting[1] === 'string');
  const name = typeof workspace === 'string' && workspace !== '' ? workspace : 'default';
  return [{ backend, workspace: name, config: Object.fromEntries(plain) }];
}
