import { isDeepStrictEqual } from 'node:util';
import { formatAddress, type Address } from '../core/address.ts';
import type { SealedBody } from '../core/command.ts';
import type { Effect } from '../core/effect.ts';
import type { Version, World } from '../core/world.ts';
import type { AuditRecord, Engine, Entry, RecordCommand, StateSummary } from '../ports/engine.ts';
import { EngineFault } from '../ports/engine.ts';
import { INDEX_KIND } from './records/kinds.ts';

/** How much is read or written at a time. */
const PAGE = 100;
const AUDIT_PAGE = 1_000;
const GROUP_MAX = 16;
const GROUP_BYTES_MAX: number = 64 * 1024 * 1024;
/** Stands in the target from the first thing that is copied until all is there and compared. */
const MARKER: Entry = { kind: 'house-transfer', name: 'unfinished', attributes: {} };

export type TransferStage = 'credentials' | 'states' | 'audit' | 'comparing';
export type TransferProgress = (stage: TransferStage, done: number, total: number) => void;

/** What was moved, and compared. */
export interface Transferred {
  readonly states: number;
  readonly versions: number;
  readonly locks: number;
  readonly credentials: number;
  readonly entries: number;
  readonly auditRecords: number;
}

/**
 * Copies a house from one engine into another, everything as it is: sealed bodies, locks, the line, and the audit log.
 * Begun again after it was broken off, it goes on where it was: only what differs is copied.
 * @throws {EngineFault} when the target is in use already, or is not the same in the end
 */
export async function transfer(from: Engine, to: Engine, progress: TransferProgress): Promise<Transferred> {
  await claim(to);
  await copyCredentials(from, to, progress);
  await copyEntries(from, to);
  await eachState(from, 'states', progress, (state) => copyState(from, to, state));
  await copyAudit(from, to, progress);
  const moved = await compare(from, to, progress);
  await to.apply([{ type: 'drop-entry', kind: MARKER.kind, name: MARKER.name, note: null }]);
  return moved;
}

/** @throws {EngineFault} when a move into this engine was begun and not finished */
export async function requireWhole(engine: Engine): Promise<void> {
  if ((await engine.entries(MARKER.kind)).length === 0) return;
  throw new EngineFault(
    'an unfinished move is here: run "statehouse migrate-engine" again, and it continues where it stopped',
  );
}

async function claim(to: Engine): Promise<void> {
  if ((await to.entries(MARKER.kind)).length > 0) return;
  const used = await to.states({ used: true, deleted: true, limit: 1 });
  if (used.length > 0 || (await to.credentials()).length > 0) {
    throw new EngineFault('the target contains data already: expected an empty data directory or database');
  }
  await to.apply([{ type: 'put-entry', entry: MARKER, note: null }]);
}

async function copyCredentials(from: Engine, to: Engine, progress: TransferProgress): Promise<void> {
  const credentials = await from.credentials();
  const there = new Map((await to.credentials()).map((credential) => [credential.id, credential]));
  for (const [done, credential] of credentials.entries()) {
    if (!isDeepStrictEqual(there.get(credential.id), credential)) {
      await to.apply([{ type: 'put-credential', credential, note: null }]);
    }
    progress('credentials', done + 1, credentials.length);
  }
}

async function copyEntries(from: Engine, to: Engine): Promise<void> {
  const there = await entriesOf(to);
  for (const entry of await entriesOf(from)) {
    if (there.some((other) => isDeepStrictEqual(other, entry))) continue;
    const body = entry.bodyId === undefined ? undefined : await wholeBody(from, entry.bodyId);
    await to.apply([{ type: 'put-entry', entry, note: null, ...(body === undefined ? {} : { body }) }]);
  }
}

