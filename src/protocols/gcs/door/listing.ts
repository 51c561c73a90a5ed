import { liveHead } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { pageOfNames } from '../../name-walk.ts';
import { shownLockInfo } from '../../lock-object/shown-lock.ts';
import { keyPrefixOf, lockObject, stateObject } from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { invalid, refused } from './errors.ts';
import { describeObject, lockView, stateView, type ObjectView } from './object-view.ts';
import { listVersions } from './version-listing.ts';

/** Entries of one page, at most and by default (Cloud Storage JSON API, "Objects: list"). */
const LIST_MAX = 1_000;

/** The objects whose names begin so: states and the locks that are held, or the names that a delimiter stands for. */
export async function listObjects(call: DoorCall): Promise<Answer> {
  const { query, bucket } = call.asked;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Number(query.get('maxResults') ?? LIST_MAX);
  if (!Number.isInteger(most) || most < 1) return invalid('maxResults is a whole number from 1 up');
  if (query.get('versions')?.toLowerCase() === 'true') return listVersions(call, Math.min(most, LIST_MAX));
  const after = readToken(query.get('pageToken') ?? '');
  if (after === null)
    return invalid('the pageToken is invalid: expected one that an earlier page of this listing gave');
  const refusal = call.house.projects.refuse(call.caller, 'list', bucket);
  if (refusal !== null) return refused(refusal);
  const limit = Math.min(most, LIST_MAX);
  const [from, to] = [query.get('startOffset') ?? '', query.get('endOffset') ?? ''];
  const terms = { project: bucket, prefix, keyPrefix: keyPrefixOf(prefix), joint: '/' };
  const names = await pageOfNames(call, { ...terms, delimiter, after, from, to, limit }, (summary) =>
    objectsOf(call, summary),
  );
  if (names.type !== 'names') return refused(names);
  const { page, more } = names;
  const last = page.at(-1)?.name;
  return jsonReply(call, {
    kind: 'storage#objects',
    ...(more && last !== undefined ? { nextPageToken: writeToken(last) } : {}),
    prefixes: page.flatMap(({ name, item }) => (item === null ? [name] : [])),
    items: page.flatMap(({ item }) => (item === null ? [] : [describeObject(item, call.request)])),
  });
}

function objectsOf({ house }: DoorCall, { address, world }: StateSummary): readonly ObjectView[] {
  const head = liveHead(world.record);
  const [holder] = house.lockInfos.ofHolders(address, world.holders.slice(0, 1));
  const { project } = address;
  return [
    ...(head === null ? [] : [stateView(project, stateObject(address), head)]),
    ...(holder === undefined
      ? []
      : [lockView(project, lockObject(address), { holder, info: shownLockInfo(holder) })]),
  ];
}

function writeToken(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function readToken(token: string): string | null {
  const name = Buffer.from(token, 'base64url').toString('utf8');
  return writeToken(name) === token ? name : null;
}
