import { randomUUID } from 'node:crypto';
import { formatAddress, type Address } from '../../core/address.ts';
import { isNoUsage, NO_USAGE, sumOf, type Usage } from '../../core/quota.ts';
import type { Command } from '../../ports/engine.ts';
import { ownerOf, type RowKeys } from '../row-keys.ts';
import { sizeOfVersion } from '../version-facts.ts';
import { AuthenticatedTable, number, plain, toBytes } from './columns.ts';
import type { Row, Statement } from './connection.ts';
import { ADDRESS, HOUSE } from './rows.ts';
import { isWanted, replaceAll, WANTED } from './session/statements.ts';
import { theseAddresses } from './world.ts';

/** What some transactions have counted; the rows of a project, summed up, are what it keeps. */
interface UsageSlot extends Usage {
  readonly project: string;
  readonly slot: string;
}

const SLOT: AuthenticatedTable<UsageSlot> = new AuthenticatedTable('count of what a project keeps', {
  project: plain('project'),
  slot: plain('slot'),
  states: number('states'),
  versions: number('versions'),
  bytes: number('bytes'),
});

const COLUMNS: string = SLOT.names.join(', ');

/** The project whose row says that everything was counted; no project is called so. */
const COUNTED = '';

/** The projects of which a transaction may change what they keep. */
export function projectsCounted(commands: readonly Command[]): readonly string[] {
  const projects = commands.flatMap((command) => (isCounted(command) ? [command.address.project] : []));
  return [...new Set(projects)];
}

type Counted = Extract<Command, { type: 'write' | 'prune' | 'purge' | 'adopt' }>;

function isCounted(command: Command): command is Counted {
  return ['write', 'prune', 'purge', 'adopt'].includes(command.type);
}

/**
 * Takes a slot of each project that no other transaction has, where there is one, and reads the others. Nobody waits: who finds
 * none free makes a new one, so that there are as many as there were transactions at a time.
 */
export function selectUsage(schema: string, projects: readonly string[]): Statement[] {
  if (projects.length === 0) return [];
  const columns = SLOT.names.map((name) => `s.${name}`).join(', ');
  return [
    {
      text: `
        WITH mine AS MATERIALIZED (SELECT ${columns} FROM unnest($1::text[]) AS wanted (project) CROSS JOIN LATERAL (
          SELECT ${COLUMNS} FROM ${schema}.usage u WHERE u.project = wanted.project COLLATE "C" LIMIT 1 FOR UPDATE SKIP LOCKED
        ) s)
        SELECT true AS mine, ${COLUMNS} FROM mine UNION ALL
        SELECT false, ${COLUMNS} FROM ${schema}.usage s WHERE project = ANY ($1::text[])
          AND NOT EXISTS (SELECT FROM mine WHERE mine.project = s.project AND mine.slot = s.slot)`,
      values: [projects],
      prepared: true,
    },
  ];
}

/** All that was counted of projects. {@link usageFrom} sums it up. */
export function readUsage(schema: string, projects: readonly string[]): Statement {
  return {
    text: `SELECT ${COLUMNS} FROM ${schema}.usage WHERE project = ANY ($1::text[])`,
    values: [projects],
    prepared: true,
  };
}

/** @throws {EngineFault} where a row was changed */
export function usageFrom(keys: RowKeys, rows: readonly Row[]): Usage {
  return SLOT.readAll(keys, HOUSE, rows).reduce(sumOf, NO_USAGE);
}

/** What one transaction makes of what projects keep. */
export class UsageChanges {
  readonly #keys: RowKeys;
  readonly #mine: ReadonlyMap<string, UsageSlot>;
  readonly #before = new Map<string, Usage>();
  readonly #changes = new Map<string, Usage>();

  /** @param rows what {@link selectUsage} found */
  constructor(keys: RowKeys, rows: readonly Row[]) {
    this.#keys = keys;
    const mine = rows.filter((row) => row['mine'] === true);
    this.#mine = new Map(SLOT.readAll(keys, HOUSE, mine).map((slot) => [slot.project, slot]));
    for (const slot of SLOT.readAll(keys, HOUSE, rows))
      this.#before.set(slot.project, sumOf(this.#before.get(slot.project) ?? NO_USAGE, slot));
  }

