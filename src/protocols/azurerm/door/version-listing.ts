import type { Version } from '../../../core/world.ts';
import type { XmlElement } from '../../wire/xml-writer.ts';
import { readBlobName } from '../layout.ts';
import { documentReply, type Answer, type DoorCall } from './call.ts';
import { elementOf, readLimit } from './list-elements.ts';
import { invalidQuery, notDone, refused } from './errors.ts';
import { originOf } from './origin.ts';
import { versionId } from './version-id.ts';

/**
 * The versions of one state, whose blob the prefix names: the newest first, and those of a deleted state, too. They are both what
 * Azure calls versions and what it calls snapshots.
 */
export async function listVersions(call: DoorCall, as: 'versions' | 'snapshots'): Promise<Answer> {
  const { house, caller, request, asked } = call;
  const { query, container } = asked;
  const name = query.get('prefix') ?? '';
  const state = readBlobName(container, name);
  if (state.kind !== 'state')
    return notDone(
      `include=${as} of more than one state`,
      'name the blob of one state as the prefix, as in prefix=net/app',
    );
  const limit = readLimit(query);
  if (typeof limit !== 'number') return limit;
  const marker = query.get('marker') ?? '';
  if (!/^\d{0,15}$/.test(marker))
    return invalidQuery('marker', 'one that an earlier page of this listing gave');
  const answer = await house.history.versions(caller, state.address, {
    limit: limit + 1,
    ...(marker === '' ? {} : { before: Number(marker) }),
  });
  if (answer.type !== 'versions') return refused(answer);
  const described = await house.states.describe(caller, state.address);
  const live = described.type === 'described' ? (described.head?.number ?? null) : null;
  const page = answer.versions.slice(0, limit);
  const last = page.at(-1);
  const isMore = answer.versions.length > limit && last !== undefined;
  const named = (version: Version): XmlElement => {
    const id = versionId(version);
    const isLive = version.number === live;
    return as === 'versions'
      ? { VersionId: id, IsCurrentVersion: isLive }
      : { VersionId: undefined, IsCurrentVersion: undefined, Snapshot: isLive ? undefined : id };
  };
  return documentReply(
    call,
    'EnumerationResults',
    {
      Prefix: name,
      Marker: marker === '' ? undefined : marker,
      MaxResults: query.get('maxresults'),
      Blobs: {
        Blob: page.map((version) => ({
          ...elementOf({ name, state: version, holder: null }, false),
          ...named(version),
        })),
      },
      NextMarker: isMore ? String(last.number) : '',
    },
    { ServiceEndpoint: `${originOf(request)}/`, ContainerName: container },
  );
}
