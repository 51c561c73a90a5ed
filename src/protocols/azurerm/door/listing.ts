import { liveHead } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { pageOfNames } from '../../name-walk.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { keyPrefixOf, stateBlob, WORKSPACE_MARK } from '../layout.ts';
import { documentReply, type Answer, type DoorCall } from './call.ts';
import { invalidQuery, notDone, refused, type AzureError } from './errors.ts';
import { elementOf, readLimit, type Listed } from './list-elements.ts';
import { originOf } from './origin.ts';
import { listVersions } from './version-listing.ts';

/** What a listing can include here: there is nothing of the rest. */
const INCLUDED: ReadonlySet<string> = new Set(['', 'metadata', 'copy', 'tags', 'permissions']);
/** What is listed of one state alone; what is deleted is among its versions. */
const VERSIONS = ['versions', 'snapshots'] as const;
/** What stands beside versions, and what there is none of. */
const LEFT_OUT: ReadonlySet<string> = new Set(['deleted', 'deletedwithversions', 'uncommittedblobs']);

/** What every listing takes. */
export interface ListTerms {
  readonly prefix: string;
  readonly marker: string;
  /** The marker as it was sent. */
  readonly token: string;
  readonly limit: number;
}

/** Reads prefix, marker and page size. */
export function readTerms({ asked: { query } }: DoorCall): ListTerms | AzureError {
  const limit = readLimit(query);
  if (typeof limit !== 'number') return limit;
  const token = query.get('marker') ?? '';
  const marker = readMarker(token);
  if (marker === null) return invalidQuery('marker', 'one that an earlier page of this listing gave');
  return { prefix: query.get('prefix') ?? '', marker, token, limit };
}

/** The elements that tell the terms again. */
export function termElements({ prefix, token }: ListTerms, { query }: DoorCall['asked']): XmlElement {
  return {
    Prefix: prefix === '' ? undefined : prefix,
    Marker: token === '' ? undefined : token,
    MaxResults: query.get('maxresults'),
    Delimiter: query.get('delimiter'),
  };
}

/** A page of entries in the order of their names, and the marker of the next page; empty where it is the last one. */
export function pageOf<T extends { readonly name: string }>(
  all: readonly T[],
  { marker, limit }: ListTerms,
): { readonly page: readonly T[]; readonly next: string } {
  const left = all.filter(({ name }) => name > marker).sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = left.slice(0, limit);
  const last = page.at(-1);
  const next = left.length > page.length && last !== undefined ? writeMarker(last.name) : '';
  return { page, next };
}

/** The blobs whose names begin so: states, and locks of states that are yet to come; or what a delimiter stands for. */
export async function listBlobs(call: DoorCall): Promise<Answer> {
  const { house, caller, asked, request } = call;
  const include = (asked.query.get('include') ?? '').toLowerCase().split(',');
  const versions = VERSIONS.find((what) => include.includes(what));
  const undone = include.find((what) => LEFT_OUT.has(what));
  if (undone !== undefined && versions === undefined)
    return notDone(`include=${undone}`, 'ask for versions, which has those of deleted states');
  const known = [INCLUDED, LEFT_OUT, new Set<string>(VERSIONS)];
  if (include.some((what) => known.every((some) => !some.has(what))))
    return invalidQuery('include', 'metadata, versions or snapshots');
  const refusal = house.projects.refuse(caller, 'list', asked.container);
  if (refusal !== null) return refused(refusal);
  if (versions !== undefined) return listVersions(call, versions);
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const { prefix, marker, limit } = terms;
  const delimiter = asked.query.get('delimiter') ?? '';
  const wanted = { project: asked.container, prefix, keyPrefix: keyPrefixOf(prefix), joint: WORKSPACE_MARK };
  const names = await pageOfNames(call, { ...wanted, delimiter, after: marker, limit }, (summary) =>
    listedOf(call, summary),
  );
  if (names.type !== 'names') return refused(names);
  const { page, more } = names;
  const withMetadata = include.includes('metadata');
  return documentReply(
    call,
    'EnumerationResults',
    {
      ...termElements(terms, asked),
      Blobs: {
        BlobPrefix: page.flatMap(({ name, item }) => (item === null ? [{ Name: name }] : [])),
        Blob: page.flatMap(({ item }) => (item === null ? [] : [elementOf(item, withMetadata)])),
      },
      NextMarker: more ? writeMarker(page.at(-1)?.name ?? '') : '',
    },
    { ServiceEndpoint: `${originOf(request)}/`, ContainerName: asked.container },
  );
}

function listedOf({ house }: DoorCall, { address, world }: StateSummary): readonly Listed[] {
  const name = stateBlob(address);
  const state = liveHead(world.record);
  const [holder = null] = house.lockInfos.ofHolders(address, world.holders.slice(0, 1));
  return name === null || (state === null && holder === null) ? [] : [{ name, state, holder }];
}

function writeMarker(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function readMarker(token: string): string | null {
  const name = Buffer.from(token, 'base64url').toString('utf8');
  return writeMarker(name) === token ? name : null;
}