async function copyState(from: Engine, to: Engine, { address, world }: StateSummary): Promise<void> {
  const adopt = (effects: readonly Effect[]): RecordCommand => ({ type: 'adopt', address, effects });
  const copy = async (version: Version): Promise<void> => {
    if (isDeepStrictEqual(await to.version(address, version.number), version)) return;
    const body = await wholeBody(from, version.bodyId);
    const again: Effect = { type: 'drop-versions', numbers: [version.number] };
    await to.apply([adopt([again, { type: 'put-version', version, body }])]);
  };
  const kept = new Set<number>();
  for await (const group of groupsOf(versionsOf(from, address))) {
    for (const { number } of group) kept.add(number);
    await Promise.all(group.map(copy));
  }
  const pruned: number[] = [];
  for await (const { number } of versionsOf(to, address)) if (!kept.has(number)) pruned.push(number);
  const effects = toBecome(await to.world(address), world);
  if (pruned.length > 0) effects.push({ type: 'drop-versions', numbers: pruned });
  if (effects.length > 0) await to.apply([adopt(effects)]);
}

/** What makes one world of another. */
function toBecome(old: World, now: World): Effect[] {
  if (isDeepStrictEqual(old, now)) return [];
  return [
    { type: 'put-record', record: now.record },
    ...old.holders.map(({ lockId }) => ({ type: 'drop-holder' as const, lockId })),
    ...now.holders.map((holder) => ({ type: 'put-holder' as const, holder })),
    ...old.line.map(({ waiter }) => ({ type: 'drop-place' as const, waiter })),
    ...now.line.map((place) => ({ type: 'put-place' as const, place })),
  ];
}

async function copyAudit(from: Engine, to: Engine, progress: TransferProgress): Promise<void> {
  const total = (await auditPages(from)).records;
  let done = (await auditPages(to)).records;
  let skip = done;
  for await (const page of auditOf(from)) {
    const missing = page.slice(Math.min(skip, page.length));
    skip -= page.length - missing.length;
    for (let at = 0; at < missing.length; at += PAGE) {
      const some = missing.slice(at, at + PAGE);
      await to.apply(some.map(({ at: when, address, note }) => ({ type: 'audit', address, note, at: when })));
      done += some.length;
      progress('audit', done, total);
    }
  }
}

/** Holds both engines against each other, byte for byte. */
async function compare(from: Engine, to: Engine, progress: TransferProgress): Promise<Transferred> {
  const credentials = await from.credentials();
  same('the credentials', credentials, await to.credentials());
  const entries = await entriesOf(from);
  same('the entries', entries, await entriesOf(to));
  for (const { bodyId } of entries) if (bodyId !== undefined) await compareBodies(from, to, bodyId);
  const counts = { states: 0, versions: 0, locks: 0, auditRecords: 0 };
  await eachState(from, 'comparing', progress, async ({ address, world }) => {
    const name = formatAddress(address);
    same(`the lock and the line of ${name}`, world, await to.world(address));
    const there = versionsOf(to, address);
    for await (const version of versionsOf(from, address)) {
      same(`version ${version.number} of ${name}`, version, (await there.next()).value);
      await compareBodies(from, to, version.bodyId);
      counts.versions += 1;
    }
    same(`the versions of ${name}`, true, (await there.next()).done);
    counts.states += 1;
    counts.locks += world.holders.length;
  });
  same('the number of states', counts.states, await countStates(to));
  const there = auditOf(to);
  for await (const page of auditOf(from)) {
    same('the audit log', page.map(withoutId), ((await there.next()).value ?? []).map(withoutId));
    counts.auditRecords += page.length;
  }
  same('the length of the audit log', counts.auditRecords, (await auditPages(to)).records);
  return { ...counts, credentials: credentials.length, entries: entries.length };
}

async function compareBodies(from: Engine, to: Engine, bodyId: string): Promise<void> {
  const [one, other] = [await from.body(bodyId), await to.body(bodyId)];
  same('a body', [one?.wrappedKey, one?.object], [other?.wrappedKey, other?.object]);
  const segments = other?.segments()[Symbol.asyncIterator]();
  if (one === null || segments === undefined) throw differs('a body');
  for await (const segment of one.segments()) {
    const there = (await segments.next()).value as Uint8Array | undefined;
    if (there === undefined || Buffer.compare(segment, there) !== 0) throw differs('a body');
  }
  if ((await segments.next()).done !== true) throw differs('a body');
}

