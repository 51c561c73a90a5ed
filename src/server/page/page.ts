import type { DoorReply, DoorRequest } from '../../protocols/door.ts';
import { namesETag } from '../../protocols/wire/conditions.ts';
import { readPage, type Coding, type PageFile } from './files.ts';

/** Nothing runs, loads or is sent to but what comes from this server, and no text becomes markup. */
const POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** What every file of the page says to browsers, besides what every answer says. */
const HEADERS = {
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

const INDEX = '/index.html';
/** The build puts a digest of the content into the names below it: under one name there is one content for ever. */
const HASHED = /^\/assets\/.*[-.][\w-]{8,}\.\w+$/;
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';

const NOT_BUILT = `This is Statehouse. Its page is not here, because this program runs from a source that was not built with it.
Run "npm run build" and start the server again. The API and all backends work without the page.
`;

/** Serves the page: its files, and its start for every place in it. */
export class Page {
  readonly #read: () => Promise<ReadonlyMap<string, PageFile> | null>;
  #files: Promise<ReadonlyMap<string, PageFile> | null> | null = null;

  /** @param read reads the files, when the first of them is asked for */
  constructor(read: () => Promise<ReadonlyMap<string, PageFile> | null> = readPage) {
    this.#read = read;
  }

  /** Whether a request is a browser's that wants to show what it gets. */
  isWanted({ method, header }: Pick<DoorRequest, 'method' | 'header'>): boolean {
    if (method !== 'GET' && method !== 'HEAD') return false;
    return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(header('accept') ?? '');
  }

  /** The start of the page, whatever place in it was asked for: the page itself reads which. */
  async start(request: DoorRequest): Promise<DoorReply> {
    const file = (await this.#load())?.get(INDEX);
    if (file !== undefined) return fileReply(request, file, ASK_AGAIN);
    const headers = { 'content-type': 'text/plain; charset=utf-8', ...HEADERS };
    return { operation: 'page', status: 200, headers, body: Buffer.from(NOT_BUILT) };
  }

  /** A file of the page; null where it has none of this name. */
  async file(request: DoorRequest): Promise<DoorReply | null> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return null;
    const file = (await this.#load())?.get(request.path);
    if (file === undefined) return null;
    return fileReply(request, file, HASHED.test(request.path) ? FOR_EVER : ASK_AGAIN);
  }

  #load(): Promise<ReadonlyMap<string, PageFile> | null> {
    this.#files ??= this.#read();
    return this.#files;
  }
}

function fileReply(request: DoorRequest, file: PageFile, caching: string): DoorReply {
  const coding = codingFor(request.header('accept-encoding') ?? '', file);
  // A strong tag names one sequence of bytes, so each form has its own.
  const tag = coding === null ? file.digest : `${file.digest}-${coding}`;
  const bytes = (coding === null ? undefined : file.coded[coding]) ?? file.plain;
  const headers = {
    ...HEADERS,
    'content-type': file.type,
    'cache-control': caching,
    vary: 'accept, accept-encoding',
    etag: `"${tag}"`,
    ...(coding === null ? {} : { 'content-encoding': coding }),
  };
  const known = request.header('if-none-match');
  const reply = { operation: 'page', headers, page: POLICY };
  if (known !== undefined && namesETag(known, tag)) return { ...reply, status: 304, body: null };
  const length = { 'content-length': String(bytes.length) };
  return request.method === 'HEAD'
    ? { ...reply, status: 200, headers: { ...headers, ...length }, body: null }
    : { ...reply, status: 200, body: bytes };
}

/** The smallest form that the browser takes; null for the plain one. */
function codingFor(accepted: string, { coded }: PageFile): Coding | null {
  const isTaken = (coding: Coding): boolean =>
    coded[coding] !== undefined &&
    new RegExp(`(?:^|,)\\s*${coding}\\s*(?:;\\s*q=(?:1|0?\\.\\d*[1-9]\\d*)[^,]*)?(?:,|$)`, 'i').test(
      accepted,
    );
  return (['br', 'gzip'] as const).find(isTaken) ?? null;
}
