import { createHash } from 'node:crypto';
import { BackendFault } from '../../../ports/state-client.ts';
import { readXml, xmlExactText, xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import { LEASE_INFINITE, LOCK_INFO_METADATA } from '../layout.ts';
import type { AzurermConfig } from './config.ts';
import { AzureRequests, refusal, withoutMark, type AzureReply } from './request.ts';

/** What a blob is, without its bytes. */
export interface BlobFacts {
  readonly etag: string;
  readonly leased: boolean;
  /** Whether there is nothing in it: it was made to be leased. */
  readonly empty: boolean;
  /** In base64; null where the server does not say. */
  readonly md5: string | null;
  /** By names in small letters. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Of which version it is, where the account keeps versions. */
  readonly version: string | null;
}

/** A blob, or an old one of it, as a list tells. */
export interface ListedBlob {
  readonly name: string;
  readonly snapshot: string | null;
  readonly version: string | null;
  readonly modified: Date;
  readonly size: number | null;
  readonly leased: boolean;
  readonly lockInfo: string | null;
}

/** Terms of a write. */
export interface Terms {
  readonly lease: string | null;
  /** What must be there; null for nothing, undefined for anything. */
  readonly etag?: string | null;
}

const METADATA = 'x-ms-meta-';
/** A container with more blobs below the prefix is not listed to its end. */
const PAGES_MAX = 1_000;
const PAGE = '1000';

/** The calls of the blob service that the azurerm backend needs. */
export class Blobs {
  readonly #config: AzurermConfig;
  readonly #requests: AzureRequests;

  constructor(config: AzurermConfig) {
    this.#config = config;
    this.#requests = new AzureRequests(config);
  }

  house(): Promise<string | null> {
    return this.#requests.house();
  }

  /** What is known of a blob; null when it is not there. */
  async describe(name: string): Promise<BlobFacts | null> {
    const reply = await this.#ask('HEAD', name);
    if (reply.status === 404) return this.#absent(reply);
    if (reply.status !== 200) throw this.#refusal(reply, `describe ${name}`);
    const { headers } = reply;
    const metadata = Object.entries(headers).flatMap(([header, value]) =>
      header.startsWith(METADATA) ? [[header.slice(METADATA.length), String(value)] as const] : [],
    );
    return {
      etag: String(headers['etag'] ?? ''),
      leased: headers['x-ms-lease-status'] === 'locked',
      empty: headers['content-length'] === '0',
      md5: textIn(headers['content-md5']),
      metadata: new Map(metadata),
      version: textIn(headers['x-ms-version-id']),
    };
  }

  /** The bytes of a blob, or of an old one; null when it is not there. */
  async get(name: string, query: Readonly<Record<string, string>> = {}): Promise<Uint8Array | null> {
    const reply = await this.#ask('GET', name, query);
    if (reply.status === 404) return this.#absent(reply);
    if (reply.status !== 200) throw this.#refusal(reply, `read ${name}`);
    const md5 = textIn(reply.headers['content-md5']);
    if (md5 === null || md5 === md5Of(reply.body)) return reply.body;
    const message = `the bytes of ${name} do not match the MD5 that came with them`;
    throw new BackendFault('corrupt', message, 'Try again; something on the way changes them.');
  }

  /** @returns the refusal of a write whose terms are not met; null when it is written */
  async put(
    name: string,
    bytes: Uint8Array,
    metadata: ReadonlyMap<string, string>,
    terms: Terms,
  ): Promise<AzureReply | null> {
    const headers = {
      'x-ms-blob-type': 'BlockBlob',
      'Content-Type': 'application/json',
      'x-ms-blob-content-type': 'application/json',
      'Content-MD5': md5Of(bytes),
      ...metadataHeaders(metadata),
      ...leaseHeader(terms.lease),
      ...condition(terms.etag),
    };
    const reply = await this.#ask('PUT', name, {}, headers, bytes);
    if (reply.status === 201) return null;
    if (reply.status === 409 || reply.status === 412) return reply;
    throw this.#refusal(reply, `write ${name}`);
  }

  /** Asks for a lease without an end, under an ID of ours. @returns why it is not to be had */
  async acquire(
    name: string,
    id: string,
    signal: AbortSignal | null,
  ): Promise<'acquired' | 'absent' | 'leased'> {
    const headers = {
      'x-ms-lease-action': 'acquire',
      'x-ms-lease-duration': LEASE_INFINITE,
      'x-ms-proposed-lease-id': id,
    };
    const reply = await this.#ask('PUT', name, { comp: 'lease' }, headers, undefined, signal);
    if (reply.status === 201 || reply.status === 200) return 'acquired';
    if (reply.status === 404) {
      this.#absent(reply);
      return 'absent';
    }
    if (reply.status === 409) return 'leased';
    throw this.#refusal(reply, `lock ${name}`);
  }

  /** @returns whether the lease was of that ID; it is not any more, either way */
  async release(name: string, id: string): Promise<boolean> {
    const headers = { 'x-ms-lease-action': 'release', ...leaseHeader(id) };
    const reply = await this.#ask('PUT', name, { comp: 'lease' }, headers);
    if (reply.status === 200) return true;
    if (reply.status === 404 || reply.status === 409 || reply.status === 412) return reply.resent;
    throw this.#refusal(reply, `release ${name}`);
  }

  /** Ends a lease of which nothing is known but how the blob is. @returns whether it was as it is said to be */
  async break(name: string, etag: string): Promise<boolean> {
    const headers = { 'x-ms-lease-action': 'break', 'x-ms-lease-break-period': '0', ...condition(etag) };
    const reply = await this.#ask('PUT', name, { comp: 'lease' }, headers);
    if (reply.status === 202) return true;
    if (reply.status === 409 || reply.status === 412) return reply.resent;
    throw this.#refusal(reply, `break the lease of ${name}`);
  }

  /** @returns whether the lease is still of that ID */
  async setMetadata(name: string, metadata: ReadonlyMap<string, string>, lease: string): Promise<boolean> {
    const headers = { ...metadataHeaders(metadata), ...leaseHeader(lease) };
    const reply = await this.#ask('PUT', name, { comp: 'metadata' }, headers);
    if (reply.status === 200) return true;
    if (reply.status === 404 || reply.status === 409 || reply.status === 412) return false;
    throw this.#refusal(reply, `say who holds the lock of ${name}`);
  }

  /** Keeps a blob as it is now beside itself. */
  async snapshot(name: string, lease: string | null): Promise<void> {
    const reply = await this.#ask('PUT', name, { comp: 'snapshot' }, leaseHeader(lease));
    if (reply.status !== 201) throw this.#refusal(reply, `make a snapshot of ${name}`);
  }

  /** Deletes a blob and its snapshots. @returns the refusal where the terms are not met; null when it is gone */
  async delete(name: string, { lease, etag }: Terms): Promise<AzureReply | null> {
    const headers = { 'x-ms-delete-snapshots': 'include', ...leaseHeader(lease), ...condition(etag) };
    const reply = await this.#ask('DELETE', name, {}, headers);
    if (reply.status === 202 || reply.status === 404) return null;
    if (reply.status === 409 || reply.status === 412) return reply;
    throw this.#refusal(reply, `delete ${name}`);
  }

  /** The blobs whose names begin so. @param include more that is to be told */
  async *list(prefix: string, include: readonly string[]): AsyncGenerator<ListedBlob> {
    let marker = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const reply = await this.#requests.send({
        method: 'GET',
        path: [this.#config.container],
        query: {
          restype: 'container',
          comp: 'list',
          prefix,
          maxresults: PAGE,
          ...(include.length === 0 ? {} : { include: include.join(',') }),
          ...(marker === '' ? {} : { marker }),
        },
      });
      const xml = reply.status === 200 ? readXml(withoutMark(reply.body)) : null;
      if (xml === null) throw this.#refusal(reply, 'list the blobs');
      const blobs = xml.children.find(({ name }) => name === 'Blobs')?.children ?? [];
      yield* blobs.filter(({ name }) => name === 'Blob').map(readBlob);
      marker = xmlText(xml, 'NextMarker') ?? '';
      if (marker === '') return;
    }
  }

  /** What the container is set to; null where asking is not allowed. */
  async container(): Promise<AzureReply['headers'] | null> {
    const path = [this.#config.container];
    const reply = await this.#requests.send({ method: 'GET', path, query: { restype: 'container' } });
    if (reply.code === 'ContainerNotFound') throw this.#refusal(reply, 'describe the container');
    return reply.status === 200 ? reply.headers : null;
  }

  /** For how many days deleted blobs can be restored, 0 for none; null where asking is not allowed. */
  async retentionDays(): Promise<number | null> {
    const query = { restype: 'service', comp: 'properties' };
    const reply = await this.#requests.send({ method: 'GET', path: [], query });
    const xml = reply.status === 200 ? readXml(withoutMark(reply.body)) : null;
    if (xml === null) return null;
    const enabled = xmlText(xml, 'DeleteRetentionPolicy', 'Enabled') === 'true';
    return enabled ? Number(xmlText(xml, 'DeleteRetentionPolicy', 'Days') ?? 0) : 0;
  }

  #ask(
    method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
    name: string,
    query: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
    signal: AbortSignal | null = null,
  ): Promise<AzureReply> {
    const path = [this.#config.container, name];
    const given = body === undefined ? {} : { body };
    return this.#requests.send({ method, path, query, headers, signal, ...given });
  }

  /** The blob is missing, unless it is the container. */
  #absent(reply: AzureReply): null {
    if (reply.code === 'ContainerNotFound' || reply.code === 'ContainerBeingDeleted')
      throw this.#refusal(reply, 'read');
    return null;
  }

  #refusal(reply: AzureReply, what: string): BackendFault {
    return refusal(reply, what, this.#config);
  }
}

