import { isSafeNumber, parse } from 'lossless-json';
import { z } from 'zod';

/** One resource of JSON:API 1.0, as far as HCP's clients use it. */
export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships?: Readonly<Record<string, unknown>>;
  readonly links?: Readonly<Record<string, string>>;
}

/** What names a resource in a relationship. */
export interface ResourceName {
  readonly id: string;
  readonly type: string;
}

/** A page of many. */
export interface Page {
  readonly number: number;
  readonly size: number;
  readonly total: number;
}

/** A resource as a client sends one: terraform leaves its type empty at times, and its id out. */
export interface SentResource {
  readonly id?: string | undefined;
  readonly type?: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships: Readonly<Record<string, { readonly data?: unknown }>>;
}

const SENT: z.ZodType<SentResource> = z.object({
  id: z.string().optional(),
  type: z.string().optional(),
  attributes: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
  relationships: z
    .record(z.string(), z.looseObject({ data: z.unknown() }))
    .nullish()
    .transform((value) => value ?? {}),
}) as z.ZodType<SentResource>;

const DOCUMENT = z.object({ data: z.union([z.array(SENT), SENT]) });

/** Reads a document with one resource; null where the bytes are none. */
export function readResource(bytes: Uint8Array): SentResource | null {
  const data = readData(bytes);
  return data === null || Array.isArray(data) ? null : (data as SentResource);
}

/** Reads a document with a list of resources; null where the bytes are none. */
export function readResources(bytes: Uint8Array): readonly SentResource[] | null {
  const data = readData(bytes);
  return Array.isArray(data) ? data : null;
}

/** The resources that a relationship names, or brings with it; null where it is absent or names none. */
export function related(resource: SentResource, name: string): readonly SentResource[] | null {
  const data = resource.relationships[name]?.data;
  const parsed = z.union([z.array(SENT), SENT.transform((one) => [one])]).safeParse(data);
  return parsed.success ? parsed.data : null;
}

/** The document of one resource, or of several. */
export function writeDocument(
  data: Resource | readonly Resource[],
  {
    included,
    page,
    links,
  }: {
    readonly included?: readonly Resource[];
    readonly page?: Page;
    readonly links?: Readonly<Record<string, string>>;
  } = {},
): object {
  return {
    data,
    ...(included === undefined || included.length === 0 ? {} : { included }),
    ...(links === undefined ? {} : { links }),
    ...(page === undefined ? {} : { meta: { pagination: pagination(page) } }),
  };
}

/** A relationship to one resource, to several, or to none. */
export function toOne(name: ResourceName | null): { readonly data: ResourceName | null } {
  return { data: name };
}

export function toMany(names: readonly ResourceName[]): { readonly data: readonly ResourceName[] } {
  return { data: names };
}

function pagination({ number, size, total }: Page): object {
  const pages = Math.max(1, Math.ceil(total / size));
  return {
    'current-page': number,
    'page-size': size,
    'prev-page': number > 1 ? number - 1 : null,
    'next-page': number < pages ? number + 1 : null,
    'total-pages': pages,
    'total-count': total,
  };
}

function readData(bytes: Uint8Array): SentResource | readonly SentResource[] | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return DOCUMENT.safeParse(parsed(text)).data?.data ?? null;
  } catch {
    return null;
  }
}

/** Numbers of small documents are read exactly. What is larger has a state in it, whose own text counts. */
function parsed(text: string): unknown {
  return text.length > EXACT_LENGTH_MAX ? JSON.parse(text) : parse(text, null, readNumber);
}

const EXACT_LENGTH_MAX = 256 * 1024;

function readNumber(text: string): number | bigint {
  return !isSafeNumber(text) && /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}