async function eachState(
  engine: Engine,
  stage: TransferStage,
  progress: TransferProgress,
  work: (state: StateSummary) => Promise<void>,
): Promise<void> {
  const total = await countStates(engine);
  let done = 0;
  for await (const state of statesOf(engine)) {
    await work(state);
    done += 1;
    progress(stage, done, total);
  }
}

async function countStates(engine: Engine): Promise<number> {
  let count = 0;
  for await (const state of statesOf(engine)) if (state !== undefined) count += 1;
  return count;
}

async function* statesOf(engine: Engine): AsyncGenerator<StateSummary> {
  let after: Address | undefined;
  for (;;) {
    const page = await engine.states({
      used: true,
      deleted: true,
      lines: true,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    after = page.at(-1)?.address;
    if (after === undefined) return;
  }
}

async function* versionsOf(engine: Engine, address: Address): AsyncGenerator<Version, undefined> {
  let before: number | undefined;
  for (;;) {
    const page = await engine.versions(address, {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    yield* page;
    before = page.at(-1)?.number;
    if (before === undefined) return undefined;
  }
}

/** Versions that are copied at a time, so that they share flushes: few, and not too large together. */
async function* groupsOf(versions: AsyncIterable<Version>): AsyncGenerator<readonly Version[]> {
  let group: Version[] = [];
  let bytes = 0;
  for await (const version of versions) {
    if (group.length === GROUP_MAX || (group.length > 0 && bytes + version.size > GROUP_BYTES_MAX)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(version);
    bytes += version.size;
  }
  yield group;
}

/** What says how far the index of states is stays behind: the new house makes one of its own. */
async function entriesOf(engine: Engine): Promise<readonly Entry[]> {
  return (await engine.entries(null)).filter(({ kind }) => kind !== MARKER.kind && kind !== INDEX_KIND);
}

/** Where the pages of the audit log begin, newest first, and how long it is. */
async function auditPages(
  engine: Engine,
): Promise<{ readonly starts: readonly (number | undefined)[]; readonly records: number }> {
  const starts: (number | undefined)[] = [];
  let records = 0;
  let before: number | undefined;
  for (;;) {
    const page = await auditPage(engine, before);
    if (page.length === 0) return { starts, records };
    starts.push(before);
    records += page.length;
    before = page.at(-1)?.id;
  }
}

/** The audit log, oldest first, page by page. */
async function* auditOf(engine: Engine): AsyncGenerator<readonly AuditRecord[], undefined> {
  const { starts } = await auditPages(engine);
  for (const start of starts.toReversed()) yield (await auditPage(engine, start)).toReversed();
  return undefined;
}

async function auditPage(engine: Engine, before: number | undefined): Promise<readonly AuditRecord[]> {
  return engine.audit({ limit: AUDIT_PAGE, ...(before === undefined ? {} : { before }) });
}

function withoutId({ at, address, note }: AuditRecord): Omit<AuditRecord, 'id'> {
  return { at, address, note };
}

async function wholeBody(engine: Engine, bodyId: string): Promise<SealedBody> {
  const stored = await engine.body(bodyId);
  if (stored === null) throw new EngineFault('a body is missing in the source: the source is damaged');
  const segments: Uint8Array[] = [];
  for await (const segment of stored.segments()) segments.push(segment);
  const { id, keyId, wrappedKey, madeUnder = null, object } = stored;
  return { id, keyId, wrappedKey, madeUnder, ...(object === undefined ? {} : { object }), segments };
}

function same(what: string, expected: unknown, actual: unknown): void {
  if (!isDeepStrictEqual(plain(expected), plain(actual))) throw differs(what);
}

function differs(what: string): EngineFault {
  return new EngineFault(`after the move ${what} is not the same: nothing of the source was changed`);
}

/** Bytes compare as bytes, whatever view an engine gives of them. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}
