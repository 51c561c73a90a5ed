import type { Version } from '../../../core/world.ts';
import { readObjectName } from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { readGeneration } from './conditions.ts';
import { invalid, notDone, refused } from './errors.ts';
import { describeObject, stateView } from './object-view.ts';

/**
 * The generations of one state, whose object the prefix names: the newest first, and those of a deleted state, too.
 * @param limit of one page
 */
export async function listVersions(call: DoorCall, limit: number): Promise<Answer> {
  const { house, caller, request } = call;
  const { query, bucket } = call.asked;
  const name = query.get('prefix') ?? '';
  const asked = readObjectName(bucket, name);
  if (asked.kind !== 'state')
    return notDone(
      'a listing of all versions of more than one state',
      'name the object of one state as the prefix, as in versions=true&prefix=net/app/default.tfstate',
    );
  const token = query.get('pageToken') ?? '';
  const before = token === '' ? null : readGeneration(token);
  if (token !== '' && before === null)
    return invalid('the pageToken is invalid: expected one that an earlier page of this listing gave');
  const answer = await house.history.versions(caller, asked.address, {
    limit: limit + 1,
    ...(before === null ? {} : { before }),
  });
  if (answer.type !== 'versions') return refused(answer);
  const described = await house.states.describe(caller, asked.address);
  const live = described.type === 'described' ? (described.head?.number ?? null) : null;
  const page = answer.versions.slice(0, limit);
  const last = page.at(-1);
  const items = page.map((version, place) => ({
    ...describeObject(stateView(bucket, name, version), request),
    ...(version.number === live ? {} : { timeDeleted: timeOf(page[place - 1] ?? version) }),
  }));
  const more = answer.versions.length > limit && last !== undefined;
  return jsonReply(call, {
    kind: 'storage#objects',
    ...(more ? { nextPageToken: String(last.number) } : {}),
    items,
  });
}

/** When a version was replaced: by the next one. */
function timeOf({ at }: Version): string {
  return new Date(at).toISOString();
}
