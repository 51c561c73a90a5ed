import { isDeepStrictEqual } from 'node:util';
import type { Address } from '../../src/core/address.ts';
import type { Command } from '../../src/ports/engine.ts';
import { prepareDatabase } from '../../src/engines/sqlite/adoption.ts';
import { openForReading, openForWriting } from '../../src/engines/sqlite/connection.ts';
import type { Database } from '../../src/engines/sqlite/files/driver.ts';
import { readLogEnd } from '../../src/engines/sqlite/files/log-end.ts';
import { verifyLogFile } from '../../src/engines/sqlite/files/log-file.ts';
import { Queries } from '../../src/engines/sqlite/queries.ts';
import { RowKeys } from '../../src/engines/row-keys.ts';
import { Writer, type Reply } from '../../src/engines/sqlite/writer/writer.ts';
import { BOB, lockOf, testKeyIdOf, writeOf } from '../../src/contract/engine-commands.ts';
import type { World } from '../../src/core/world.ts';
import { ABSENT, SOME, type Told } from './image.ts';

/** How one trial went: right everywhere, refused at the start, or a fault for some of what was asked. */
export type Verdict = 'right' | 'refused' | 'fault';

/**
 * Opens a database as the server does, and asks for everything.
 * @throws where an answer is wrong: that is what must not be
 */
export function tryDamaged(path: string, told: Told): Verdict {
  const open: Database[] = [];
  const opened = <T extends Database>(db: T): T => {
    open.push(db);
    return db;
  };
  try {
    let queries: Queries;
    let writer: Writer;
    try {
      verifyLogFile(path, readLogEnd(path));
      const keys = new RowKeys(prepareDatabase(path));
      writer = new Writer(opened(openForWriting(path)), keys);
      queries = new Queries(opened(openForReading(path)), testKeyIdOf, keys);
    } catch {
      return 'refused';
    }
    const asked = new Asked();
    askReader(queries, told, asked);
    askWriter(writer, told, asked);
    return asked.faults > 0 ? 'fault' : 'right';
  } finally {
    for (const db of open) db.close();
  }
}

/** Asks, and compares what is answered with what is true; a fault is no answer. */
class Asked {
  faults = 0;

  that<T>(what: string, ask: () => T, isRight: (answer: T) => boolean): void {
    let answer: T;
    try {
      answer = ask();
    } catch {
      this.faults += 1;
      return;
    }
    if (!isRight(answer)) throw new Error(`${what} is answered wrongly: ${inspect(answer)}`);
  }
}

function askReader(queries: Queries, told: Told, asked: Asked): void {
  for (const address of SOME) {
    const right = told.worlds.get(address.key) as World;
    asked.that(
      `the world of ${address.key}`,
      () => queries.world(address),
      (world) => isSameWorld(world, right),
    );
    asked.that(
      `the versions of ${address.key}`,
      () => queries.versions(address, { limit: 10 }).map(({ sha256 }) => sha256),
      ([newest]) => newest === right.record.head?.sha256,
    );
  }
  for (const address of ABSENT)
    asked.that(
      'an absent address',
      () => queries.world(address),
      ({ record }) => record.head === null,
    );
  asked.that(
    'the entries',
    () => queries.entries(null),
    (entries) => isDeepStrictEqual(entries, told.entries),
  );
  for (const { kind, name } of told.entries)
    asked.that(
      `the entry ${name}`,
      () => queries.entry(kind, name),
      (entry) => entry !== null,
    );
  asked.that(
    'the credentials',
    () => queries.credentials(),
    (found) => isDeepStrictEqual(found, told.credentials),
  );
  asked.that(
    'the states',
    () => queries.states({ limit: 1_000 }).map(({ address }) => address.key),
    (keys) => isDeepStrictEqual(keys, told.states),
  );
}

/** A place in line may be missing, which changes the order and nothing else: the record stands for all but those. */
function isSameWorld(world: World, right: World): boolean {
  const { line, ...rest } = world;
  const { line: rightLine, ...rightRest } = right;
  return (
    isDeepStrictEqual(rest, rightRest) &&
    line.every((place) => rightLine.some((other) => isDeepStrictEqual(place, other)))
  );
}

/** All at once, as the writer takes what waits: to flush for each would take most of the time. */
function askWriter(writer: Writer, told: Told, asked: Asked): void {
  const perform = (commands: readonly Command[]): readonly Reply[] =>
    writer.run([{ id: 1, at: 2_000, commands }])[0]?.replies ?? [];
  const outcome = (reply: Reply | undefined): string => {
    if (reply === undefined || 'fault' in reply) throw new Error('a fault');
    return reply.outcome.type;
  };
  const all = (
    what: string,
    make: (address: Address, at: number) => Command,
    isRight: (type: string, address: Address) => boolean,
  ): void => {
    const addresses = [...SOME, ...ABSENT];
    let replies: readonly Reply[];
    asked.that(
      what,
      () => (replies = perform(addresses.map(make))),
      () => true,
    );
    for (const [at, address] of addresses.entries())
      asked.that(
        `${what} of ${address.key}`,
        () => outcome(replies[at]),
        (type) => isRight(type, address),
      );
  };
  const isThere = (address: Address): boolean => told.worlds.has(address.key);
  const isHeld = ({ key }: Address): boolean => (told.worlds.get(key)?.holders.length ?? 0) > 0;
  all(
    'a stale write',
    (address) => writeOf(address, 1n, { actor: BOB, text: 'other' }),
    (type, address) => (type === 'stored') === !isThere(address),
  );
  all(
    'the lock',
    (address, at) => lockOf(address, `stranger-${at}`, { actor: BOB }),
    (type, address) => type === (isHeld(address) ? 'held' : 'granted'),
  );
}

function inspect(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner)).slice(
    0,
    600,
  );
}
