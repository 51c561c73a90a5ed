import { dropPurged } from '../state-index.ts';
import { formatAddress, type Address } from '../../../core/address.ts';
import type { SealedBody } from '../../../core/command.ts';
import { decide } from '../../../core/decide.ts';
import type { Instant } from '../../../core/instant.ts';
import {
  type Command,
  type CommandResult,
  auditPruned,
  CONFLICT,
  NOTED,
  type RecordCommand,
  resultOf,
} from '../../../ports/engine.ts';
import { resealedIn } from '../../resealed.ts';
import type { RowKeys } from '../../row-keys.ts';
import {
  COMMIT,
  LIMITS,
  ROLLBACK,
  SET_LIMITS,
  type Row,
  type Session,
  type Statement,
} from '../connection.ts';
import { auditRows, type Noted, insertAudit } from '../audit.ts';
import { pruneLog, type AuditChain } from '../audit-chain.ts';
import { dropBodies, insertBodies } from '../bodies.ts';
import { dropAll, dropUnused, storeAll } from '../effects.ts';
import { HouseChanges, lockHouse } from '../credentials.ts';
import { AddressChange } from './changes.ts';
import { together } from './statements.ts';
import { dropUnusedEntries, lockEntries, StoredEntries } from './compared.ts';
import { addressesOf, recordStatements } from '../records.ts';
import type { KeyIdOf } from '../columns.ts';
import { ADDRESS } from '../rows.ts';
import {
  projectsCounted,
  selectDropped,
  selectUsage,
  sizesFrom,
  UsageChanges,
  type VersionSizes,
} from '../usage.ts';
import {
  lockRecords,
  makeAddresses,
  releasesNamedBy,
  selectLatestReleases,
  worldsFrom,
  type ClockSql,
  type LoadedAddress,
} from '../world.ts';

/** Bodies this large are stored before their address is locked, so that nobody waits for the upload. */
const EARLY_BODY_BYTES = 1024 * 1024;
/** Segments that are on their way at a time, 256 KiB each. */
const UPLOAD_AT_ONCE = 16;
const NO_SIZES: ReadonlyMap<number, number> = new Map();
const NOTHING_PRUNED = { records: 0, statements: [] } as const;

export interface TransactionContext {
  readonly schema: string;
  readonly keyIdOf: KeyIdOf;
  readonly keys: RowKeys;
  /** Where its records of the audit log go. */
  readonly chain: AuditChain;
  readonly clock: ClockSql;
  /** Names this transaction, for {@link CommitInDoubt}. */
  readonly mark: string;
}

/** The connection broke while the COMMIT was under way: only the database can say whether it happened. */
export class CommitInDoubt extends Error {
  /** What the commands come to if it did. */
  readonly results: readonly CommandResult[];

  constructor(results: readonly CommandResult[], cause: unknown) {
    super('the connection broke at COMMIT', { cause });
    this.results = results;
  }
}

/**
 * Decides and stores commands in one transaction.
 * @throws {CommitInDoubt} when it may have happened; any other error means that it has not
 */