  of(project: string): Usage {
    return sumOf(this.#before.get(project) ?? NO_USAGE, this.#changes.get(project) ?? NO_USAGE);
  }

  add(project: string, change: Usage): void {
    this.#changes.set(project, sumOf(this.#changes.get(project) ?? NO_USAGE, change));
  }

  statements(schema: string): Statement[] {
    const changed = [...this.#changes].filter(([, change]) => !isNoUsage(change));
    const slots = changed.map(([project, change]): UsageSlot => {
      const slot = this.#mine.get(project) ?? { project, slot: randomUUID(), ...NO_USAGE };
      return { project, slot: slot.slot, ...sumOf(slot, change) };
    });
    return storeSlots(schema, this.#keys, slots);
  }
}

function storeSlots(schema: string, keys: RowKeys, slots: readonly UsageSlot[]): Statement[] {
  const rows = slots.map((slot) => SLOT.row(keys, HOUSE, slot));
  return replaceAll(`${schema}.usage`, ['project', 'slot'], rows);
}

/** The sizes of versions, by their addresses and numbers. */
export type VersionSizes = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** The versions that commands may drop, to know their sizes. {@link sizesFrom} reads the answers. */
export function selectDropped(schema: string, commands: readonly Command[]): Statement[] {
  return commands.flatMap((command) => {
    if (command.type !== 'prune' && command.type !== 'purge') return [];
    const { table, values } = theseAddresses([command.address]);
    const text = `SELECT v.project, v.key, v.workspace, v.number, v.facts FROM ${table} JOIN ${schema}.version v ON ${isWanted('v')}`;
    if (command.type === 'purge') return [{ text, values }];
    const numbers = command.versions.map(({ number }) => number);
    return [{ text: `${text} WHERE v.number = ANY ($4::bigint[])`, values: [...values, numbers] }];
  });
}

export function sizesFrom(keys: RowKeys, rows: readonly Row[]): VersionSizes {
  const sizes = new Map<string, Map<number, number>>();
  for (const row of rows) {
    const address = ADDRESS.read(row);
    const of = sizes.get(formatAddress(address)) ?? new Map<number, number>();
    sizes.set(formatAddress(address), of.set(Number(row['number']), sizeIn(keys, address, row)));
  }
  return sizes;
}

function sizeIn(keys: RowKeys, address: Address, row: Row): number {
  return sizeOfVersion(keys, ownerOf(address), Number(row['number']), toBytes(row['facts'] as Buffer));
}

/** Addresses that are counted at a time. */
const PAGE = 1_000;

type Read = (statement: Statement) => Promise<readonly Row[]>;

/** Whether everything that was there before there were counts has been counted. */
export async function isCountedUp(read: Read, schema: string): Promise<boolean> {
  return (await read(readUsage(schema, [COUNTED]))).length > 0;
}

/** Counts all that is there, inside a transaction, while nobody else stores a version. */
export async function countAll(read: Read, schema: string, keys: RowKeys): Promise<void> {
  await read({ text: `LOCK TABLE ${schema}.version IN SHARE MODE` });
  const usages = new Map<string, Usage>();
  for (let after: readonly string[] = ['', '', '']; ;) {
    const rows = await read({
      text: `SELECT project, key, workspace, head FROM ${schema}.address WHERE (project, key, workspace) > ($1, $2, $3)
        ORDER BY project, key, workspace LIMIT ${PAGE}`,
      values: after,
    });
    const addresses = ADDRESS.readAll(rows);
    const versions = await read({
      text: `SELECT v.project, v.key, v.workspace, v.number, v.facts FROM ${WANTED} JOIN ${schema}.version v ON ${isWanted('v')}`,
      values: [
        addresses.map(({ project }) => project),
        addresses.map(({ key }) => key),
        addresses.map(({ workspace }) => workspace),
      ],
    });
    const add = (project: string, usage: Usage): void => {
      usages.set(project, sumOf(usages.get(project) ?? NO_USAGE, usage));
    };
    for (const row of rows)
      add(row['project'] as string, { ...NO_USAGE, states: row['head'] === null ? 0 : 1 });
    for (const row of versions) {
      const bytes = sizeIn(keys, ADDRESS.read(row), row);
      add(row['project'] as string, { states: 0, versions: 1, bytes });
    }
    const last = addresses.at(-1);
    if (last === undefined) break;
    after = [last.project, last.key, last.workspace];
  }
  const slots = [...usages].map(([project, usage]) => ({ project, slot: randomUUID(), ...usage }));
  const marker = { project: COUNTED, slot: COUNTED, ...NO_USAGE };
  for (const statement of storeSlots(schema, keys, [...slots, marker])) await read(statement);
}