/** In base64. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

function readBlob(node: XmlNode): ListedBlob {
  const size = Number(xmlText(node, 'Properties', 'Content-Length') ?? Number.NaN);
  const isCurrent = xmlText(node, 'IsCurrentVersion') === 'true';
  const metadata = node.children.find(({ name }) => name === 'Metadata')?.children ?? [];
  const info = metadata.find(({ name }) => name.toLowerCase() === LOCK_INFO_METADATA);
  return {
    name: xmlExactText(node, 'Name') ?? '',
    snapshot: xmlText(node, 'Snapshot') || null,
    version: isCurrent ? null : xmlText(node, 'VersionId') || null,
    modified: new Date(xmlText(node, 'Properties', 'Last-Modified') ?? 0),
    size: Number.isFinite(size) ? size : null,
    leased: xmlText(node, 'Properties', 'LeaseStatus') === 'locked',
    lockInfo: info?.text ?? null,
  };
}

function metadataHeaders(metadata: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...metadata].map(([name, value]) => [METADATA + name, value]));
}

function leaseHeader(lease: string | null): Readonly<Record<string, string>> {
  return lease === null ? {} : { 'x-ms-lease-id': lease };
}

function condition(etag: string | null | undefined): Readonly<Record<string, string>> {
  if (etag === undefined) return {};
  return etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
}

function textIn(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && header !== '' ? header : null;
}