export async function transact(
  session: Session,
  context: TransactionContext,
  commands: readonly Command[],
): Promise<readonly CommandResult[]> {
  const addresses = addressesIn(commands);
  const early = commands.flatMap(bodiesOf).filter((body) => sizeOf(body) >= EARLY_BODY_BYTES);
  const opened = await open(session, context, commands, early);
  const locking = lockEntries(context.schema, commands);
  const entries = StoredEntries.from(
    context.keys,
    locking.length === 0 ? [] : ((await session.all(locking))[0]?.rows ?? []),
  );
  const lockingHouse = lockHouse(context.schema, commands, context.chain);
  const house = new HouseChanges(
    context.keys,
    lockingHouse.length === 0 ? [] : (await session.all(lockingHouse)).map(({ rows }) => rows),
  );
  const pruning = commands.find(({ type }) => type === 'prune-audit');
  const pruned =
    pruning?.type === 'prune-audit'
      ? await pruneLog(async (one) => (await session.one(one)).rows, context.schema, context.keys, pruning)
      : NOTHING_PRUNED;
  const dropping = selectDropped(context.schema, commands);
  const dropped = dropping.length === 0 ? [] : (await session.all(dropping)).flatMap(({ rows }) => rows);
  const usage = new UsageChanges(context.keys, opened.usage);
  const { changes, notes, results } = decideAll(context.keys, commands, addresses, opened, {
    entries,
    house,
    usage,
    sizes: sizesFrom(context.keys, dropped),
    pruned: pruned.records,
  });
  const linked = context.chain.link(context.keys, auditRows(notes));
  if (linked.length > 0) house.addChain(context.chain);
  for (const [at, { address, decided }] of notes.entries()) {
    if (decided && address !== null)
      changes.get(formatAddress(address))?.auditedAs(context.chain.id, linked[at]?.['link'] as number);
  }
  const touched = [...changes.values()].filter((change) => change.touched);
  const records = commands.flatMap((command, index) =>
    'actor' in command || results[index] === CONFLICT
      ? []
      : recordStatements(context.schema, command, context),
  );
  const kept = new Set(early.map(({ id }) => id).filter((id) => touched.some((change) => change.keeps(id))));
  const others = [
    ...dropAll(context.schema, touched),
    ...dropPurged(context.schema, touched),
    ...records,
    ...pruned.statements,
    ...house.statements(context.schema, context.keyIdOf),
  ];
  const stored = [
    ...storeAll(context.schema, context.keyIdOf, touched, kept),
    ...usage.statements(context.schema),
    ...insertAudit(context.schema, linked),
    ...context.chain.end(context.keys, context.schema),
  ];
  if (others.length + stored.length === 0) {
    await session.one(ROLLBACK);
    return results;
  }
  const refused = early.map(({ id }) => id).filter((id) => !kept.has(id));
  const unused = opened.made.filter((address) => !changes.get(formatAddress(address))?.touched);
  await commit(session, results, [
    ...others,
    ...together([...stored, markStatement(context)]),
    ...dropBodies(context.schema, refused),
    ...dropUnused(context.schema, unused),
    ...dropUnusedEntries(context.schema, entries),
  ]);
  return results;
}

interface Opened {
  readonly found: ReadonlyMap<string, LoadedAddress>;
  /** Addresses that had no row before. */
  readonly made: readonly Address[];
  readonly at: Instant;
  /** What {@link selectUsage} found. */
  readonly usage: readonly Row[];
}

/** Begins the transaction, locks its addresses and reads them. Most have a row already, and one trip does it all. */
async function open(
  session: Session,
  { schema, keys, clock: tellTime }: TransactionContext,
  commands: readonly Command[],
  early: readonly SealedBody[],
): Promise<Opened> {
  const addresses = addressesIn(commands);
  if (addresses.length === 0) {
    const [answer] = await session.begin([
      { text: `SELECT ${SET_LIMITS}, ${tellTime()} AS now`, prepared: true },
    ]);
    return { found: new Map(), made: [], at: Number(answer?.rows[0]?.['now']), usage: [] };
  }
  const asking = commands.filter((command) => 'actor' in command);
  const usage = selectUsage(schema, projectsCounted(commands));
  const reading: readonly [Statement, ...Statement[]] = [
    lockRecords(schema, releasesNamedBy(addresses, asking), tellTime()),
    ...usage,
    ...selectLatestReleases(schema, asking),
  ];
  const taken = async (read: readonly (readonly Row[])[], made: readonly Address[]): Promise<Opened> => {
    const isFresh = (read[0] ?? []).every((row) => row['fresh'] === true);
    const rows = isFresh ? read : (await session.all(reading)).map((one) => one.rows);
    const latest = rows.slice(1 + usage.length).flat();
    return { ...readAll(keys, rows[0] ?? [], made, latest), usage: rows.slice(1, 1 + usage.length).flat() };
  };
  if (early.length === 0) {
    const read = (await session.begin(reading)).map(({ rows }) => rows);
    if (read[0]?.length === addresses.length) return taken(read, []);
    await session.one(ROLLBACK);
  }
  await session.begin([LIMITS]);
  await upload(session, schema, early);
  // Rows are made before any is locked: whoever holds a lock never waits for one that is being made.
  const [made = [], ...read] = (await session.all([makeAddresses(schema, addresses), ...reading])).map(
    ({ rows }) => rows,
  );
  return taken(read, ADDRESS.readAll(made));
}

/** Sends large bodies piece by piece, so that each piece has the time of a statement, however large the whole. */
async function upload(session: Session, schema: string, bodies: readonly SealedBody[]): Promise<void> {
  const statements = insertBodies(schema, bodies);
  for (let from = 0; from < statements.length; from += UPLOAD_AT_ONCE) {
    await session.all(statements.slice(from, from + UPLOAD_AT_ONCE));
  }
}

