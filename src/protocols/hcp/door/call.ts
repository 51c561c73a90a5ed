import { stringify } from 'lossless-json';
import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { Runs } from '../../../runs/runs.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { readBody } from '../../wire/read-body.ts';
import { readResource, readResources, writeDocument, type Resource, type SentResource } from '../json-api.ts';
import { JSON_API_TYPE } from '../layout.ts';
import type { Connections } from './connections.ts';
import { invalid, type HcpError } from './errors.ts';

/** Documents that clients send are small; states come by their own way. */
const DOCUMENT_BYTES_MAX: number = 256 * 1024;

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  /** null where the server executes none. */
  readonly runs: Runs | null;
  readonly connections: Connections;
  readonly caller: Caller;
  readonly request: DoorRequest;
  readonly operation: string;
  /** The named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: ReadonlyMap<string, string>;
}

/** What a row answers: a reply, or an error that is yet to be written. */
export type Answer = DoorReply | HcpError;

/** One row of the table. */
export interface Row {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below the prefix of the API. */
  readonly path: string;
  readonly run: (call: DoorCall) => Promise<Answer>;
}

/** Rows by the names of their operations. */
export type Rows = Readonly<Record<string, Row>>;

export function isError(value: unknown): value is HcpError {
  return typeof value === 'object' && value !== null && 'title' in value;
}

/** An answer that is a document of JSON:API. */
export function reply(
  { operation }: Pick<DoorCall, 'operation'>,
  data: Resource | readonly Resource[],
  more: Parameters<typeof writeDocument>[1] & { readonly status?: number } = {},
): DoorReply {
  const { status = 200, ...rest } = more;
  return jsonReply({ operation }, writeDocument(data, rest), status);
}

export function jsonReply(
  { operation }: Pick<DoorCall, 'operation'>,
  value: object,
  status = 200,
): DoorReply {
  return {
    operation,
    status,
    headers: { 'content-type': JSON_API_TYPE, 'cache-control': 'no-store' },
    // Serials and the numbers of outputs may be larger than any number of JavaScript.
    body: Buffer.from(stringify(value) ?? 'null'),
  };
}

/** An answer without a body. */
export function emptyReply({ operation }: Pick<DoorCall, 'operation'>, status = 204): DoorReply {
  return { operation, status, headers: {}, body: null };
}

/** The one resource of the request's document. */
export async function readOne(
  { request }: Pick<DoorCall, 'request'>,
  bytesMax: number = DOCUMENT_BYTES_MAX,
): Promise<SentResource | HcpError> {
  const bytes = await readBody(request, bytesMax);
  if (bytes === null) return tooLarge(bytesMax);
  return readResource(bytes) ?? invalid('the body is not a document of JSON:API with one resource');
}

/** The resources of the request's document. */
export async function readMany({
  request,
}: Pick<DoorCall, 'request'>): Promise<readonly SentResource[] | HcpError> {
  const bytes = await readBody(request, DOCUMENT_BYTES_MAX);
  if (bytes === null) return tooLarge(DOCUMENT_BYTES_MAX);
  return readResources(bytes) ?? invalid('the body is not a document of JSON:API with a list of resources');
}

function tooLarge(bytesMax: number): HcpError {
  return { status: 413, title: 'too large', detail: `expected at most ${bytesMax} bytes` };
}

/** Where the server is, as its client sees it: a proxy tells by which name and scheme it was asked. */
export function originOf({ secure, header }: Pick<DoorRequest, 'secure' | 'header'>): string {
  const [proto = ''] = (header('x-forwarded-proto') ?? '').split(',');
  const [forwarded = ''] = (header('x-forwarded-host') ?? '').split(',');
  const scheme = ['http', 'https'].includes(proto.trim()) ? proto.trim() : secure ? 'https' : 'http';
  const host = forwarded.trim() === '' ? (header('host') ?? '') : forwarded.trim();
  return `${scheme}://${host}`;
}

/** Whether related resources are asked for by this name. */
export function includes({ query }: Pick<DoorCall, 'query'>, name: string): boolean {
  return (query.get('include') ?? '').split(',').includes(name);
}

const PAGE_SIZE_DEFAULT = 20;
const PAGE_SIZE_MAX = 100;

/** One page of a list, as `page[number]` and `page[size]` ask for it. */
export function pageOf<T>(
  { query }: Pick<DoorCall, 'query'>,
  all: readonly T[],
):
  | { readonly items: readonly T[]; readonly page: { number: number; size: number; total: number } }
  | HcpError {
  const asked = pageAsked({ query });
  if (isError(asked)) return asked;
  const { number, size } = asked;
  return { items: all.slice((number - 1) * size, number * size), page: { ...asked, total: all.length } };
}

/** Which page of a list is asked for. */
export function pageAsked({
  query,
}: Pick<DoorCall, 'query'>): { readonly number: number; readonly size: number } | HcpError {
  const number = wholeIn(query.get('page[number]') ?? '1');
  const size = wholeIn(query.get('page[size]') ?? String(PAGE_SIZE_DEFAULT));
  if (number === null || size === null)
    return invalid('page[number] and page[size] are whole numbers from 1 up');
  return { number, size: Math.min(size, PAGE_SIZE_MAX) };
}

function wholeIn(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}
