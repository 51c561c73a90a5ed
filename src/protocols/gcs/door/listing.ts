import { liveHead } from '../../../core/world.ts';
import type { StateSummary } from '../../../ports/engine.ts';
import { visitStates } from '../../visit-states.ts';
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
  const views: ObjectView[] = [];
  const shut = await visitStates(call, { project: bucket, keyPrefix: keyPrefixOf(prefix) }, (summary) => {
    views.push(...objectsOf(call, summary));
    return true;
  });
  if (shut !== null) return refused(shut);
  const [from, to] = [query.get('startOffset') ?? '', query.get('endOffset') ?? ''];
  const wanted = views.filter(
    ({ name }) => name.startsWith(prefix) && name >= from && (to === '' || name < to),
  );
  const entries = entriesOf(wanted, prefix, delimiter).filter(({ name }) => name > after);
  const page = entries.slice(0, Math.min(most, LIST_MAX));
  const last = page.at(-1)?.name;
  return jsonReply(call, {
    kind: 'storage#objects',
    ...(page.length < entries.length && last !== undefined ? { nextPageToken: writeToken(last) } : {}),
    prefixes: page.flatMap(({ name, view }) => (view === null ? [name] : [])),
    items: page.flatMap(({ view }) => (view === null ? [] : [describeObject(view, call.request)])),
  });
}

interface Entry {
  readonly name: string;
  /** null for what a delimiter stands for. */
  readonly view: ObjectView | null;
}

/** In the order of their names; what has the delimiter after the prefix is one entry. */
function entriesOf(views: readonly ObjectView[], prefix: string, delimiter: string): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const view of views) {
    const at = delimiter === '' ? -1 : view.name.indexOf(delimiter, prefix.length);
    const name = at === -1 ? view.name : view.name.slice(0, at + delimiter.length);
    entries.set(name, { name, view: at === -1 ? view : null });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
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