function readAll(
  keys: RowKeys,
  rows: readonly Row[],
  made: readonly Address[],
  latest: readonly Row[],
): Omit<Opened, 'usage'> {
  const worlds = worldsFrom(keys, rows, new Set(made.map(formatAddress)), latest);
  const found = new Map(worlds.map((one) => [formatAddress(one.address), one]));
  // The moment is that of the last lock: what others decided under theirs was before it.
  return { found, made, at: Math.max(...rows.map(({ now }) => Number(now))) };
}

function decideAll(
  keys: RowKeys,
  commands: readonly Command[],
  addresses: readonly Address[],
  opened: Opened,
  {
    entries,
    house,
    usage,
    sizes,
    pruned,
  }: {
    readonly entries: StoredEntries;
    readonly house: HouseChanges;
    readonly usage: UsageChanges;
    readonly sizes: VersionSizes;
    readonly pruned: number;
  },
): {
  changes: ReadonlyMap<string, AddressChange>;
  notes: readonly Noted[];
  results: readonly CommandResult[];
} {
  const changes = new Map(
    addresses.map((address) => {
      const name = formatAddress(address);
      const about = { now: opened.at, sizes: sizes.get(name) ?? NO_SIZES };
      return [name, new AddressChange(keys, address, opened.found.get(name), about)];
    }),
  );
  const changeOf = (address: Address): AddressChange => changes.get(formatAddress(address)) as AddressChange;
  const notes: Noted[] = [];
  const results = commands.map((command) => {
    if (!('actor' in command)) {
      if (!entries.take(command) || !house.take(command)) return CONFLICT;
      if (command.type === 'prune-audit' && pruned === 0) return auditPruned(0);
      notes.push(...notesOf(command, opened.at));
      if (command.type === 'prune-audit') return auditPruned(pruned);
      if (command.type === 'adopt') {
        const change = changeOf(command.address);
        change.take(command.effects);
        usage.add(command.address.project, change.countChanges());
      }
      if (command.type === 'reseal') {
        for (const item of command.items) {
          if (item.kind !== 'holder' && item.kind !== 'place') continue;
          const change = changeOf(item.address);
          change.take(resealedIn(change.world, item));
        }
      }
      return NOTED;
    }
    const change = changeOf(command.address);
    const { project } = command.address;
    const decision = decide(command, { ...change.world, usage: usage.of(project) }, change.at);
    for (const note of change.take(decision.effects))
      notes.push({ at: change.at, address: command.address, note, decided: true });
    usage.add(project, change.countChanges());
    return resultOf(decision);
  });
  return { changes, notes, results };
}

function notesOf(command: RecordCommand, now: Instant): Noted[] {
  if (
    command.type === 'reseal' ||
    command.type === 'replace-bodies' ||
    command.type === 'forget-objects' ||
    command.type === 'adopt' ||
    command.type === 'put-index' ||
    command.type === 'drop-index' ||
    command.note === null
  )
    return [];
  const [address, at] = command.type === 'audit' ? [command.address, command.at ?? now] : [null, now];
  return [{ at, address, note: command.note, decided: false }];
}

/** Sends the rest of the transaction in one trip; a statement that fails makes the COMMIT a ROLLBACK. */
async function commit(
  session: Session,
  results: readonly CommandResult[],
  statements: readonly Statement[],
): Promise<void> {
  const ends = await Promise.allSettled([...statements, COMMIT].map((statement) => session.one(statement)));
  const last = ends.at(-1);
  if (last?.status === 'rejected') throw new CommitInDoubt(results, last.reason);
  if (last?.value.command === 'COMMIT') return;
  const failed = ends.find((end) => end.status === 'rejected');
  throw failed?.reason ?? new Error('the database rolled the transaction back');
}

function markStatement({ schema, mark }: TransactionContext): Statement {
  return {
    text: `INSERT INTO ${schema}.commit_mark (id, done) VALUES ($1, true)`,
    values: [mark],
    prepared: true,
  };
}

function addressesIn(commands: readonly Command[]): readonly Address[] {
  const addresses = commands.flatMap((command) =>
    'actor' in command ? [command.address] : addressesOf(command),
  );
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}

/** The bodies of versions, which a transaction may have to store. */
function bodiesOf(command: Command): readonly SealedBody[] {
  if (command.type === 'write') return [command.body];
  return command.type === 'adopt' ? adoptedBodies(command) : [];
}

export function adoptedBodies({ effects }: Extract<RecordCommand, { type: 'adopt' }>): readonly SealedBody[] {
  return effects.flatMap((effect) => (effect.type === 'put-version' ? [effect.body] : []));
}

/** Bytes of a body as it is stored. */
export function sizeOf({ segments }: SealedBody): number {
  return segments.reduce((sum, segment) => sum + segment.length, 0);
}
