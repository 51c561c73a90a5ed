import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../src/core/address.ts';
import type { World } from '../../src/core/world.ts';
import type { Command } from '../../src/ports/engine.ts';
import { prepareDatabase } from '../../src/engines/sqlite/adoption.ts';
import { openForReading, openForWriting } from '../../src/engines/sqlite/connection.ts';
import { LogEndFile } from '../../src/engines/sqlite/files/log-end.ts';
import { Queries } from '../../src/engines/sqlite/queries.ts';
import { RowKeys } from '../../src/engines/row-keys.ts';
import { Writer } from '../../src/engines/sqlite/writer/writer.ts';
import { ALICE, bodyOf, bytes, lockOf, testKeyIdOf, writeOf } from '../../src/contract/engine-commands.ts';

const DATABASE = 'statehouse.db';
const FILES = ['', '-wal', '-end'].map((suffix) => `${DATABASE}${suffix}`);
/** Enough that the indexes of the addresses have pages above their leaves. */
const ADDRESSES = 260;
const HALF = ADDRESSES / 2;
const LOG_COMMITS = 20;

/** The files of a data directory, by their names. */
export type Files = ReadonlyMap<string, Buffer>;

/** What is stored in an image, as it was told before anything was damaged. */
export interface Told {
  readonly worlds: ReadonlyMap<string, World>;
  readonly entries: ReturnType<Queries['entries']>;
  readonly credentials: ReturnType<Queries['credentials']>;
  readonly states: readonly string[];
}

export interface Image {
  /** Of a server that was stopped in order: everything is in the database. */
  readonly stopped: Files;
  /** Of one that was killed: the later half is in the log alone. */
  readonly killed: Files;
  readonly told: Told;
}

export const ABSENT: readonly Address[] = [addressAt(ADDRESSES), addressAt(ADDRESSES + 1)];
export const SOME: readonly Address[] = Array.from({ length: ADDRESSES }, (_, at) => addressAt(at));

/** Long keys, so that few fit on a page. */
function addressAt(at: number): Address {
  return { project: 'acme', key: `${String(at).padStart(4, '0')}/${'k'.repeat(200)}`, workspace: 'default' };
}

function commandsFor(address: Address, at: number): Command[] {
  const body = (): ReturnType<typeof bodyOf> => bodyOf([bytes(`k-state ${at} `.repeat(40))]);
  const lock = lockOf(address, `lock-${at}`);
  const entry = { kind: at % 2 === 0 ? 'freeze' : 'project', name: `entry-${at}`, attributes: { at } };
  return [
    writeOf(address, 1n, { body: body() }),
    ...(at % 2 === 0 ? [writeOf(address, 2n, { body: body() })] : []),
    ...(at % 3 === 0 ? [lock] : []),
    ...(at % 9 === 0 ? [lockOf(address, `waits-${at}`), lockOf(address, `waits-${at}`)] : []),
    { type: 'put-entry', entry, note: null },
    ...(at % 10 === 0 ? [credentialOf(at)] : []),
  ];
}

function credentialOf(at: number): Command {
  return {
    type: 'put-credential',
    credential: {
      id: `id-${at}`,
      name: `credential-${at}`,
      sealedSecret: bytes(`k-secret-${at}`),
      grants: [{ role: 'writer', pattern: 'acme/*' }],
      createdAt: at,
      expiresAt: null,
      revokedAt: null,
    },
    note: { action: 'credential-create', subject: ALICE.subject, door: ALICE.door, detail: {} },
  };
}

/** Fills a data directory, and takes its files once while it is open and once after it was closed. */
export function makeImage(): Image {
  const directory = mkdtempSync(join(tmpdir(), 'statehouse-damage-'));
  const path = join(directory, DATABASE);
  try {
    const rowKey = prepareDatabase(path);
    const db = openForWriting(path);
    const writer = new Writer(db, new RowKeys(rowKey));
    const end = new LogEndFile(path);
    const run = (from: number, to: number): void => {
      const commands = SOME.slice(from, to).flatMap((address, at) => commandsFor(address, from + at));
      writer.run([{ id: 1, at: 1_000, commands }]);
      end.note();
    };
    run(0, HALF);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (let at = HALF; at < ADDRESSES; at += HALF / LOG_COMMITS)
      run(Math.ceil(at), Math.ceil(at + HALF / LOG_COMMITS));
    const killed = filesIn(directory);
    const told = tellAll(path, rowKey);
    writer.close();
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    end.close();
    return { stopped: filesIn(directory), killed, told };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function filesIn(directory: string): Files {
  return new Map(FILES.map((name) => [name, readOr(join(directory, name))]));
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Puts the files into a new directory. @returns the path of its database */
export function putFiles(directory: string, files: Files): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of files) if (content.length > 0) writeFileSync(join(directory, name), content);
  return join(directory, DATABASE);
}

function tellAll(path: string, rowKey: Uint8Array): Told {
  const db = openForReading(path);
  try {
    const queries = new Queries(db, testKeyIdOf, new RowKeys(rowKey));
    return {
      worlds: new Map(SOME.map((address) => [address.key, queries.world(address)])),
      entries: queries.entries(null),
      credentials: queries.credentials(),
      states: queries.states({ limit: 1_000 }).map(({ address }) => address.key),
    };
  } finally {
    db.close();
  }
}
