import { setImmediate } from 'node:timers/promises';
import type { Version } from '../../../core/world.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { deleteMarkerId, readVersionId, versionId } from '../layout.ts';
import { documentReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { invalidArgument, refused } from './errors.ts';
import { compareNames } from './inventory.ts';
import { commonPrefix, owner, readTerms, type ListTerms } from './listing.ts';
import { StateWalk, type NamedState } from './state-walk.ts';

/** States whose versions are read before others have their turn. */
const LOOKED_AT_A_TIME = 50;

/** A line of the answer: a version, or the mark that a deletion left. */
interface Line {
  readonly name: string;
  readonly id: string;
  readonly kind: 'Version' | 'DeleteMarker';
  readonly element: XmlElement;
}

/** ListObjectVersions: the old versions of a state are the house's versions. */
export async function listObjectVersions(call: DoorCall): Promise<Answer> {
  const terms = readTerms(call);
  if ('code' in terms) return terms;
  const { query, bucket } = call.asked;
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('version-id-marker') ?? '';
  if (idMarker !== '' && (keyMarker === '' || readVersionId(idMarker) === null)) {
    return invalidArgument('version-id-marker', idMarker, 'Invalid version id specified');
  }
  const lines: Line[] = [];
  const prefixes: string[] = [];
  let truncated = false;
  // A page may go on with older versions of the state that it names.
  const from = idMarker === '' ? { after: keyMarker } : { from: keyMarker };
  const walk = new StateWalk(call, { prefix: terms.prefix, deleted: true, ...from });
  for (let looked = 1; ;) {
    const kept = await walk.next();
    if (walk.shut !== null) return refused(walk.shut);
    if (kept === null) break;
    if (kept.world.record.head === null) {
      walk.pass();
      continue;
    }
    const left = terms.limit - lines.length - prefixes.length;
    const common = commonPrefix(kept.name, terms);
    if (left <= 0 && (common === null || common !== keyMarker)) {
      truncated = true;
      break;
    }
    if (common !== null) {
      walk.passAll(common);
      if (common !== keyMarker) prefixes.push(common);
      continue;
    }
    walk.pass();
    // Others have their turn: the versions of each state are read for themselves.
    looked += 1;
    if (looked % LOOKED_AT_A_TIME === 0) await setImmediate();
    // One more than fits, to know whether another page follows.
    const isMarked = kept.name === keyMarker;
    const more = await linesOf(call, kept, terms, { after: isMarked ? idMarker : '', limit: left + 1 });
    lines.push(...more.slice(0, left));
    if (more.length > left) {
      truncated = true;
      break;
    }
  }
  const last = lines.at(-1);
  const lastPrefix = prefixes.at(-1);
  const endsWithPrefix = lastPrefix !== undefined && compareNames(lastPrefix, last?.name ?? '') > 0;
  return documentReply(call, 'ListVersionsResult', {
    Name: bucket,
    Prefix: terms.encode(terms.prefix),
    KeyMarker: terms.encode(keyMarker),
    VersionIdMarker: idMarker,
    ...(truncated && (last !== undefined || endsWithPrefix)
      ? endsWithPrefix
        ? { NextKeyMarker: terms.encode(lastPrefix) }
        : { NextKeyMarker: terms.encode(last?.name ?? ''), NextVersionIdMarker: last?.id }
      : {}),
    MaxKeys: terms.limit,
    Delimiter: terms.delimiter === '' ? undefined : terms.encode(terms.delimiter),
    EncodingType: terms.encoding,
    IsTruncated: truncated,
    Version: lines.filter(({ kind }) => kind === 'Version').map(({ element }) => element),
    DeleteMarker: lines.filter(({ kind }) => kind === 'DeleteMarker').map(({ element }) => element),
    CommonPrefixes: prefixes.map((prefix) => ({ Prefix: terms.encode(prefix) })),
  });
}

/** The lines of one state, newest first, after a version if one is given. */
async function linesOf(
  { house, caller }: DoorCall,
  { name, address, world }: NamedState,
  terms: ListTerms,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly Line[]> {
  const { head, deletedAt } = world.record;
  const marker = readVersionId(after);
  const lines: Line[] = [];
  if (marker === null && deletedAt !== null && head !== null) {
    const id = deleteMarkerId(head.number);
    const element = {
      Key: terms.encode(name),
      VersionId: id,
      IsLatest: true,
      LastModified: isoTime(deletedAt),
      Owner: owner(),
    };
    lines.push({ name, id, kind: 'DeleteMarker', element });
  }
  const before = marker?.kind === 'version' ? { before: marker.number } : {};
  const answer = await house.history.versions(caller, address, { ...before, limit });
  if (answer.type !== 'versions') return lines;
  for (const version of answer.versions) {
    const isLatest = deletedAt === null && version.number === head?.number;
    lines.push(versionLine(name, version, isLatest, terms));
  }
  return lines.slice(0, limit);
}

function versionLine(name: string, version: Version, isLatest: boolean, terms: ListTerms): Line {
  const id = versionId(version.number);
  const element = {
    Key: terms.encode(name),
    VersionId: id,
    IsLatest: isLatest,
    LastModified: isoTime(version.at),
    ETag: `"${version.md5}"`,
    Size: version.size,
    Owner: owner(),
    StorageClass: 'STANDARD',
  };
  return { name, id, kind: 'Version', element };
}
